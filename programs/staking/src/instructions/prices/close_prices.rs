use {
    super::now,
    crate::{
        errors::StakingError as E,
        events::PricesClosed,
        state::{Known, Prices},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Closes the account of an hour's steps once they hold; its rent goes to whoever paid it. Anyone may call
/// it.
#[event_cpi]
#[derive(Accounts)]
pub struct ClosePrices {
    #[account(mut, address = prices.payer @ E::NotRentPayer)]
    pub payer: UncheckedAccount,
    #[account(mut, close = payer)]
    pub prices: Known<Prices>,
}

pub fn close_prices(ctx: &mut Context<ClosePrices>) -> Result<()> {
    let prices = &ctx.accounts.prices;
    prices.require_over(now()?)?;
    let hour = prices.hour;
    emit_event!(ctx, PricesClosed { hour });
    Ok(())
}
