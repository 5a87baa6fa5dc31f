use {
    super::now,
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::Released,
        state::{Allocation, Config},
    },
    anchor_lang::prelude::*,
    anchor_spl::{
        mint::Mint,
        token::{self, TokenAccount},
    },
    ionet_common::{ata::is_associated, token::transfer},
};

/// Pays a beneficiary what vesting has freed. Anyone may call it, and no pause stops it.
#[event_cpi]
#[derive(Accounts)]
pub struct Release {
    #[account(mut, seeds = [CONFIG_SEED], bump = config.bump)]
    pub config: Account<Config>,
    #[account(mut, seeds = [ALLOCATION_SEED, allocation.id.to_le_bytes()], bump = allocation.bump)]
    pub allocation: Account<Allocation>,
    #[account(address = config.mint @ E::WrongAccount)]
    pub mint: Account<Mint>,
    #[account(mut, address = config.genesis_vault @ E::WrongAccount)]
    pub genesis_vault: Account<TokenAccount>,
    /// The beneficiary's associated token account.
    #[account(mut, token::mint = mint, token::authority = allocation.beneficiary)]
    pub beneficiary_tokens: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

pub fn release(ctx: &mut Context<Release>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_launched()?;
    let (id, beneficiary) = (a.allocation.id, a.allocation.beneficiary);
    require!(
        is_associated(a.beneficiary_tokens.address(), &beneficiary, a.mint.address()),
        E::NotAssociatedAccount
    );
    let amount = a.allocation.release(a.config.start_month, at)?;
    a.config.release(amount)?;
    let released = a.allocation.released;
    let bump = [a.config.bump];
    transfer(
        a.token_program.address(),
        a.genesis_vault.cpi_handle_mut(),
        a.mint.cpi_handle(),
        a.beneficiary_tokens.cpi_handle_mut(),
        a.config.cpi_handle(),
        amount,
        IO_DECIMALS,
        &[&[CONFIG_SEED, &bump]],
    );
    emit_cpi!(Released { allocation: id, beneficiary, amount, released, at });
    Ok(())
}
