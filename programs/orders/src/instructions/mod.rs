//! One file per instruction: its accounts with their checks, and a thin handler. Instructions that
//! differ only in what they change share their accounts: each set of checks costs 5 KB of binary.

// The accounts macro binds instruction arguments in generated functions that don't all read them.
#![allow(unused_variables)]

mod device_call;
mod faults;
mod initialize;
mod leased;
mod leases;
mod orders;
mod parked;
mod purse;
mod roles;

pub use {
    device_call::*, faults::*, initialize::*, leased::*, leases::*, orders::*, parked::*, purse::*, roles::*,
};

use {crate::errors::OrdersError as E, anchor_lang::prelude::*};

/// The clock's unix time; times are unsigned here, as signed division doesn't exist on chain.
fn now() -> Result<u64> {
    let clock = Clock::get()?;
    Ok(u64::try_from(clock.unix_timestamp).map_err(|_| E::InvalidClock)?)
}
