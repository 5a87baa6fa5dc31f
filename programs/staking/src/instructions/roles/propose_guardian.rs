use {
    super::{now, AdminOnly},
    crate::events::GuardianProposed,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// First step of another guardian.
pub fn propose_guardian(ctx: &mut Context<AdminOnly>, pending: Address) -> Result<()> {
    let at = ctx.accounts.config.propose_guardian(pending, now()?)?;
    let guardian = ctx.accounts.config.guardian;
    emit_event!(ctx, GuardianProposed { guardian, pending, at });
    Ok(())
}
