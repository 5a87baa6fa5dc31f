use {
    super::now,
    crate::{
        errors::OrdersError as E,
        events::{AdminProposed, GuardianProposed, ParamsProposed},
        state::{Config, Params},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// What the admin alone changes in the config.
#[event_cpi]
#[derive(Accounts)]
pub struct AdminOnly {
    #[account(address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Account<Config>,
}

pub fn propose_params(ctx: &mut Context<AdminOnly>, params: Params) -> Result<()> {
    ctx.accounts.config.propose(params, now()?)?;
    let at = ctx.accounts.config.pending_at;
    emit_event!(ctx, ParamsProposed { params, at });
    Ok(())
}

pub fn propose_admin(ctx: &mut Context<AdminOnly>, pending: Address) -> Result<()> {
    let config = &mut ctx.accounts.config;
    config.pending_admin = pending;
    config.invariant()?;
    let admin = config.admin;
    emit_event!(ctx, AdminProposed { admin, pending });
    Ok(())
}

pub fn propose_guardian(ctx: &mut Context<AdminOnly>, pending: Address) -> Result<()> {
    let at = ctx.accounts.config.propose_guardian(pending, now()?)?;
    let guardian = ctx.accounts.config.guardian;
    emit_event!(ctx, GuardianProposed { guardian, pending, at });
    Ok(())
}
