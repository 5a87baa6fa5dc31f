use {
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::Burned,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
    anchor_spl::mint::Mint,
    ionet_common::{emit_event, token},
};

/// Burns a holder's tokens and counts them. Burning never makes room to mint again.
#[event_cpi]
#[derive(Accounts)]
pub struct Burn {
    pub owner: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut, seeds = [b"mint"], bump)]
    pub mint: Account<Mint>,
    /// Any token account of the owner for IO; the token program checks both.
    #[account(mut)]
    pub owner_tokens: UncheckedAccount,
    pub token_program: Program<Token>,
}

/// `expected` is what the account holds before, base units. Anybody can send tokens to it, so that it may be more.
pub fn burn(ctx: &mut Context<Burn>, amount: u64, expected: u64) -> Result<()> {
    require!(amount > 0, E::ZeroAmount);
    let a = &mut ctx.accounts;
    let left = a.mint.supply().checked_sub(amount).ok_or(E::Overflow)?;
    let counted = a.config.count_burns(left)?;
    let by_others = counted.checked_sub(amount).ok_or(E::InvariantViolated)?;
    let (owner, burned) = (*a.owner.address(), a.config.burned);
    token::burn(
        a.token_program.address(),
        a.owner_tokens.cpi_handle_mut(),
        a.mint.cpi_handle_mut(),
        a.owner.cpi_handle(),
        amount,
        IO_DECIMALS,
        &[],
    );
    // Now that the token program has checked whose account it is.
    let rest = token::amount(&a.owner_tokens).ok_or(E::InvariantViolated)?;
    require!(rest >= expected.saturating_sub(amount), E::NotAsExpected);
    emit_event!(ctx, Burned { owner, amount, by_others, burned });
    Ok(())
}
