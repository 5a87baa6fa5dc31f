//! One file per instruction: its accounts with their checks, and a thin handler. Instructions that
//! differ only in what they change share their accounts: each set of checks costs 5 KB of binary.

// The accounts macro binds instruction arguments in generated functions that don't all read them.
#![allow(unused_variables)]

mod accept_admin;
mod accept_guardian;
mod add_class;
mod appeal_slash;
mod apply_params;
mod attest;
mod change_class;
mod claim;
mod close_block;
mod close_device;
mod co_stake;
mod device_owner;
mod execute_slash;
mod finalise;
mod guardian;
mod initialize;
mod lease;
mod open_wallet;
mod params;
mod register_device;
mod settle_device;
mod stake;
mod stake_out;
mod veto_block;
mod veto_slash;
mod vote_slash;

pub use {
    accept_admin::*, accept_guardian::*, add_class::*, appeal_slash::*, apply_params::*, attest::*,
    change_class::*, claim::*, close_block::*, close_device::*, co_stake::*, device_owner::*,
    execute_slash::*, finalise::*, guardian::*, initialize::*, lease::*, open_wallet::*, params::*,
    register_device::*, settle_device::*, stake::*, stake_out::*, veto_block::*, veto_slash::*,
    vote_slash::*,
};

use {
    crate::{
        errors::StakingError as E,
        state::{Class, Device},
    },
    anchor_lang::prelude::*,
    ionet_common::emitter::{self, Emission},
};

/// The clock's unix time; times are unsigned here, as signed division doesn't exist on chain.
fn now() -> Result<u64> {
    let clock = Clock::get()?;
    Ok(u64::try_from(clock.unix_timestamp).map_err(|_| E::InvalidClock)?)
}

/// The device's minimum, by the class it must be of.
fn minimum_of(device: &Device, class: &Class, now: u64) -> Result<u64> {
    require!(class.id == device.class, E::WrongClass);
    class.minimum(device.processors, now)
}

/// Reads tokenomics' config, which the accounts' checks have compared with the recorded address.
fn emission(account: &UncheckedAccount) -> Result<Emission> {
    let data = account.account().try_borrow()?;
    Ok(emitter::read(&data).ok_or(E::NotLaunched)?)
}
