use {
    super::{now, GuardianOnly},
    crate::events::PauseSet,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Stops the operations of `mask` until `until`, or lifts the stop.
pub fn set_pause(ctx: &mut Context<GuardianOnly>, mask: u32, until: u64) -> Result<()> {
    ctx.accounts.config.set_pause(mask, until, now()?)?;
    emit_event!(ctx, PauseSet { mask, until });
    Ok(())
}
