use {
    crate::{errors::TokenomicsError as E, events::AdminProposed, state::Config},
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// What the admin alone changes in the config: its successor and the guardian's, who must accept.
#[event_cpi]
#[derive(Accounts)]
pub struct AdminOnly {
    #[account(address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Account<Config>,
}

pub fn propose_admin(ctx: &mut Context<AdminOnly>, pending: Address) -> Result<()> {
    let a = &mut ctx.accounts;
    a.config.pending_admin = pending;
    a.config.invariant()?;
    let admin = a.config.admin;
    emit_event!(ctx, AdminProposed { admin, pending });
    Ok(())
}
