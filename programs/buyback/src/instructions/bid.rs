use {
    super::now,
    crate::{
        constants::*,
        errors::BuybackError as E,
        events::{AuctionSold, Repurchase},
        state::{Auction, Config, Known},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::{
        emit_event,
        supply::IO_DECIMALS,
        token::{burn, transfer},
    },
};

/// Takes the whole lot of the open auction: the bidder's IO is burned, the USDC is paid out.
#[event_cpi]
#[derive(Accounts)]
pub struct Bid {
    pub bidder: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub auction: Known<Auction>,
    #[account(mut, address = config.io_mint @ E::WrongAccount)]
    pub io_mint: UncheckedAccount,
    /// What the bidder pays from; the token program checks owner and mint.
    #[account(mut)]
    pub bidder_io: UncheckedAccount,
    #[account(mut, address = config.usdc_vault @ E::WrongAccount)]
    pub usdc_vault: Account<TokenAccount>,
    /// Where the bidder wants the lot; the token program checks the mint.
    #[account(mut)]
    pub bidder_usdc: UncheckedAccount,
    pub token_program: Program<Token>,
}

/// At most `max_io` for at least `min_usdc`, base units.
pub fn bid(ctx: &mut Context<Bid>, max_io: u64, min_usdc: u64) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_BID, at)?;
    let bidder = *a.bidder.address();
    let sale = a.auction.sell(&bidder, max_io, min_usdc, at)?;
    let (lot, cost, price) = (a.auction.lot, sale.cost, sale.price);
    a.config.sell(a.usdc_vault.amount(), lot, a.auction.share_bps, sale)?;
    burn(
        a.token_program.address(),
        a.bidder_io.cpi_handle_mut(),
        a.io_mint.cpi_handle_mut(),
        a.bidder.cpi_handle(),
        cost,
        IO_DECIMALS,
        &[],
    );
    let bump = [a.config.bump];
    transfer(
        a.token_program.address(),
        a.usdc_vault.cpi_handle_mut(),
        a.bidder_usdc.cpi_handle_mut(),
        a.config.cpi_handle(),
        lot,
        &[&[CONFIG_SEED, &bump]],
    );
    let (auction, number) = (*a.auction.address(), a.auction.number);
    let config = &a.config;
    let (anchor_price, next_share_bps) = (config.anchor_price, config.next_share_bps);
    let (fees_usdc, usdc_sold, burned) = (config.fees_usdc, config.usdc_sold, config.burned_auctions);
    emit_event!(
        ctx,
        AuctionSold {
            auction,
            number,
            bidder,
            lot,
            cost,
            price,
            at,
            anchor_price,
            next_share_bps,
            fees_usdc,
            usdc_sold,
            burned
        }
    );
    emit_event!(ctx, Repurchase { cluster_id: auction, amount_in: lot, amount_out: cost });
    Ok(())
}
