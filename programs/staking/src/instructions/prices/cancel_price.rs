use {
    super::{now, CancelClass},
    crate::events::PriceCancelled,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Drops a class's announced step before it holds: its prices stay.
pub fn cancel_price(ctx: &mut Context<CancelClass>) -> Result<()> {
    let row = &mut ctx.accounts.class;
    row.cancel_step(now()?)?;
    let (class, hour) = (row.id, row.price_hour);
    emit_event!(ctx, PriceCancelled { class, hour });
    Ok(())
}
