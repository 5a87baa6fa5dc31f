//! What the orders program does to devices: lease them, free them, and correct what was counted.

mod free_device;
mod lease_device;
mod record_lease;

pub use {free_device::*, lease_device::*, record_lease::*};

use {
    super::{minimum_of, now},
    crate::{
        errors::StakingError as E,
        state::{Config, Device, Known},
    },
    anchor_lang::prelude::*,
};

/// The orders program, by the address that only it can sign for, and a device that it leased.
#[event_cpi]
#[derive(Accounts)]
pub struct LeasedDevice {
    #[account(address = config.lease_authority @ E::NotOrders)]
    pub lease_authority: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub device: Known<Device>,
}
