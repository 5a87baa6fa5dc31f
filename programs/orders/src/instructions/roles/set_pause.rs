use {
    super::now,
    crate::{
        errors::OrdersError as E,
        events::{ParamsCancelled, PauseSet},
        state::Config,
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// What the guardian alone does to the config: stop operations for a while, drop a proposal.
/// Exits have no pause bit: nobody can stop what already belongs to a user.
#[event_cpi]
#[derive(Accounts)]
pub struct GuardianOnly {
    #[account(address = config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Account<Config>,
}

pub fn set_pause(ctx: &mut Context<GuardianOnly>, mask: u32, until: u64) -> Result<()> {
    ctx.accounts.config.set_pause(mask, until, now()?)?;
    emit_event!(ctx, PauseSet { mask, until });
    Ok(())
}

pub fn cancel_params(ctx: &mut Context<GuardianOnly>) -> Result<()> {
    ctx.accounts.config.cancel()?;
    let revision = ctx.accounts.config.revision;
    emit_event!(ctx, ParamsCancelled { revision });
    Ok(())
}
