use {super::AdminOnly, crate::events::AdminProposed, anchor_lang::prelude::*, ionet_common::emit_event};

/// First step of handing the admin role over.
pub fn propose_admin(ctx: &mut Context<AdminOnly>, pending: Address) -> Result<()> {
    ctx.accounts.config.propose_admin(pending)?;
    let admin = ctx.accounts.config.admin;
    emit_event!(ctx, AdminProposed { admin, pending });
    Ok(())
}
