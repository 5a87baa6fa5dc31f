use {
    super::{Params, Sale},
    crate::{constants::*, errors::BuybackError as E},
    anchor_lang::prelude::*,
    ionet_common::{
        math::{mul_div_ceil, mul_div_floor},
        pause_of, proposal_of, roles, roles_of,
        supply::BPS,
    },
};

/// The program's one root account: roles, parameters, and every total.
#[account]
pub struct Config {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// 1 while an auction is open; its number is `started - 1`.
    pub open: PodBool,
    /// 1 when a pause stopped bids while the open auction ran.
    pub void: PodBool,
    /// Operations that the guardian stopped, by bit.
    pub pause_mask: u32,
    /// When the pause lapses, unix seconds.
    pub pause_until: u64,
    /// May propose changes, a guardian, and the first price.
    pub admin: Address,
    /// Proposed successor of the admin, zero when there is none.
    pub pending_admin: Address,
    /// May pause and drop proposals; can never move tokens.
    pub guardian: Address,
    /// The IO mint.
    pub io_mint: Address,
    /// The USDC mint.
    pub usdc_mint: Address,
    /// Holds fees in IO until they are burned.
    pub io_vault: Address,
    /// Holds fees in USDC until they are sold.
    pub usdc_vault: Address,
    /// Tokenomics' config, the IO mint's authority.
    pub tokenomics: Address,
    /// IO that has come into its vault, as seen when fees were last burned, base units.
    pub fees_io: u64,
    /// USDC that has come into its vault, as seen at the last start or sale, base units.
    pub fees_usdc: u64,
    /// IO burned out of the vault so far, base units.
    pub burned_fees: u64,
    /// IO burned by bidders so far, base units.
    pub burned_auctions: u64,
    /// USDC sold so far, base units.
    pub usdc_sold: u64,
    /// What the next auction's floor follows, base units of IO per USDC: the last sale's price, or the
    /// lowest that nobody paid since. 0 until the first auction takes the first price.
    pub reference_price: u64,
    /// What the next auction's start price and lot follow, base units of IO per USDC: what bidders paid. A
    /// higher sale sets it, a lower one draws it down slowly. 0 before the first sale.
    pub anchor_price: u64,
    /// When the last auction started, unix seconds: the next start is at least [`INTERVAL`] later.
    pub waiting_since: u64,
    /// Auctions so far; the next one's number.
    pub started: u32,
    /// Auctions whose lot was taken.
    pub sold: u32,
    /// Auctions that were closed without a sale.
    pub unsold: u32,
    /// The next lot is at most this part of a whole one, basis points: after a sale, twice what was sold.
    pub next_share_bps: u32,
    /// Announced by the admin for the first auction, base units of IO per USDC.
    pub first_price: u64,
    /// When that auction may start, unix seconds; 0 when no first price is announced, or it is used.
    pub first_price_at: u64,
    /// In force; an auction keeps what it started with.
    pub params: Params,
    /// Proposed, in force from `pending_at` on once somebody applies it.
    pub pending: Params,
    /// When the proposal may be applied, unix seconds; 0 when there is none.
    pub pending_at: u64,
    /// Raised whenever the parameters change.
    pub revision: u32,
    pub _pad: [u8; 4],
    /// Proposed successor of the guardian, zero when there is none.
    pub pending_guardian: Address,
    /// When it may accept, unix seconds; 0 when there is none.
    pub guardian_at: u64,
    /// For later versions; zero.
    pub _reserved: [u64; 7],
}

/// What an auction starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Base units of USDC.
    pub lot: u64,
    /// How much of a whole lot that is, basis points.
    pub share_bps: u32,
    /// Base units of IO per USDC.
    pub start_price: u64,
    pub floor_price: u64,
    /// Unix seconds.
    pub ends_at: u64,
}

impl Config {
    /// Fills both offices and sets the parameters, for the first time.
    pub fn begin(&mut self, admin: Address, guardian: Address, params: Params) -> Result<()> {
        params.check()?;
        self.params = params;
        self.next_share_bps = FIRST_SHARE_BPS;
        roles_of!(self).appoint(admin, guardian).map_err(E::from)?;
        self.invariant()
    }

    /// Refuses while one of the operations of `mask` is stopped: a pause lapses by itself.
    pub fn require_running(&self, mask: u32, now: u64) -> Result<()> {
        Ok(roles::require_running(self.pause_mask, self.pause_until, mask, now).map_err(E::from)?)
    }

