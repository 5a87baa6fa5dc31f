use {
    super::GuardianOnly, crate::events::FirstPriceCancelled, anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Drops the first price while no auction has used it: the guardian's veto.
pub fn cancel_first_price(ctx: &mut Context<GuardianOnly>) -> Result<()> {
    let price = ctx.accounts.config.cancel_first_price()?;
    emit_event!(ctx, FirstPriceCancelled { price });
    Ok(())
}
