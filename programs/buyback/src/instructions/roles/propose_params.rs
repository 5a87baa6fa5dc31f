use {
    super::{now, AdminOnly},
    crate::{events::ParamsProposed, state::Params},
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Announces parameters: in force after the notice, once somebody applies them.
pub fn propose_params(ctx: &mut Context<AdminOnly>, params: Params) -> Result<()> {
    let at = ctx.accounts.config.propose(params, now()?)?;
    emit_event!(ctx, ParamsProposed { params, at });
    Ok(())
}
