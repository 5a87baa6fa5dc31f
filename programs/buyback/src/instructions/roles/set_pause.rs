use {
    super::{now, GuardianOnly},
    crate::events::PauseSet,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Stops operations for a while, or lifts the stop. Stopping bids voids the open auction.
pub fn set_pause(ctx: &mut Context<GuardianOnly>, mask: u32, until: u64) -> Result<()> {
    let voided = ctx.accounts.config.set_pause(mask, until, now()?)?;
    emit_event!(ctx, PauseSet { mask, until, voided });
    Ok(())
}