    /// Stops the operations of `mask` until `until`; a mask of 0 lifts the pause. Returns whether the
    /// open auction is void now.
    ///
    /// Stopping bids voids it: otherwise a guardian could let the price fall with nobody allowed to
    /// bid, and lift the pause for a friend.
    pub fn set_pause(&mut self, mask: u32, until: u64, now: u64) -> Result<bool> {
        pause_of!(self).set(mask, PAUSE_START | PAUSE_BID, until, now).map_err(E::from)?;
        if bool::from(self.open) && mask & PAUSE_BID != 0 && now < until {
            self.void = true.into();
        }
        self.invariant()?;
        Ok(self.void.into())
    }

    /// Proposes parameters, in place of an earlier proposal. Returns when they may be applied.
    pub fn propose(&mut self, params: Params, now: u64) -> Result<u64> {
        params.check()?;
        let notice = self.params.notice;
        let at = proposal_of!(self).propose(params, notice, params.notice, now).map_err(E::from)?;
        self.invariant()?;
        Ok(at)
    }

    /// Drops the proposal: the guardian's veto.
    pub fn cancel(&mut self) -> Result<()> {
        proposal_of!(self).cancel().map_err(E::from)?;
        self.invariant()
    }

    /// Puts the proposal in force, once its notice is over. Returns the revision.
    pub fn apply(&mut self, now: u64) -> Result<u32> {
        let revision = proposal_of!(self).apply(now).map_err(E::from)?;
        self.invariant()?;
        Ok(revision)
    }

    /// Names the next admin; zero withdraws.
    pub fn propose_admin(&mut self, pending: Address) -> Result<()> {
        roles_of!(self).propose_admin(pending);
        self.invariant()
    }

    /// Puts the proposed admin in office. Returns the one before.
    pub fn accept_admin(&mut self) -> Result<Address> {
        let from = roles_of!(self).accept_admin().map_err(E::from)?;
        self.invariant()?;
        Ok(from)
    }

    /// Names another guardian; zero withdraws. Returns when it may accept, 0 when there is none.
    pub fn propose_guardian(&mut self, pending: Address, now: u64) -> Result<u64> {
        let notice = self.params.notice;
        let at = roles_of!(self).propose_guardian(pending, notice, now).map_err(E::from)?;
        self.invariant()?;
        Ok(at)
    }

    /// Puts the proposed guardian in office, once the notice is over. Returns the one before.
    pub fn accept_guardian(&mut self, now: u64) -> Result<Address> {
        let from = roles_of!(self).accept_guardian(now).map_err(E::from)?;
        self.invariant()?;
        Ok(from)
    }

    /// Announces what the first auction refers to, in place of an earlier announcement. Returns when that
    /// auction may start.
    ///
    /// Not at once: who sets a price and buys at it in one transaction would name what it pays.
    pub fn propose_first_price(&mut self, price: u64, now: u64) -> Result<u64> {
        require!(self.reference_price == 0, E::FirstPriceSet);
        require!((self.params.min_price..=MAX_PRICE).contains(&price), E::PriceOutOfBounds);
        self.first_price = price;
        self.first_price_at = now.checked_add(self.params.notice).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(self.first_price_at)
    }

    /// Drops the first price while no auction has used it: the guardian's veto. Returns it.
    pub fn cancel_first_price(&mut self) -> Result<u64> {
        require!(self.first_price_at > 0, E::NothingProposed);
        self.first_price_at = 0;
        self.invariant()?;
        Ok(core::mem::take(&mut self.first_price))
    }

    /// Makes the announced first price the reference, once its notice is over.
    fn use_first_price(&mut self, now: u64) -> Result<()> {
        require!(self.first_price_at > 0, E::NoFirstPrice);
        require!(now >= self.first_price_at, E::NoticeNotOver);
        self.reference_price = core::mem::take(&mut self.first_price);
        self.first_price_at = 0;
        Ok(())
    }

    /// How much of a whole lot the next auction sells, basis points.
    ///
    /// As much less as its prices are below what bidders paid: whoever has waited for a price gets little at
    /// it. And at most [`SHARE_GROWTH`] times what was sold last, as one sale of a small lot says little.
    pub fn share_bps(&self) -> Result<u32> {
        // Nobody has paid anything before the first sale: the lot that the first price gets is the limit.
        let by_price = match self.anchor_price {
            0 => BPS,
            anchor => mul_div_floor(self.reference_price, BPS, anchor).ok_or(E::Overflow)?,
        };
        Ok((by_price.min(self.next_share_bps as u64) as u32).max(MIN_SHARE_BPS))
    }

