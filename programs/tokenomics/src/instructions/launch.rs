use {
    super::now,
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::Launched,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, token::mint_to},
};

/// Mints the genesis supply into the genesis vault and fixes the emission's first month.
#[event_cpi]
#[derive(Accounts)]
pub struct Launch {
    #[account(address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut, seeds = [b"mint"], bump)]
    pub mint: UncheckedAccount,
    #[account(mut, seeds = [b"genesis_vault"], bump)]
    pub genesis_vault: UncheckedAccount,
    pub token_program: Program<Token>,
}

pub fn launch(ctx: &mut Context<Launch>, start_month: u32) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.launch(start_month, at)?;
    let bump = [a.config.bump];
    mint_to(
        a.token_program.address(),
        a.mint.cpi_handle_mut(),
        a.genesis_vault.cpi_handle_mut(),
        a.config.cpi_handle(),
        GENESIS_SUPPLY,
        IO_DECIMALS,
        &[&[CONFIG_SEED, &bump]],
    );
    emit_event!(ctx, Launched { at, start_month, minted: GENESIS_SUPPLY });
    Ok(())
}
