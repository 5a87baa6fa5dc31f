use {
    super::{minimum_of, now},
    crate::{
        errors::StakingError as E,
        events::{DeviceFreed, DeviceLeased, LeaseRecorded},
        state::{Class, Config, Device, LeaseOutcome},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The orders program lets a device, by the address that only it can sign for.
#[event_cpi]
#[derive(Accounts)]
pub struct LeaseDevice {
    #[account(address = config.lease_authority @ E::NotOrders)]
    pub lease_authority: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    pub class: Account<Class>,
    #[account(mut)]
    pub device: Account<Device>,
}

/// While it is let, the supplier's stake can't be taken out and its life not ended.
pub fn lease_device(ctx: &mut Context<LeaseDevice>, lease: Address) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let minimum = minimum_of(&a.device, &a.class, at)?;
    a.device.let_to(&lease, minimum, at)?;
    let device = *a.device.address();
    emit_event!(ctx, DeviceLeased { device, lease });
    Ok(())
}

/// The orders program and a device that it has let.
#[event_cpi]
#[derive(Accounts)]
pub struct LeasedDevice {
    #[account(address = config.lease_authority @ E::NotOrders)]
    pub lease_authority: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    #[account(mut)]
    pub device: Account<Device>,
}

/// The device can be let again, its stake taken out.
pub fn free_device(ctx: &mut Context<LeasedDevice>, lease: Address) -> Result<()> {
    let row = &mut ctx.accounts.device;
    row.free_from(&lease)?;
    let device = *row.address();
    emit_event!(ctx, DeviceFreed { device, lease });
    Ok(())
}

/// Counts `seconds` that a lease served, and a [`LeaseOutcome`].
pub fn record_lease(ctx: &mut Context<LeasedDevice>, seconds: u64, outcome: u8) -> Result<()> {
    let row = &mut ctx.accounts.device;
    row.record(seconds, LeaseOutcome::from_number(outcome)?)?;
    let device = *row.address();
    let (hired_seconds, disputes) = (row.hired_seconds, row.disputes);
    let (leases_done, leases_failed) = (row.leases_done, row.leases_failed);
    emit_event!(ctx, LeaseRecorded { device, outcome, hired_seconds, leases_done, leases_failed, disputes });
    Ok(())
}
