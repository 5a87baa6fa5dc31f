//! Leases: matched, accepted, extended, paid, ended, held, closed.

mod accept_lease;
mod close_lease;
mod end_lease;
mod extend_lease;
mod hold_lease;
mod match_device;
mod settle;

pub use {
    accept_lease::*, close_lease::*, end_lease::*, extend_lease::*, hold_lease::*, match_device::*, settle::*,
};

use {
    crate::{
        events::{LeaseEnded, LeaseStarted},
        state::{Known, Lease, Order},
    },
    anchor_lang::prelude::*,
};

/// Begins the hours of a lease whose gang was filled before, by whatever touches it first; what is told of that.
#[inline(always)]
pub(super) fn start(lease: &mut Known<Lease>, order: &Order) -> Result<Option<LeaseStarted>> {
    if lease.starts(order.filled_at) {
        begin(lease, order).map(Some)
    } else {
        Ok(None)
    }
}

#[inline(never)]
fn begin(lease: &mut Known<Lease>, order: &Order) -> Result<LeaseStarted> {
    lease.begin(order.filled_at)?;
    let (start, stop) = (lease.start, lease.stop);
    Ok(LeaseStarted { lease: *lease.address(), order: lease.order, start, stop })
}

/// What is told of a lease's end.
#[inline(never)]
pub(super) fn ended(lease: &Known<Lease>, order: &Order, released: u64, charged: u64) -> LeaseEnded {
    LeaseEnded {
        lease: *lease.address(),
        order: lease.order,
        device: lease.device,
        reason: lease.reason,
        stop: lease.stop,
        held: lease.held,
        released,
        charged,
        open: order.open,
        match_until: order.match_until,
    }
}
