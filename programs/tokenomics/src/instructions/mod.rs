//! One file per instruction: its accounts with their checks, and a thin handler.

// The accounts macro binds instruction arguments in generated functions that don't all read them.
#![allow(unused_variables)]

mod allocations;
mod burn;
mod emit;
mod initialize;
mod launch;
mod roles;
mod seasons;
mod sync_burned;

pub use {allocations::*, burn::*, emit::*, initialize::*, launch::*, roles::*, seasons::*, sync_burned::*};

use {crate::errors::TokenomicsError as E, anchor_lang::prelude::*};

/// The clock's unix time; times are unsigned here, as signed division doesn't exist on chain.
fn now() -> Result<u64> {
    let clock = Clock::get()?;
    Ok(u64::try_from(clock.unix_timestamp).map_err(|_| E::InvalidClock)?)
}
