//! One file per instruction: its accounts with their checks, and a thin handler. Instructions that
//! differ only in what they change share their accounts: each set of checks costs 5 KB of binary.

// The accounts macro binds instruction arguments in generated functions that don't all read them.
#![allow(unused_variables)]

mod bid;
mod burn_fees;
mod cancel_first_price;
mod close_auction;
mod initialize;
mod propose_first_price;
mod roles;
mod start_auction;

pub use {
    bid::*, burn_fees::*, cancel_first_price::*, close_auction::*, initialize::*, propose_first_price::*,
    roles::*, start_auction::*,
};

use {crate::errors::BuybackError as E, anchor_lang::prelude::*};

/// The clock's unix time; times are unsigned here, as signed division doesn't exist on chain.
fn now() -> Result<u64> {
    let clock = Clock::get()?;
    Ok(u64::try_from(clock.unix_timestamp).map_err(|_| E::InvalidClock)?)
}
