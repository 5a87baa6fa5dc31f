use {
    super::{minimum_of, now, DeviceOwner},
    crate::events::OfferOpened,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Looks for a co-staker.
pub fn open_offer(ctx: &mut Context<DeviceOwner>, amount: u64, reward_bps: u16) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let minimum = minimum_of(&a.device, &a.class, at)?;
    a.device.open_offer(amount, reward_bps, minimum, a.config.params.cooldown, at)?;
    let device = *a.device.address();
    emit_event!(ctx, OfferOpened { device, amount, reward_bps });
    Ok(())
}
