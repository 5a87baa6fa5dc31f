use {
    crate::{
        errors::OrdersError as E,
        events::LeaseClosed,
        state::{Lease, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
    staking::state::LeaseOutcome,
};

/// Closes a lease that has ended and is owed nothing; its outcome goes on the device's record, its rent to whoever
/// paid it. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseLease {
    #[account(mut, address = lease.payer @ E::NotRentPayer)]
    pub payer: UncheckedAccount,
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Account<Order>,
    #[account(mut, close = payer)]
    pub lease: Account<Lease>,
    /// Gone when the lease outlived it.
    #[account(mut, address = lease.device @ E::WrongDevice)]
    pub device: UncheckedAccount,
    pub call: Nested<super::DeviceCall>,
}

pub fn close_lease(ctx: &mut Context<CloseLease>) -> Result<()> {
    let bump = ctx.bumps.call.lease_authority;
    let a = &mut ctx.accounts;
    let counted = a.lease.outcome()?;
    a.order.forget_lease()?;
    if let Some((seconds, outcome)) = counted {
        a.call.record(&mut a.device, seconds, outcome, bump);
    }
    let (lease, order, device) = (*a.lease.address(), *a.order.address(), *a.device.address());
    let seconds = counted.map_or(0, |(seconds, _)| seconds);
    let failed = counted.is_some_and(|(_, outcome)| outcome == LeaseOutcome::Failed);
    emit_event!(ctx, LeaseClosed { lease, order, device, seconds, failed });
    Ok(())
}
