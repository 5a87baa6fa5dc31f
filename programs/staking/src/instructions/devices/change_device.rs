use {
    super::{changed, now, DeviceOwner},
    crate::state::DeviceTerms,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Changes asks, place and tier, and whether the worker may end a lease. A lease keeps what it was made for.
pub fn change_device(
    ctx: &mut Context<DeviceOwner>,
    tier: u8,
    country: [u8; 2],
    ask_io: u64,
    ask_usdc: u64,
    worker_may_end: u8,
) -> Result<()> {
    let row = &mut ctx.accounts.device;
    row.change(&DeviceTerms { tier, country, ask_io, ask_usdc, worker_may_end }, now()?)?;
    let event = changed(row);
    emit_event!(ctx, event);
    Ok(())
}
