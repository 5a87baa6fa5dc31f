use {
    super::GuardianOnly, crate::events::ParamsCancelled, anchor_lang::prelude::*, ionet_common::emit_event,
};

/// Drops the proposed parameters: the guardian's veto.
pub fn cancel_params(ctx: &mut Context<GuardianOnly>) -> Result<()> {
    let config = &mut ctx.accounts.config;
    config.cancel()?;
    let revision = config.revision;
    emit_event!(ctx, ParamsCancelled { revision });
    Ok(())
}
