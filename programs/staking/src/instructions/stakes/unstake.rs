use {
    super::{minimum_of, now, DeviceOwner},
    crate::events::Unstaked,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Sends the own stake, and a co-stake with it, into the cooldown.
pub fn unstake(ctx: &mut Context<DeviceOwner>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let minimum = minimum_of(&a.device, &a.class, at)?;
    let (own, co) = a.device.unstake(minimum, a.config.params.cooldown, at)?;
    let (device, supplier, until) = (*a.device.address(), a.device.supplier, a.device.own_until);
    emit_event!(ctx, Unstaked { device, supplier, own, co, until });
    Ok(())
}
