use {
    super::{Params, Sale},
    crate::{constants::*, errors::BuybackError as E},
    anchor_lang::prelude::*,
    ionet_common::{
        math::{mul_div_ceil, mul_div_floor},
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
    /// May propose changes, name a guardian, and set the first price.
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
    /// What the next auction's prices follow, base units of IO per USDC: the last sale's price, or the
    /// lowest that nobody paid since. 0 until the admin sets the first.
    pub reference_price: u64,
    /// When the last auction started or the first price was set, unix seconds: the next start is at
    /// least [`INTERVAL`] later.
    pub waiting_since: u64,
    /// Auctions so far; the next one's number.
    pub started: u32,
    /// Auctions whose lot was taken.
    pub sold: u32,
    /// Auctions that were closed without a sale.
    pub unsold: u32,
    pub _pad: [u8; 4],
    /// In force; an auction keeps what it started with.
    pub params: Params,
    /// Proposed, in force from `pending_at` on once somebody applies it.
    pub pending: Params,
    /// When the proposal may be applied, unix seconds; 0 when there is none.
    pub pending_at: u64,
    /// Proposed successor of the guardian, zero when there is none.
    pub pending_guardian: Address,
    /// When it may accept, unix seconds; 0 when there is none.
    pub guardian_at: u64,
    /// For later versions; zero.
    pub _reserved: [u64; 11],
}

/// What an auction starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Base units of USDC.
    pub lot: u64,
    /// Base units of IO per USDC.
    pub start_price: u64,
    pub floor_price: u64,
    /// Unix seconds.
    pub ends_at: u64,
}

impl Config {
    /// Refuses while one of the operations of `mask` is stopped: a pause lapses by itself.
    pub fn require_running(&self, mask: u32, now: u64) -> Result<()> {
        require!(self.pause_mask & mask == 0 || now >= self.pause_until, E::Paused);
        Ok(())
    }

    /// Stops the operations of `mask` until `until`; a mask of 0 lifts the pause. Returns whether the
    /// open auction is void now.
    ///
    /// Stopping bids voids it: otherwise a guardian could let the price fall with nobody allowed to
    /// bid, and lift the pause for a friend.
    pub fn set_pause(&mut self, mask: u32, until: u64, now: u64) -> Result<bool> {
        require!(mask & !(PAUSE_START | PAUSE_BID) == 0, E::PauseMaskInvalid);
        require!(until.saturating_sub(now) <= MAX_PAUSE, E::PauseTooLong);
        self.pause_mask = mask;
        self.pause_until = until;
        if bool::from(self.open) && mask & PAUSE_BID != 0 && now < until {
            self.void = true.into();
        }
        self.invariant()?;
        Ok(self.void.into())
    }

    /// Proposes parameters, in place of an earlier proposal.
    pub fn propose(&mut self, params: Params, now: u64) -> Result<()> {
        params.check()?;
        self.pending = params;
        self.pending_at = now.checked_add(self.params.notice).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// Drops the proposal: the guardian's veto.
    pub fn cancel(&mut self) -> Result<()> {
        require!(self.pending_at > 0, E::NothingProposed);
        self.pending_at = 0;
        self.invariant()
    }

    /// Puts the proposal in force, once its notice is over.
    pub fn apply(&mut self, now: u64) -> Result<()> {
        require!(self.pending_at > 0, E::NothingProposed);
        require!(now >= self.pending_at, E::NoticeNotOver);
        self.params = self.pending;
        self.pending_at = 0;
        self.invariant()
    }

    /// Names another guardian, in place of an earlier proposal; zero withdraws it. Returns when the
    /// proposed one may accept, 0 when there is none.
    ///
    /// Not at once: an admin's key in the wrong hands would replace whoever can veto what it proposes.
    pub fn propose_guardian(&mut self, pending: Address, now: u64) -> Result<u64> {
        let at = now.checked_add(self.params.notice).ok_or(E::Overflow)?;
        self.pending_guardian = pending;
        self.guardian_at = if pending == Address::default() { 0 } else { at };
        self.invariant()?;
        Ok(self.guardian_at)
    }

    /// Puts the proposed guardian in office, once the notice is over. Returns the one before.
    pub fn accept_guardian(&mut self, now: u64) -> Result<Address> {
        require!(now >= self.guardian_at, E::GuardianNoticeNotOver);
        let to = core::mem::take(&mut self.pending_guardian);
        let from = core::mem::replace(&mut self.guardian, to);
        self.guardian_at = 0;
        self.invariant()?;
        Ok(from)
    }

    /// Sets the price that the first auction refers to, once; it can start a day later.
    pub fn set_first_price(&mut self, price: u64, now: u64) -> Result<()> {
        require!(self.reference_price == 0, E::FirstPriceSet);
        require!((self.params.min_price..=MAX_PRICE).contains(&price), E::PriceOutOfBounds);
        self.reference_price = price;
        self.waiting_since = now;
        self.invariant()
    }

    /// Starts auction `number` on what the vault holds; nothing about it is the caller's choice.
    pub fn start(&mut self, number: u32, balance: u64, now: u64) -> Result<Terms> {
        self.require_running(PAUSE_START | PAUSE_BID, now)?;
        require!(!bool::from(self.open), E::AuctionOpen);
        require!(number == self.started, E::WrongNumber);
        require!(self.reference_price > 0, E::NoFirstPrice);
        let due = self.waiting_since.checked_add(INTERVAL).ok_or(E::Overflow)?;
        require!(now >= due, E::TooEarly);
        self.count_usdc(balance)?;
        let lot = balance.min(self.params.max_lot);
        require!(lot >= self.params.min_lot, E::LotTooSmall);
        let floor = mul_div_floor(self.reference_price, self.params.floor_bps as u64, BPS);
        let floor_price = floor.ok_or(E::Overflow)?.max(self.params.min_price);
        let start = mul_div_ceil(self.reference_price, self.params.start_bps as u64, BPS);
        let start_price = start.ok_or(E::Overflow)?.max(floor_price).min(MAX_PRICE);
        let ends_at = now.checked_add(self.params.duration).ok_or(E::Overflow)?;
        self.open = true.into();
        self.waiting_since = now;
        self.started = number.checked_add(1).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(Terms { lot, start_price, floor_price, ends_at })
    }

    /// Counts the sale of `lot` out of a vault that holds `balance`.
    pub fn sell(&mut self, balance: u64, lot: u64, sale: Sale) -> Result<()> {
        require!(!bool::from(self.void), E::AuctionVoid);
        require!(balance >= lot, E::VaultShort);
        self.count_usdc(balance)?;
        self.usdc_sold = self.usdc_sold.checked_add(lot).ok_or(E::Overflow)?;
        self.burned_auctions = self.burned_auctions.checked_add(sale.cost).ok_or(E::Overflow)?;
        self.reference_price = sale.price;
        self.sold = self.sold.checked_add(1).ok_or(E::Overflow)?;
        self.open = false.into();
        self.invariant()
    }

    /// Counts an auction that nobody took.
    ///
    /// Its floor, the lowest price that nobody paid, is what the next one refers to: so a price that
    /// is too high falls by the same part each time. A void one says nothing about the price.
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
                && self.reference_price <= MAX_PRICE
                && self.usdc_sold <= self.fees_usdc
                && self.burned_fees == self.fees_io,
            E::InvariantViolated
        );
        Ok(())
    }
}
