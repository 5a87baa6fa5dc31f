use {
    super::{now, DeviceOwner},
    crate::events::DeviceTerminated,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Ends the device's life. Its stakes stay until they are taken out.
pub fn terminate_device(ctx: &mut Context<DeviceOwner>) -> Result<()> {
    let at = now()?;
    let row = &mut ctx.accounts.device;
    row.terminate()?;
    let device = *row.address();
    emit_event!(ctx, DeviceTerminated { device, at });
    Ok(())
}
