use {
    super::now,
    crate::{
        errors::OrdersError as E,
        events::LeaseEnded,
        state::{EndReason, Lease, LeaseStatus, Order, Party},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
    staking::state::Device,
};

/// Ends a lease and frees its device. The renter, the supplier and the worker may at any time, anybody once its
/// time is over; who calls it decides on the money, see [`Lease::end`].
#[event_cpi]
#[derive(Accounts)]
pub struct EndLease {
    pub caller: Signer,
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Account<Order>,
    #[account(mut)]
    pub lease: Account<Lease>,
    #[account(mut, address = lease.device @ E::WrongDevice)]
    pub device: Account<Device>,
    pub call: Nested<super::DeviceCall>,
}

pub fn end_lease(ctx: &mut Context<EndLease>) -> Result<()> {
    let at = now()?;
    let bump = ctx.bumps.call.lease_authority;
    let a = &mut ctx.accounts;
    let caller = *a.caller.address();
    let party = if caller == a.order.renter {
        Party::Renter
    } else if caller == a.lease.supplier || caller == a.lease.worker {
        Party::Supplier
    } else {
        Party::Stranger
    };
    let waited = a.lease.status == LeaseStatus::Matched as u8;
    let released = a.lease.end(party, a.order.settlement_lag, at)?;
    let (reason, stop, held) = (a.lease.reason, a.lease.stop, a.lease.held);
    if waited {
        a.order.reopen(released, reason != EndReason::Withdrawn as u8)?;
    } else {
        a.order.release(released)?;
    }
    let (lease, order, device) = (*a.lease.address(), *a.order.address(), *a.device.address());
    a.call.free(a.device.cpi_handle_mut(), &lease, bump);
    emit_event!(ctx, LeaseEnded { lease, order, device, reason, stop, held, released });
    Ok(())
}
