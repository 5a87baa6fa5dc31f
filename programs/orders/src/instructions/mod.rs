//! One file per instruction: its accounts with their checks, and a thin handler. Instructions that
//! differ only in what they change share their accounts: each set of checks costs 5 KB of binary.

// The accounts macro binds instruction arguments in generated functions that don't all read them.
#![allow(unused_variables)]

mod accept_admin;
mod accept_guardian;
mod accept_lease;
mod apply_params;
mod cancel_order;
mod close_fault;
mod close_lease;
mod close_order;
mod create_order;
mod device_call;
mod end_lease;
mod extend_lease;
mod guardian;
mod hold_lease;
mod initialize;
mod match_device;
mod params;
mod refund;
mod settle;
mod vault;
mod vote_fault;

pub use {
    accept_admin::*, accept_guardian::*, accept_lease::*, apply_params::*, cancel_order::*, close_fault::*,
    close_lease::*, close_order::*, create_order::*, device_call::*, end_lease::*, extend_lease::*,
    guardian::*, hold_lease::*, initialize::*, match_device::*, params::*, refund::*, settle::*,
    vote_fault::*,
};

use {crate::errors::OrdersError as E, anchor_lang::prelude::*};

/// The clock's unix time; times are unsigned here, as signed division doesn't exist on chain.
fn now() -> Result<u64> {
    let clock = Clock::get()?;
    Ok(u64::try_from(clock.unix_timestamp).map_err(|_| E::InvalidClock)?)
}
