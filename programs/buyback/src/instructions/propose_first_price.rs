use {
    super::{now, AdminOnly},
    crate::events::FirstPriceProposed,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Announces what the first auction refers to: the first start after the notice uses it.
pub fn propose_first_price(ctx: &mut Context<AdminOnly>, price: u64) -> Result<()> {
    let at = ctx.accounts.config.propose_first_price(price, now()?)?;
    emit_event!(ctx, FirstPriceProposed { price, at });
    Ok(())
}