    /// Starts auction `number` on what the vault holds; nothing about it is the caller's choice.
    pub fn start(&mut self, number: u32, balance: u64, now: u64) -> Result<Terms> {
        self.require_running(PAUSE_START | PAUSE_BID, now)?;
        require!(!bool::from(self.open), E::AuctionOpen);
        require!(number == self.started, E::WrongNumber);
        if self.reference_price == 0 {
            self.use_first_price(now)?;
        }
        let due = self.waiting_since.checked_add(INTERVAL).ok_or(E::Overflow)?;
        require!(now >= due, E::TooEarly);
        self.count_usdc(balance)?;
        let Params { min_lot, max_lot, min_price, floor_bps, start_bps, .. } = self.params;
        require!(balance >= min_lot, E::LotTooSmall);
        let share_bps = self.share_bps()?;
        let lot = mul_div_floor(balance.min(max_lot), share_bps as u64, BPS).ok_or(E::Overflow)?.max(min_lot);
        let floor = mul_div_floor(self.reference_price, floor_bps as u64, BPS);
        let floor_price = floor.ok_or(E::Overflow)?.max(min_price);
        let start = mul_div_ceil(self.anchor_price.max(self.reference_price), start_bps as u64, BPS);
        let widest = floor_price.checked_mul(MAX_SPREAD).ok_or(E::Overflow)?.min(MAX_PRICE);
        let start_price = start.ok_or(E::Overflow)?.max(floor_price).min(widest);
        let ends_at = now.checked_add(self.params.duration).ok_or(E::Overflow)?;
        self.open = true.into();
        self.waiting_since = now;
        self.started = number.checked_add(1).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(Terms { lot, share_bps, start_price, floor_price, ends_at })
    }

    /// Counts the sale of `lot`, this share of a whole one, out of a vault that holds `balance`.
    pub fn sell(&mut self, balance: u64, lot: u64, share_bps: u32, sale: Sale) -> Result<()> {
        require!(!bool::from(self.void), E::AuctionVoid);
        require!(balance >= lot, E::VaultShort);
        self.count_usdc(balance)?;
        self.usdc_sold = self.usdc_sold.checked_add(lot).ok_or(E::Overflow)?;
        self.burned_auctions = self.burned_auctions.checked_add(sale.cost).ok_or(E::Overflow)?;
        self.reference_price = sale.price;
        self.anchor_price = match self.anchor_price.checked_sub(sale.price) {
            Some(above) => {
                let fall = mul_div_floor(above, share_bps as u64, BPS * ANCHOR_FALL).ok_or(E::Overflow)?;
                self.anchor_price - fall
            }
            None => sale.price,
        };
        self.next_share_bps = (share_bps * SHARE_GROWTH).min(BPS as u32);
        self.sold = self.sold.checked_add(1).ok_or(E::Overflow)?;
        self.open = false.into();
        self.invariant()
    }

    /// Counts an auction that nobody took.
    ///
    /// Its floor, the lowest price that nobody paid, is what the next one's floor follows: so a price that
    /// is too high is reached within days, by ever smaller lots. A void one says nothing about the price.
    pub fn end_unsold(&mut self, floor_price: u64) -> Result<()> {
        if !bool::from(core::mem::replace(&mut self.void, false.into())) {
            self.reference_price = floor_price;
        }
        self.unsold = self.unsold.checked_add(1).ok_or(E::Overflow)?;
        self.open = false.into();
        self.invariant()
    }

    /// Counts what is burned out of the IO vault: all that it holds.
    pub fn burn_fees(&mut self, balance: u64) -> Result<()> {
        require!(balance > 0, E::NothingToBurn);
        self.burned_fees = self.burned_fees.checked_add(balance).ok_or(E::Overflow)?;
        self.fees_io = self.burned_fees;
        self.invariant()
    }

    /// What came into the USDC vault is what it holds and what was sold: nothing else goes out.
    fn count_usdc(&mut self, balance: u64) -> Result<()> {
        let fees = balance.checked_add(self.usdc_sold).ok_or(E::Overflow)?;
        require!(fees >= self.fees_usdc, E::InvariantViolated);
        self.fees_usdc = fees;
        Ok(())
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        let ended = self.sold.checked_add(self.unsold).ok_or(E::Overflow)?;
        let open = u32::from(bool::from(self.open));
        require!(
            self.started.checked_sub(ended) == Some(open)
                && (open == 1 || !bool::from(self.void))
                && (self.started == 0 || self.reference_price > 0)
                && (self.started == 0 || self.first_price_at == 0)
                && self.reference_price <= MAX_PRICE
                && self.anchor_price <= MAX_PRICE
                && (MIN_SHARE_BPS..=BPS as u32).contains(&self.next_share_bps)
                && self.usdc_sold <= self.fees_usdc
                && self.burned_fees == self.fees_io,
            E::InvariantViolated
        );
        Ok(())
    }
}
