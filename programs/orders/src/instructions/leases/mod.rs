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
    crate::{events::LeaseStarted, state::Lease},
    anchor_lang::prelude::*,
};

/// What is told of a lease whose gang was filled before, by whatever touches it first.
pub(super) fn started(lease: &Account<Lease>) -> LeaseStarted {
    LeaseStarted { lease: *lease.address(), order: lease.order, start: lease.start, stop: lease.stop }
}
