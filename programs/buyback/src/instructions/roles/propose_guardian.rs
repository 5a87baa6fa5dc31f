use {
    super::{now, AdminOnly},
    crate::events::GuardianProposed,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// First step of another guardian: it may accept after the notice.
pub fn propose_guardian(ctx: &mut Context<AdminOnly>, pending: Address) -> Result<()> {
    let config = &mut ctx.accounts.config;
    let at = config.propose_guardian(pending, now()?)?;
    let guardian = config.guardian;
    emit_event!(ctx, GuardianProposed { guardian, pending, at });
    Ok(())
}
