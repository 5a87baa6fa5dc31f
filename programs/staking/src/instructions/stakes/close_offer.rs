use {super::DeviceOwner, crate::events::OfferClosed, anchor_lang::prelude::*, ionet_common::emit_event};

/// Withdraws an offer that nobody took.
pub fn close_offer(ctx: &mut Context<DeviceOwner>) -> Result<()> {
    let row = &mut ctx.accounts.device;
    row.withdraw_offer()?;
    let device = *row.address();
    emit_event!(ctx, OfferClosed { device });
    Ok(())
}
