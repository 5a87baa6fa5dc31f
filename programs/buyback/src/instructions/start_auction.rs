use {
    super::now,
    crate::{
        constants::*,
        errors::BuybackError as E,
        events::AuctionStarted,
        state::{Auction, Config},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::emit_event,
};

/// Puts the vault's USDC up for sale, at most once a day. Anyone may call it, and gains nothing by
/// it: the lot, the prices and the earliest moment follow from the config and the vault.
#[event_cpi]
#[derive(Accounts)]
#[instruction(number: u32)]
pub struct StartAuction {
    #[account(mut)]
    pub payer: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Account<Config>,
    #[account(address = config.usdc_vault @ E::WrongAccount)]
    pub usdc_vault: Account<TokenAccount>,
    #[account(init, payer = payer, seeds = [b"auction", number.to_le_bytes()], bump)]
    pub auction: Account<Auction>,
    pub system_program: Program<System>,
}

pub fn start_auction(ctx: &mut Context<StartAuction>, number: u32) -> Result<()> {
    let started_at = now()?;
    let a = &mut ctx.accounts;
    let terms = a.config.start(number, a.usdc_vault.amount(), started_at)?;
    let (lot, start_price) = (terms.lot, terms.start_price);
    let (floor_price, ends_at) = (terms.floor_price, terms.ends_at);
    a.auction.version = ACCOUNT_VERSION;
    a.auction.bump = ctx.bumps.auction;
    a.auction.number = number;
    a.auction.lot = lot;
    a.auction.start_price = start_price;
    a.auction.floor_price = floor_price;
    a.auction.started_at = started_at;
    a.auction.ends_at = ends_at;
    a.auction.invariant()?;
    let (auction, fees_usdc) = (*a.auction.address(), a.config.fees_usdc);
    emit_event!(
        ctx,
        AuctionStarted { auction, number, lot, start_price, floor_price, started_at, ends_at, fees_usdc }
    );
    Ok(())
}
