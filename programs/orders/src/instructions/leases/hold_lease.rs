use {
    super::now,
    crate::{errors::OrdersError as E, events::LeaseHeld, state::Lease},
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
    #[account(mut)]
    pub lease: Account<Lease>,
    /// Gone when the lease outlived it.
    #[account(mut, address = lease.device @ E::WrongDevice)]
    pub device: UncheckedAccount,
    pub call: Nested<super::DeviceCall>,
}

pub fn hold_lease(ctx: &mut Context<HoldLease>, until: u64) -> Result<()> {
    let at = now()?;
    let bump = ctx.bumps.call.lease_authority;
    let a = &mut ctx.accounts;
    if a.lease.hold(until, at)? {
        a.call.record(&mut a.device, 0, LeaseOutcome::Disputed, bump);
    }
    let (lease, from) = (*a.lease.address(), a.lease.hold_from);
    emit_event!(ctx, LeaseHeld { lease, from, until });
    Ok(())
}
