use {
    crate::{
        errors::StakingError as E,
        events::DeviceClosed,
        state::{Device, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Closes the account of a terminated device without stake; deposit and rent go to the supplier.
/// Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseDevice {
    #[account(mut, address = device.supplier @ E::NotSupplier)]
    pub supplier: UncheckedAccount,
    #[account(mut, close = supplier)]
    pub device: Known<Device>,
}

pub fn close_device(ctx: &mut Context<CloseDevice>) -> Result<()> {
    let a = &ctx.accounts;
    a.device.require_empty()?;
    let (device, supplier) = (*a.device.address(), *a.supplier.address());
    emit_event!(ctx, DeviceClosed { device, supplier });
    Ok(())
}
