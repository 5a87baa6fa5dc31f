use {
    super::now,
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::Released,
        state::{Allocation, Config, Known},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::{ata::is_associated, emit_event, token::transfer},
};

/// Pays a beneficiary what vesting has freed. Anyone may call it, and no pause stops it.
#[event_cpi]
#[derive(Accounts)]
pub struct Release {
    #[account(mut, seeds = [b"config"], bump, constraint = config.is_launched() @ E::NotLaunched)]
    pub config: Known<Config>,
    #[account(mut)]
    pub allocation: Known<Allocation>,
    #[account(mut, seeds = [b"genesis_vault"], bump)]
    pub genesis_vault: UncheckedAccount,
    /// The beneficiary's associated token account.
    #[account(
        mut,
        constraint = *beneficiary_tokens.owner() == allocation.beneficiary
            && is_associated(beneficiary_tokens.address(), &allocation.beneficiary, &config.mint)
            @ E::NotAssociatedAccount
    )]
    pub beneficiary_tokens: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

pub fn release(ctx: &mut Context<Release>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let amount = a.allocation.release(a.config.start_month, at)?;
    a.config.release(amount)?;
    let (id, beneficiary, released) = (a.allocation.id, a.allocation.beneficiary, a.allocation.released);
    let bump = [a.config.bump];
    transfer(
        a.token_program.address(),
        a.genesis_vault.cpi_handle_mut(),
        a.beneficiary_tokens.cpi_handle_mut(),
        a.config.cpi_handle(),
        amount,
        &[&[CONFIG_SEED, &bump]],
    );
    emit_event!(ctx, Released { allocation: id, beneficiary, amount, released, at });
    Ok(())
}
