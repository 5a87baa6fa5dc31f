use {
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::{
        bytemuck::{Pod, Zeroable},
        prelude::*,
    },
    ionet_common::{calendar::HOUR, supply::BPS},
};

/// Rewarded by [`Class::pool`]: each pool has its own part of an hour.
pub const POOL_COUNT: u8 = 2;
/// Kinds of processors: GPU, CPU, Apple's chips.
pub const KIND_COUNT: u8 = 3;

/// What a lease is paid in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Currency {
    Io,
    Usdc,
}

/// Lowest and highest prices of a class, base units for a processor and hour; zeros where it isn't leased
/// for the currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
#[repr(C)]
pub struct Bounds {
    pub low_io: u64,
    pub high_io: u64,
    pub low_usdc: u64,
    pub high_usdc: u64,
}

// SAFETY: repr(C), every field is plain data, and the fields leave no gap.
unsafe impl Zeroable for Bounds {}
unsafe impl Pod for Bounds {}

/// A new class's prices with their bounds, base units for a processor and hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
#[repr(C)]
pub struct ClassPrices {
    pub price_io: u64,
    pub low_io: u64,
    pub high_io: u64,
    pub price_usdc: u64,
    pub low_usdc: u64,
    pub high_usdc: u64,
}

// SAFETY: repr(C), every field is plain data, and the fields leave no gap.
unsafe impl Zeroable for ClassPrices {}
unsafe impl Pod for ClassPrices {}

/// What a processor costs for an hour in one currency, as it holds at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Base units; 0 when the class isn't leased for the currency.
    pub amount: u64,
    /// Its bounds, base units: what a lease may cost when the price is stale.
    pub low: u64,
    pub high: u64,
    /// Nobody renewed it for so long that it binds no more: a lease costs what the device asks.
    pub stale: bool,
}

/// `price` after a step of so many basis points: up rounds up, down rounds down, within its bounds. No
/// price comes out of 0, and none falls to it.
pub fn next_price(price: u64, step: i16, low: u64, high: u64) -> u64 {
    if price == 0 {
        return 0;
    }
    // The unsigned way: there is no signed division on chain. A price of MAX_PRICE leaves room for it.
    let part = price * step.unsigned_abs() as u64;
    let moved = if step > 0 { price + part.div_ceil(BPS) } else { price - part.div_ceil(BPS) };
    moved.min(high).max(low).max(1)
}

/// A kind of processor, what it earns, and what a lease of it costs.
///
/// What is announced holds from its time on by itself; [`Class::settle`] only writes it down.
#[account]
pub struct Class {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// The class's number.
    pub id: u16,
    /// Weight of a processor in hundredths; 0 earns nothing.
    pub multiplier: u16,
    /// Takes the multiplier's place from `pending_at` on.
    pub pending_multiplier: u16,
    /// When the pending multiplier takes effect, unix seconds; 0 when there is none.
    pub pending_at: u64,
    /// 0 Enterprise, 1 Community.
    pub pool: u8,
    /// 0 GPU, 1 CPU, 2 Apple.
    pub kind: u8,
    /// Announced step of the price in IO, basis points; holds from two hours after `price_hour` began.
    pub next_io: i16,
    /// Announced step of the price in USDC, basis points.
    pub next_usdc: i16,
    pub _pad: [u8; 2],
    /// Name, UTF-8, padded with zeros.
    pub name: [u8; 24],
    /// Price of a processor for an hour, base units of IO; 0 when the class isn't leased for IO.
    pub price_io: u64,
    /// Price of a processor for an hour, base units of USDC; 0 when the class isn't leased for USDC.
    pub price_usdc: u64,
    /// Bounds of the prices in force.
    pub bounds: Bounds,
    /// Bounds that take their place from `bounds_at` on.
    pub next_bounds: Bounds,
    /// When the next bounds hold, unix seconds; 0 when there are none.
    pub bounds_at: u64,
    /// When the class can be leased first, unix seconds; never when the guardian cancelled it before.
    pub opens_at: u64,
    /// The last hour whose step was applied, from 1970; 0 for none.
    pub price_hour: u32,
    pub _pad2: [u8; 4],
    /// For later versions; zero.
    pub _reserved: [u8; 32],
}

/// When a class that the guardian cancelled opens.
const NEVER: u64 = u64::MAX;

impl Class {
    /// The multiplier in force at `now`, hundredths.
    pub fn multiplier(&self, now: u64) -> u16 {
        if self.pending_at > 0 && now >= self.pending_at {
            self.pending_multiplier
        } else {
            self.multiplier
        }
    }

    /// `200 IO * max(1, multiplier) * processors`, base units.
    pub fn minimum(&self, processors: u8, now: u64) -> Result<u64> {
        let multiplier = (self.multiplier(now) as u64).max(MULTIPLIER_UNIT);
        let hundredth = MIN_STAKE / MULTIPLIER_UNIT;
        let minimum = hundredth.checked_mul(multiplier).and_then(|each| each.checked_mul(processors as u64));
        Ok(minimum.ok_or(E::Overflow)?)
    }

    /// What a processor costs at `now`: what is announced and holds by then is in it, in the order of time.
    pub fn price(&self, currency: Currency, now: u64) -> Price {
        let (Bounds { low_io, high_io, low_usdc, high_usdc }, next) = (self.bounds, self.next_bounds);
        let (amount, step, now_in, next_in) = match currency {
            Currency::Io => (self.price_io, self.next_io, (low_io, high_io), (next.low_io, next.high_io)),
            Currency::Usdc => {
                (self.price_usdc, self.next_usdc, (low_usdc, high_usdc), (next.low_usdc, next.high_usdc))
            }
        };
        let (mut amount, (mut low, mut high)) = (amount, now_in);
        let (moves, bound) = (step != 0 && now >= self.step_at(), self.bound(now));
        let moves_first = moves && !(bound && self.bounds_at < self.step_at());
        if moves_first {
            amount = next_price(amount, step, low, high);
        }
        if bound {
            (low, high) = next_in;
            amount = amount.min(high).max(low);
        }
        if moves && !moves_first {
            amount = next_price(amount, step, low, high);
        }
        let stale = self.price_hour > 0 && now >= self.step_at() + STALE;
        Price { amount, low, high, stale }
    }

