use {
    crate::{
        errors::BuybackError as E,
        events::AdminChanged,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Second step of handing the admin role over: the successor accepts.
#[event_cpi]
#[derive(Accounts)]
pub struct AcceptAdmin {
    #[account(address = config.pending_admin @ E::NotPendingAdmin)]
    pub new_admin: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
}

pub fn accept_admin(ctx: &mut Context<AcceptAdmin>) -> Result<()> {
    let config = &mut ctx.accounts.config;
    let from = config.accept_admin()?;
    let to = config.admin;
    emit_event!(ctx, AdminChanged { from, to });
    Ok(())
}
