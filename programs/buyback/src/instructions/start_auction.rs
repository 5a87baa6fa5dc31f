use {
    super::now,
    crate::{
        constants::*,
        errors::BuybackError as E,
        events::AuctionStarted,
        state::{Auction, Config, Known, Terms},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::emit_event,
};

/// Puts USDC of the vault up for sale, at most once a day. Anyone may call it, and gains nothing by
/// it: the lot, the prices and the earliest moment follow from the config and the vault.
#[event_cpi]
#[derive(Accounts)]
#[instruction(number: u32)]
pub struct StartAuction {
    #[account(mut)]
    pub payer: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    /// Frozen, it could not pay: an auction that nobody can bid in would lower the price all the same.
    #[account(
        address = config.usdc_vault @ E::WrongAccount, constraint = !usdc_vault.is_frozen() @ E::VaultFrozen
    )]
    pub usdc_vault: Account<TokenAccount>,
    #[account(init, payer = payer, seeds = [b"auction", number.to_le_bytes()], bump)]
    pub auction: Known<Auction>,
    pub system_program: Program<System>,
}

pub fn start_auction(ctx: &mut Context<StartAuction>, number: u32) -> Result<()> {
    let started_at = now()?;
    let a = &mut ctx.accounts;
    let terms = a.config.start(number, a.usdc_vault.amount(), started_at)?;
    let Terms { lot, share_bps, start_price, floor_price, ends_at } = terms;
    a.auction.version = ACCOUNT_VERSION;
    a.auction.bump = ctx.bumps.auction;
    a.auction.number = number;
    a.auction.lot = lot;
    a.auction.share_bps = share_bps;
    a.auction.start_price = start_price;
    a.auction.floor_price = floor_price;
    a.auction.started_at = started_at;
    a.auction.ends_at = ends_at;
    a.auction.invariant()?;
    let (auction, fees_usdc) = (*a.auction.address(), a.config.fees_usdc);
    emit_event!(
        ctx,
        AuctionStarted {
            auction,
            number,
            lot,
            share_bps,
            start_price,
            floor_price,
            started_at,
            ends_at,
            fees_usdc
        }
    );
    Ok(())
}
