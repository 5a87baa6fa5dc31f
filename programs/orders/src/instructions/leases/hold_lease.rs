use {
    super::start,
    crate::{
        errors::OrdersError as E,
        events::LeaseHeld,
        instructions::{now, Leased},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, emit_shared_event},
    staking::state::LeaseOutcome,
};

/// The guardian holds a lease's unpaid money back while a dispute is looked into: once, for at most seven
/// days, after which it is paid by time as before. It can only be shortened, and moves no token.
#[event_cpi]
#[derive(Accounts)]
pub struct HoldLease {
    #[account(address = leased.call.config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    pub leased: Nested<crate::instructions::Leased>,
}

pub fn hold_lease(ctx: &mut Context<HoldLease>, until: u64) -> Result<()> {
    let bump = ctx.bumps.leased.call.lease_authority;
    let leased: &mut Leased = &mut ctx.accounts.leased;
    let started = start(&mut leased.lease, &leased.order)?;
    if leased.lease.hold(until, now()?)? {
        leased.call.record(&mut leased.device, &leased.lease, LeaseOutcome::Disputed, 0, bump);
    }
    let (lease, from) = (*leased.lease.address(), leased.lease.hold_from);
    if let Some(started) = started {
        emit_shared_event!(ctx, started);
    }
    emit_event!(ctx, LeaseHeld { lease, from, until });
    Ok(())
}
