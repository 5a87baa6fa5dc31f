use {
    super::{minimum_of, now},
    crate::{
        errors::StakingError as E,
        events::DeviceLeased,
        state::{Class, Config, Device, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The orders program leases a device, by the address that only it can sign for.
#[event_cpi]
#[derive(Accounts)]
pub struct LeaseDevice {
    #[account(address = config.lease_authority @ E::NotOrders)]
    pub lease_authority: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    pub class: Known<Class>,
    #[account(mut)]
    pub device: Known<Device>,
}

/// While it is leased, the supplier's stake can't be taken out and its life not ended. `opened_at` is when the order
/// was opened.
pub fn lease_device(
    ctx: &mut Context<LeaseDevice>,
    lease: Address,
    order: Address,
    opened_at: u64,
) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let minimum = minimum_of(&a.device, &a.class, at)?;
    a.class.require_open(at)?;
    let number = a.device.lease_to(&lease, &order, opened_at, minimum, at)?;
    let device = *a.device.address();
    emit_event!(ctx, DeviceLeased { device, lease, order, opened_at, number });
    Ok(())
}
