use {
    super::GuardianOnly, crate::events::ParamsCancelled, anchor_lang::prelude::*, ionet_common::emit_event,
};

/// Drops the proposed parameters.
pub fn cancel_params(ctx: &mut Context<GuardianOnly>) -> Result<()> {
    ctx.accounts.config.cancel()?;
    let revision = ctx.accounts.config.revision;
    emit_event!(ctx, ParamsCancelled { revision });
    Ok(())
}
