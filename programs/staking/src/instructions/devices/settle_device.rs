use {
    super::{minimum_of, now},
    crate::{
        events::DeviceSettled,
        state::{Class, Config, Device, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Writes down in a device what time, or a change of its class, has done to it. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct SettleDevice {
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    pub class: Known<Class>,
    #[account(mut)]
    pub device: Known<Device>,
}

pub fn settle_device(ctx: &mut Context<SettleDevice>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let minimum = minimum_of(&a.device, &a.class, at)?;
    a.device.settle(a.config.params.cooldown, at)?;
    a.device.refresh(minimum, at);
    a.device.invariant()?;
    let (device, counted) = (*a.device.address(), a.device.counted(at));
    let sufficient_since = a.device.sufficient_since;
    emit_event!(ctx, DeviceSettled { device, counted, minimum, sufficient_since });
    Ok(())
}
