use {
    super::now,
    crate::{
        events::PriceApplied,
        state::{Class, Known, Prices},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The agreed steps of an hour, and a class that one of them is of.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplyPrice {
    pub prices: Known<Prices>,
    #[account(mut)]
    pub class: Known<Class>,
}

/// Announces a class's step, which the proof leads to the agreed root. Anyone may call it.
pub fn apply_price(ctx: &mut Context<ApplyPrice>, step_io: i16, step_usdc: i16, proof: &[u8]) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.prices.require_leaf(a.class.id, step_io, step_usdc, proof, at)?;
    let (class, hour) = (a.class.id, a.prices.hour);
    a.class.step(hour, step_io, step_usdc, at)?;
    let (price_io, price_usdc) = (a.class.price_io, a.class.price_usdc);
    emit_event!(ctx, PriceApplied { class, hour, step_io, step_usdc, price_io, price_usdc, at });
    Ok(())
}
