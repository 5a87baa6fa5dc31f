//! One event for each change of state, sent by self-CPI: logs can be cut, inner instructions can't.
//! From these alone a reader rebuilds every balance. Amounts are base units, times unix seconds,
//! prices base units of IO per USDC.

use {crate::state::Params, anchor_lang::prelude::*};

/// The config and the fee vaults exist.
#[event]
pub struct Initialized {
    pub admin: Address,
    pub guardian: Address,
    pub io_mint: Address,
    pub usdc_mint: Address,
    pub io_vault: Address,
    pub usdc_vault: Address,
    pub params: Params,
}

/// Parameters were proposed, in force from `at` on once applied.
#[event]
pub struct ParamsProposed {
    pub params: Params,
    pub at: u64,
}

/// The guardian dropped the proposal.
#[event]
pub struct ParamsCancelled {
    pub revision: u32,
}

/// The proposal is in force, from the next auction on.
#[event]
pub struct ParamsApplied {
    pub revision: u32,
}

/// The guardian set or lifted a pause.
#[event]
pub struct PauseSet {
    pub mask: u32,
    pub until: u64,
    /// The open auction takes no more bids.
    pub voided: bool,
}

/// The admin named a successor (zero withdraws the proposal).
#[event]
pub struct AdminProposed {
    pub admin: Address,
    pub pending: Address,
}

/// The successor took over.
#[event]
pub struct AdminChanged {
    pub from: Address,
    pub to: Address,
}

/// The admin named another guardian, who may accept from `at` on (zeros withdraw the proposal).
#[event]
pub struct GuardianProposed {
    /// In office until then.
    pub guardian: Address,
    pub pending: Address,
    pub at: u64,
}

/// Another guardian took over.
#[event]
pub struct GuardianChanged {
    pub from: Address,
    pub to: Address,
}

/// The admin announced what the first auction refers to; it can start from `at` on.
#[event]
pub struct FirstPriceProposed {
    pub price: u64,
    pub at: u64,
}

/// The guardian dropped the first price.
#[event]
pub struct FirstPriceCancelled {
    pub price: u64,
}

/// A lot is for sale.
#[event]
pub struct AuctionStarted {
    pub auction: Address,
    pub number: u32,
    pub lot: u64,
    /// How much of a whole lot that is, basis points; more than that where the smallest lot is more.
    pub share_bps: u32,
    pub start_price: u64,
    pub floor_price: u64,
    pub started_at: u64,
    pub ends_at: u64,
    /// USDC that has come into the vault so far.
    pub fees_usdc: u64,
}

/// A bidder burned IO and got the lot.
#[event]
pub struct AuctionSold {
    pub auction: Address,
    pub number: u32,
    pub bidder: Address,
    /// USDC paid to the bidder.
    pub lot: u64,
    /// IO burned.
    pub cost: u64,
    pub price: u64,
    pub at: u64,
    /// What the next auction's start price and lot follow.
    pub anchor_price: u64,
    /// The next lot is at most this part of a whole one, basis points.
    pub next_share_bps: u32,
    /// USDC that has come into the vault so far.
    pub fees_usdc: u64,
    /// USDC sold by all auctions so far.
    pub usdc_sold: u64,
    /// IO burned by all auctions so far.
    pub burned: u64,
}

/// The network's own record of a sale: USDC went out, IO was bought back.
#[event]
pub struct Repurchase {
    /// The auction's address.
    pub cluster_id: Address,
    /// USDC.
    pub amount_in: u64,
    /// IO.
    pub amount_out: u64,
}

/// Nobody took the lot: it stays in the vault.
#[event]
pub struct AuctionUnsold {
    pub auction: Address,
    pub number: u32,
    pub lot: u64,
    /// Bids were stopped during it, so that it says nothing about the price.
    pub void: bool,
    /// What the next auction's floor follows.
    pub reference_price: u64,
    pub at: u64,
}

/// Fees in IO were burned.
#[event]
pub struct FeesBurned {
    pub amount: u64,
    /// IO that has come into the vault so far, all burned.
    pub fees_io: u64,
}
