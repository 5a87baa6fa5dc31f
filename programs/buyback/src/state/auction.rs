use {
    crate::{constants::*, errors::BuybackError as E},
    anchor_lang::prelude::*,
    ionet_common::{
        math::{mul_div_ceil, mul_div_floor},
        supply::BPS,
    },
};

/// The lot is for sale, or was and nobody has closed the auction yet.
pub const STATUS_OPEN: u8 = 0;
/// A bidder took the lot.
pub const STATUS_SOLD: u8 = 1;
/// Nobody did.
pub const STATUS_UNSOLD: u8 = 2;
/// Bids were stopped during it.
pub const STATUS_VOID: u8 = 3;

/// One auction: what it sells, its path of prices, what became of it. Never closed, so that the
/// history of prices can be read from accounts alone.
#[account]
pub struct Auction {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// 0 open, 1 sold, 2 unsold, 3 void.
    pub status: u8,
    pub _pad: u8,
    /// Its number, from 0.
    pub number: u32,
    /// For sale, whole: base units of USDC.
    pub lot: u64,
    /// Price at the start, base units of IO per USDC.
    pub start_price: u64,
    /// Price that it falls to.
    pub floor_price: u64,
    /// Unix seconds.
    pub started_at: u64,
    /// From then on nobody can bid, unix seconds.
    pub ends_at: u64,
    /// When it was sold or closed, unix seconds; 0 while it is open.
    pub closed_at: u64,
    /// Price that the lot was sold at; 0 when it was not.
    pub price: u64,
    /// IO burned for it, base units.
    pub cost: u64,
    /// Who took it; zero when nobody did.
    pub bidder: Address,
    /// How much of a whole lot it sells, basis points; more than that where the smallest lot is more.
    pub share_bps: u32,
    /// For later versions; zero.
    pub _reserved: [u8; 28],
}

/// A price, and what the lot costs at it (base units of IO).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    pub price: u64,
    pub cost: u64,
}

impl Auction {
    /// Price at `now`, base units of IO per USDC: linear from start to floor, rounded up.
    pub fn price(&self, now: u64) -> Result<u64> {
        let elapsed = now.checked_sub(self.started_at).ok_or(E::InvalidClock)?;
        require!(now < self.ends_at, E::AuctionOver);
        let fall = self.start_price.checked_sub(self.floor_price).ok_or(E::InvariantViolated)?;
        let duration = self.ends_at - self.started_at;
        let fallen = mul_div_floor(fall, elapsed, duration).ok_or(E::Overflow)?;
        Ok(self.start_price.checked_sub(fallen).ok_or(E::InvariantViolated)?)
    }

    /// `ceil(lot * price / 1 USDC)`, base units of IO, never 0.
    pub fn cost(&self, price: u64) -> Result<u64> {
        Ok(mul_div_ceil(self.lot, price, USDC).ok_or(E::Overflow)?)
    }

    /// Gives the lot to `bidder`, who pays at most `max_io` for at least `min_usdc`.
    pub fn sell(&mut self, bidder: &Address, max_io: u64, min_usdc: u64, now: u64) -> Result<Sale> {
        require!(self.status == STATUS_OPEN, E::AuctionClosed);
        let price = self.price(now)?;
        let cost = self.cost(price)?;
        require!(cost <= max_io, E::CostAboveLimit);
        require!(self.lot >= min_usdc, E::LotBelowLimit);
        self.status = STATUS_SOLD;
        self.closed_at = now;
        self.price = price;
        self.cost = cost;
        self.bidder = *bidder;
        self.invariant()?;
        Ok(Sale { price, cost })
    }

    /// Ends it without a sale, once its time is over.
    pub fn end_unsold(&mut self, void: bool, now: u64) -> Result<()> {
        require!(self.status == STATUS_OPEN, E::AuctionClosed);
        require!(now >= self.ends_at, E::AuctionRunning);
        self.status = if void { STATUS_VOID } else { STATUS_UNSOLD };
        self.closed_at = now;
        self.invariant()
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        let sold = self.status == STATUS_SOLD;
        require!(
            self.lot > 0
                && (MIN_SHARE_BPS..=BPS as u32).contains(&self.share_bps)
                && self.floor_price > 0
                && self.floor_price <= self.start_price
                && self.started_at < self.ends_at
                && (self.status == STATUS_OPEN) == (self.closed_at == 0)
                && sold == (self.cost > 0)
                && (!sold || (self.floor_price..=self.start_price).contains(&self.price)),
            E::InvariantViolated
        );
        Ok(())
    }
}
