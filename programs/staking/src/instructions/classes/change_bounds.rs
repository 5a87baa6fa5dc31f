use {
    super::{now, ChangeClass},
    crate::{events::BoundsChanged, state::Bounds},
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Changes the bounds of a class's prices, after the notice period.
pub fn change_bounds(ctx: &mut Context<ChangeClass>, bounds: Bounds) -> Result<()> {
    let now = now()?;
    let a = &mut ctx.accounts;
    a.class.change_bounds(&bounds, a.config.params.notice, now)?;
    let (id, at) = (a.class.id, a.class.bounds_at);
    let (price_io, price_usdc) = (a.class.price_io, a.class.price_usdc);
    emit_event!(ctx, BoundsChanged { id, bounds, at, price_io, price_usdc, now });
    Ok(())
}
