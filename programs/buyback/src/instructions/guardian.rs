use {
    super::now,
    crate::{
        errors::BuybackError as E,
        events::{ParamsCancelled, PauseSet},
        state::Config,
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// What the guardian alone does to the config: stop operations for a while, drop a proposal.
/// Burning fees and closing auctions have no pause bit.
#[event_cpi]
#[derive(Accounts)]
pub struct GuardianOnly {
    #[account(address = config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Account<Config>,
}

pub fn set_pause(ctx: &mut Context<GuardianOnly>, mask: u32, until: u64) -> Result<()> {
    let voided = ctx.accounts.config.set_pause(mask, until, now()?)?;
    emit_event!(ctx, PauseSet { mask, until, voided });
    Ok(())
}

pub fn cancel_params(ctx: &mut Context<GuardianOnly>) -> Result<()> {
    let at = now()?;
    ctx.accounts.config.cancel()?;
    emit_event!(ctx, ParamsCancelled { at });
    Ok(())
}