    /// Refuses before the class opens.
    pub fn require_open(&self, now: u64) -> Result<()> {
        require!(now >= self.opens_at, E::ClassNotOpen);
        Ok(())
    }

    /// Announces a new class: it opens, and its multiplier holds, after `notice` seconds.
    pub fn open(&mut self, multiplier: u16, prices: &ClassPrices, notice: u64, now: u64) -> Result<()> {
        let ClassPrices { low_io, high_io, low_usdc, high_usdc, .. } = *prices;
        self.price_io = prices.price_io;
        self.price_usdc = prices.price_usdc;
        self.bounds = Bounds { low_io, high_io, low_usdc, high_usdc };
        self.opens_at = now.checked_add(notice).ok_or(E::Overflow)?;
        self.change(multiplier, notice, now)
    }

    /// Proposes another multiplier, in force after `notice` seconds.
    pub fn change(&mut self, multiplier: u16, notice: u64, now: u64) -> Result<()> {
        require!(self.opens_at != NEVER, E::ClassNotOpen);
        self.multiplier = self.multiplier(now);
        self.pending_multiplier = multiplier;
        self.pending_at = now.checked_add(notice).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// Proposes other bounds, in force after `notice` seconds; the price is brought within them then. So a
    /// currency begins at its lowest price, and one whose bounds are 0 ends.
    pub fn change_bounds(&mut self, bounds: &Bounds, notice: u64, now: u64) -> Result<()> {
        require!(self.opens_at != NEVER, E::ClassNotOpen);
        self.settle(now);
        self.next_bounds = *bounds;
        self.bounds_at = now.checked_add(notice).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// The guardian's veto: drops what is announced and doesn't hold yet but the price's step. A class that
    /// isn't open yet never opens.
    pub fn cancel(&mut self, now: u64) -> Result<()> {
        let opening = now < self.opens_at && self.opens_at != NEVER;
        let (multiplier, bounds) = (now < self.pending_at, now < self.bounds_at);
        require!(opening || multiplier || bounds, E::NothingProposed);
        if opening {
            self.opens_at = NEVER;
        }
        if multiplier {
            self.pending_multiplier = 0;
            self.pending_at = 0;
        }
        if bounds {
            self.next_bounds = Bounds::zeroed();
            self.bounds_at = 0;
        }
        self.invariant()
    }

    /// Announces the steps of hour number `hour`, which hold from two hours after it began. The steps and
    /// bounds before them are written down first.
    pub fn step(&mut self, hour: u32, step_io: i16, step_usdc: i16, now: u64) -> Result<()> {
        self.require_open(now)?;
        require!(hour > self.price_hour, E::StepApplied);
        let most = MAX_STEP.unsigned_abs();
        require!(step_io.unsigned_abs() <= most && step_usdc.unsigned_abs() <= most, E::StepTooLarge);
        self.settle(now);
        self.price_hour = hour;
        self.next_io = step_io;
        self.next_usdc = step_usdc;
        self.invariant()
    }

    /// The guardian's veto of announced steps, before they hold: the prices stay.
    pub fn cancel_step(&mut self, now: u64) -> Result<()> {
        let announced = self.next_io != 0 || self.next_usdc != 0;
        require!(announced && now < self.step_at(), E::NothingProposed);
        self.next_io = 0;
        self.next_usdc = 0;
        self.invariant()
    }

    /// Writes down what holds at `now` of the prices and their bounds.
    pub fn settle(&mut self, now: u64) {
        self.price_io = self.price(Currency::Io, now).amount;
        self.price_usdc = self.price(Currency::Usdc, now).amount;
        if now >= self.step_at() {
            self.next_io = 0;
            self.next_usdc = 0;
        }
        if self.bound(now) {
            self.bounds = self.next_bounds;
            self.next_bounds = Bounds::zeroed();
            self.bounds_at = 0;
        }
    }

    /// From when on the last step holds, unix seconds.
    fn step_at(&self) -> u64 {
        (self.price_hour as u64 + 2) * HOUR
    }

    /// Whether the next bounds hold.
    fn bound(&self, now: u64) -> bool {
        self.bounds_at > 0 && now >= self.bounds_at
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(
            self.name[0] != 0
                && self.pool < POOL_COUNT
                && self.kind < KIND_COUNT
                && self.multiplier <= MAX_MULTIPLIER
                && self.pending_multiplier <= MAX_MULTIPLIER,
            E::ClassInvalid
        );
        let Bounds { low_io, high_io, low_usdc, high_usdc } = self.bounds;
        let priced =
            is_price(low_io, self.price_io, high_io) && is_price(low_usdc, self.price_usdc, high_usdc);
        let next = self.next_bounds;
        let bounded = is_price(next.low_io, next.low_io, next.high_io)
            && is_price(next.low_usdc, next.low_usdc, next.high_usdc);
        require!(priced && bounded, E::PricesInvalid);
        Ok(())
    }
}

/// Whether a price is one within its bounds, or none at all.
fn is_price(low: u64, price: u64, high: u64) -> bool {
    low <= price && price <= high && high <= MAX_PRICE && (low > 0 || high == 0)
}
