use {
    super::now,
    crate::{
        constants::*,
        events::Emitted,
        state::{Config, Emission, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, token::mint_to},
};

/// Mints what the hours that have ended emit, into the reward vault. Anyone may call it; missed
/// hours are caught up in one call at the same cost.
#[event_cpi]
#[derive(Accounts)]
pub struct Emit {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut, seeds = [b"mint"], bump)]
    pub mint: UncheckedAccount,
    #[account(mut, seeds = [b"reward_vault"], bump)]
    pub reward_vault: UncheckedAccount,
    pub token_program: Program<Token>,
}

pub fn emit(ctx: &mut Context<Emit>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let Emission { from_hour, to_hour, amount } = a.config.emit(at)?;
    let (emitted, bump) = (a.config.emitted, [a.config.bump]);
    mint_to(
        a.token_program.address(),
        a.mint.cpi_handle_mut(),
        a.reward_vault.cpi_handle_mut(),
        a.config.cpi_handle(),
        amount,
        IO_DECIMALS,
        &[&[CONFIG_SEED, &bump]],
    );
    emit_event!(ctx, Emitted { from_hour, to_hour, amount, emitted, at });
    Ok(())
}
