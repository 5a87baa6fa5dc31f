use {super::AdminOnly, crate::events::AdminProposed, anchor_lang::prelude::*, ionet_common::emit_event};

/// First step of handing the admin role over: the admin names a successor, who must accept.
pub fn propose_admin(ctx: &mut Context<AdminOnly>, pending: Address) -> Result<()> {
    let config = &mut ctx.accounts.config;
    config.propose_admin(pending)?;
    let admin = config.admin;
    emit_event!(ctx, AdminProposed { admin, pending });
    Ok(())
}
