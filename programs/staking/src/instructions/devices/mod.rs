//! A device's life: registered, changed, paused, terminated, closed; and who gets its rewards.

mod change_device;
mod close_device;
mod pause_device;
mod register_device;
mod set_payout;
mod settle_device;
mod terminate_device;

pub use {
    change_device::*, close_device::*, pause_device::*, register_device::*, set_payout::*, settle_device::*,
    terminate_device::*,
};

use {
    super::{minimum_of, now},
    crate::{
        errors::StakingError as E,
        events::DeviceChanged,
        state::{Class, Config, Device, Known},
    },
    anchor_lang::prelude::*,
};

/// What the supplier alone does with its device, without moving tokens.
#[event_cpi]
#[derive(Accounts)]
pub struct DeviceOwner {
    #[account(address = device.supplier @ E::NotSupplier)]
    pub supplier: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    pub class: Known<Class>,
    #[account(mut)]
    pub device: Known<Device>,
}

/// What is stated of the device now.
fn changed(row: &Known<Device>) -> DeviceChanged {
    DeviceChanged {
        device: *row.address(),
        tier: row.tier,
        country: row.country,
        ask_io: row.ask_io,
        ask_usdc: row.ask_usdc,
        worker_may_end: row.worker_may_end,
        changed_at: row.changed_at,
    }
}
