use {
    super::started,
    crate::{
        errors::OrdersError as E,
        events::LeaseHeld,
        instructions::now,
        state::{Lease, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
    staking::state::LeaseOutcome,
};

/// The guardian holds a lease's unpaid money back while a dispute is looked into: once, for at most seven
/// days, after which it is paid by time as before. It can only be shortened, and moves no token.
#[event_cpi]
#[derive(Accounts)]
pub struct HoldLease {
    #[account(address = call.config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(address = lease.order @ E::WrongOrder)]
    pub order: Account<Order>,
    #[account(mut)]
    pub lease: Account<Lease>,
    /// Gone when the lease outlived it.
    #[account(mut, address = lease.device @ E::WrongDevice)]
    pub device: UncheckedAccount,
    pub call: Nested<crate::instructions::DeviceCall>,
}

pub fn hold_lease(ctx: &mut Context<HoldLease>, until: u64) -> Result<()> {
    let at = now()?;
    let bump = ctx.bumps.call.lease_authority;
    let a = &mut ctx.accounts;
    let starts = a.lease.start(a.order.filled_at)?;
    if a.lease.hold(until, at)? {
        a.call.record(&mut a.device, &a.lease, LeaseOutcome::Disputed, 0, bump);
    }
    let (lease, from) = (*a.lease.address(), a.lease.hold_from);
    if starts {
        emit_event!(ctx, started(&ctx.accounts.lease));
    }
    emit_event!(ctx, LeaseHeld { lease, from, until });
    Ok(())
}
