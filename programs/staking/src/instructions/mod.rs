//! One file per instruction, in a folder for each subject: its accounts with their checks, and a thin handler.
//! Accounts that several share stand in the folder's `mod.rs`: each set of checks costs 5 KB of binary.

// The accounts macro binds instruction arguments in generated functions that don't all read them.
#![allow(unused_variables)]

mod classes;
mod devices;
mod initialize;
mod leases;
mod operators;
mod prices;
mod rewards;
mod roles;
mod slashes;
mod stakes;

pub use {
    classes::*, devices::*, initialize::*, leases::*, operators::*, prices::*, rewards::*, roles::*,
    slashes::*, stakes::*,
};

use {
    crate::{
        errors::StakingError as E,
        state::{Class, Device},
    },
    anchor_lang::prelude::*,
};

/// The clock's unix time; times are unsigned here, as signed division doesn't exist on chain.
fn now() -> Result<u64> {
    unix_time(&Clock::get()?)
}

fn unix_time(clock: &Clock) -> Result<u64> {
    Ok(u64::try_from(clock.unix_timestamp).map_err(|_| E::InvalidClock)?)
}

/// The device's minimum, by the class it must be of.
fn minimum_of(device: &Device, class: &Class, now: u64) -> Result<u64> {
    require!(class.id == device.class, E::WrongClass);
    class.minimum(device.processors, now)
}
