use {
    super::now,
    crate::{
        errors::BuybackError as E,
        events::GuardianChanged,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Second step of another guardian: it accepts once the notice is over.
#[event_cpi]
#[derive(Accounts)]
pub struct AcceptGuardian {
    #[account(address = config.pending_guardian @ E::NotPendingGuardian)]
    pub new_guardian: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
}

pub fn accept_guardian(ctx: &mut Context<AcceptGuardian>) -> Result<()> {
    let config = &mut ctx.accounts.config;
    let from = config.accept_guardian(now()?)?;
    let to = config.guardian;
    emit_event!(ctx, GuardianChanged { from, to });
    Ok(())
}
