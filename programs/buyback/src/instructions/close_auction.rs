use {
    super::now,
    crate::{
        events::AuctionUnsold,
        state::{Auction, Config, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Ends an auction that nobody took in its time; the lot stays in the vault. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseAuction {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub auction: Known<Auction>,
}

pub fn close_auction(ctx: &mut Context<CloseAuction>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let void = bool::from(a.config.void);
    a.auction.end_unsold(void, at)?;
    a.config.end_unsold(a.auction.floor_price)?;
    let (auction, number, lot) = (*a.auction.address(), a.auction.number, a.auction.lot);
    let reference_price = a.config.reference_price;
    emit_event!(ctx, AuctionUnsold { auction, number, lot, void, reference_price, at });
    Ok(())
}
