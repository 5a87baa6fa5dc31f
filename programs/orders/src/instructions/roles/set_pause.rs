use {
    super::GuardianOnly,
    crate::{events::PauseSet, instructions::now},
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Stops operations for a while, or lifts the stop.
pub fn set_pause(ctx: &mut Context<GuardianOnly>, mask: u32, until: u64) -> Result<()> {
    ctx.accounts.config.set_pause(mask, until, now()?)?;
    emit_event!(ctx, PauseSet { mask, until });
    Ok(())
}
