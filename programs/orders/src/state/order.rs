use {
    super::{principal, with_fee, Currency, EndReason, Ending, Params, Payment, Terms},
    crate::{constants::*, errors::OrdersError as E},
    anchor_lang::prelude::*,
    ionet_common::math::{fee, mul},
    staking::constants::TICK,
};

/// Whether an order takes devices. When its time for matching is over follows from the clock alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderStatus {
    /// Takes devices while some are open and the time for matching lasts.
    Open = 0,
    /// The renter wants no more devices; leases that are there go on.
    Cancelled = 1,
}

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderAction {
    /// A device is matched.
    Match,
    /// The renter wants no more.
    Cancel,
    /// A lease's money moves, or the order's rest goes back.
    Settle,
}

/// Why an order's account was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CloseReason {
    /// Its leases are done.
    Served = 0,
    /// Nobody served it in time.
    Unserved = 1,
    /// The renter cancelled it before anybody served it.
    Cancelled = 2,
}

impl OrderStatus {
    /// What follows: the one table of an order's states.
    pub fn next(self, action: OrderAction) -> Result<Self> {
        use {OrderAction::*, OrderStatus::*};
        match (self, action) {
            (Open, Match | Settle) => Ok(Open),
            (Open, Cancel) => Ok(Cancelled),
            (Cancelled, Settle) => Ok(Cancelled),
            (Cancelled, Match | Cancel) => Err(E::OrderClosed.into()),
        }
    }
}

/// Who matches a device to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matcher {
    /// An operator, in its turn.
    Operator,
    /// The device's supplier, once the operators had their time.
    Supplier,
}

/// What the renter doesn't want any more, and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// Places that were open.
    pub open: u16,
    /// The renter's fee on an hour of each, base units.
    pub charged: u64,
}

/// What a renter wants and the money that it has put down for it. The order's own vault holds `free`, `held` and
/// `fees_due`. Everything that ever came in is `free`, `held`, `paid`, `fees` or `refunded`.
#[account]
pub struct Order {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// An [`OrderStatus`].
    pub status: u8,
    pub _pad: u8,
    /// Devices that no lease has taken yet.
    pub open: u16,
    /// Lease accounts that are there.
    pub leases: u16,
    /// Leases that were accepted, less those of a gang that ended before it was filled.
    pub served: u16,
    /// The renter's fee on top of a principal, basis points.
    pub renter_fee_bps: u16,
    /// The supplier's fee out of what it is paid, basis points.
    pub supplier_fee_bps: u16,
    /// Where all devices are when they must be together: two ASCII capital letters, ISO 3166-1, the bytes 67, 72 are
    /// `CH`; zero before the first.
    pub country: [u8; 2],
    /// The renter's number for it.
    pub id: u64,
    /// When it was opened, unix seconds.
    pub created_at: u64,
    /// Until then operators alone match it, unix seconds.
    pub exclusive_until: u64,
    /// End of its matching, unix seconds: later when a place opened again.
    pub match_until: u64,
    /// How long a place that opens again is matched, seconds.
    pub match_window: u64,
    /// A worker's time to accept, seconds.
    pub accept_window: u64,
    /// How far settlement stays behind the clock, seconds.
    pub settlement_lag: u64,
    /// When enough leases were accepted for them to run, unix seconds; 0 before.
    pub filled_at: u64,
    /// End of a gang's time to fill, unix seconds; 0 before its first match, and again when it didn't fill and its
    /// leases are closed.
    pub gang_until: u64,
    /// Movements of money so far: the next one's number.
    pub transactions: u64,
    /// Put down so far, base units.
    pub deposit: u64,
    /// In the vault, of no lease, base units.
    pub free: u64,
    /// In the vault, of leases and the renter's fees on them, base units.
    pub held: u64,
    /// To suppliers, without their fees, base units.
    pub paid: u64,
    /// The network's, from the renter and from suppliers, base units.
    pub fees: u64,
    /// Of the fees, still in the vault, base units.
    pub fees_due: u64,
    /// Given back to the renter, base units.
    pub refunded: u64,
    /// Who pays, and gets back what is left.
    pub renter: Address,
    /// The token account that holds the money.
    pub vault: Address,
    /// What is asked for.
    pub terms: Terms,
    /// Places that leases have: those that wait or run, and those that served. Of a gang that isn't filled, the ones
    /// that wait; once it is cancelled, the ones that waited to the end of their time as well.
    pub taken: u16,
    pub _pad2: [u8; 6],
    /// For later versions; zero.
    pub _reserved: [u8; 16],
}

impl Order {
    /// Opens the order and counts what the renter puts down, which is returned: for each device, the principal at
    /// the highest price and the fee on it. Refuses more than `max_deposit`: the fee may have changed since the
    /// renter saw it.
    pub fn open(&mut self, terms: Terms, max_deposit: u64, params: &Params, now: u64) -> Result<u64> {
        terms.check()?;
        self.version = ACCOUNT_VERSION;
        self.terms = terms;
        self.open = terms.devices;
        self.renter_fee_bps = params.renter_bps(&terms)?;
        self.supplier_fee_bps = params.supplier_fee_bps;
        self.created_at = now;
        self.exclusive_until = now.checked_add(params.exclusive).ok_or(E::Overflow)?;
        self.match_window = params.match_window;
        self.match_until = now.checked_add(params.match_window).ok_or(E::Overflow)?;
        self.accept_window = params.accept_window;
        self.settlement_lag = params.settlement_lag;
        let deposit = mul(self.place()?, terms.devices as u64).ok_or(E::Overflow)?;
        require!(deposit <= max_deposit, E::DepositAboveLimit);
        self.put_down(deposit)?;
        self.invariant()?;
        Ok(deposit)
    }

    /// The currency.
    pub fn currency(&self) -> Result<Currency> {
        self.terms.currency()
    }

    /// What is put down for one device, base units.
    pub fn place(&self) -> Result<u64> {
        with_fee(principal(self.terms.rate(self.terms.price)?, self.terms.hours)?, self.renter_fee_bps)
    }

    /// Takes the number of the next movement of money.
    pub fn transaction(&mut self) -> Result<u64> {
        let number = self.transactions;
        self.transactions = number.checked_add(1).ok_or(E::Overflow)?;
        Ok(number)
    }

    /// Refuses an operator out of its turn: in each tick they come one after another, `operator` of `operators`
    /// first where it is the tick's own, and only for orders that the tick's snapshot has.
    pub fn require_turn(&self, tick: u32, operator: usize, operators: usize, now: u64) -> Result<()> {
        let (operator, operators) = (operator as u64, operators as u64);
        let at = mul(tick as u64, TICK).ok_or(E::Overflow)?;
        require!(self.created_at < at, E::TickTooEarly);
        let first = (tick as u64).checked_rem(operators).ok_or(E::NotMatcher)?;
        let place = if operator < first { operator + operators - first } else { operator - first };
        let turn = at + FIRST + TURN * place;
        require!((turn..=at + REACH).contains(&now), E::NotYourTurn);
        Ok(())
    }

    /// Refuses a device's own supplier where the operators alone match.
    pub fn require_open_to_suppliers(&self, now: u64) -> Result<()> {
        require!(now >= self.exclusive_until, E::ExclusiveTime);
        let chooses_country = self.terms.colocated == 1 && self.leases == 0;
        require!(!self.terms.is_gang() && !chooses_country, E::OperatorsOnly);
        Ok(())
    }

    /// Takes a device in `country` for `money`, which is set apart. Returns until when it can be accepted.
    pub fn take_device(&mut self, country: [u8; 2], money: u64, by: Matcher, now: u64) -> Result<u64> {
        self.act(OrderAction::Match)?;
        require!(now < self.match_until, E::MatchingOver);
        self.open = self.open.checked_sub(1).ok_or(E::OrderFull)?;
        let places = self.terms.countries();
        require!(places.is_empty() || places.contains(&country), E::WrongCountry);
        if self.terms.colocated == 1 {
            require!(self.leases == 0 || self.country == country, E::WrongCountry);
            self.country = country;
        }
        self.leases = self.leases.checked_add(1).ok_or(E::Overflow)?;
        // A gang that can't pay for all whom it waits for would keep the first of them for nothing.
        let waits = if self.unfilled_gang() { self.terms.min_devices.saturating_sub(self.taken) } else { 1 };
        require!(mul(money, waits as u64).is_some_and(|all| all <= self.free), E::NotFunded);
        self.taken = self.taken.checked_add(1).ok_or(E::Overflow)?;
        self.free = self.free.checked_sub(money).ok_or(E::NotFunded)?;
        self.held = self.held.checked_add(money).ok_or(E::Overflow)?;
        let accept_until = match by {
            // Its worker accepts in the same transaction.
            Matcher::Supplier => now.checked_add(1).ok_or(E::Overflow)?,
            Matcher::Operator if self.unfilled_gang() => self.gang(now)?,
            Matcher::Operator => now.checked_add(self.accept_window).ok_or(E::Overflow)?,
        };
        self.invariant()?;
        Ok(accept_until)
    }

    /// The time that a gang has to fill, from its first match on: its workers all have the same, and each one of them
    /// at least half of it.
    fn gang(&mut self, now: u64) -> Result<u64> {
        if self.gang_until == 0 {
            self.gang_until = now.checked_add(self.accept_window).ok_or(E::Overflow)?;
        }
        let left = self.gang_until.saturating_sub(now);
        require!(left > 0 && left >= self.accept_window / 2, E::GangOver);
        Ok(self.gang_until)
    }

    /// Wants no more devices. Before the end of its matching that costs the fee on an hour of each open place, or
    /// orders that nobody means could keep devices from others for nothing.
    pub fn cancel(&mut self, now: u64) -> Result<Cancelled> {
        require!(self.open > 0 || self.status != OrderStatus::Open as u8, E::NothingToCancel);
        self.stop(now)
    }

    fn stop(&mut self, now: u64) -> Result<Cancelled> {
        self.act(OrderAction::Cancel)?;
        let open = core::mem::take(&mut self.open);
        let charged = if now < self.match_until { self.charge(open)? } else { 0 };
        self.invariant()?;
        Ok(Cancelled { open, charged })
    }

    /// A lease was accepted. With the last that the gang waits for, it is filled; an order without one with the first.
    pub fn accept(&mut self, now: u64) -> Result<()> {
        self.act(OrderAction::Settle)?;
        // Past 65,535 it tells nothing new, and must not keep a worker from accepting.
        self.served = self.served.saturating_add(1);
        if self.filled_at == 0 && self.served >= self.terms.min_devices {
            self.filled_at = now;
        }
        self.invariant()
    }

    /// Money came in for more hours of a lease: their principal and the renter's fee on it.
    pub fn extend(&mut self, amount: u64) -> Result<()> {
        self.act(OrderAction::Settle)?;
        self.put_down(amount)?;
        self.free = self.free.checked_sub(amount).ok_or(E::InvariantViolated)?;
        self.held = self.held.checked_add(amount).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// A lease ended: its place is open again if it was never served a whole hour and that wasn't the renter's doing.
    /// Returns what the renter pays for having withdrawn it: the fee on an hour; and, where it was of a gang that
    /// isn't filled, what else is cancelled with it.
    pub fn end_lease(&mut self, ending: &Ending, now: u64) -> Result<(u64, Option<Cancelled>)> {
        self.act(OrderAction::Settle)?;
        self.release(ending.released)?;
        if ending.accepted {
            self.served = self.served.checked_sub(1).ok_or(E::InvariantViolated)?;
        }
        let mut cancelled = None;
        let withdrawn = ending.reason == EndReason::Withdrawn;
        if withdrawn && self.unfilled_gang() && self.status == OrderStatus::Open as u8 {
            cancelled = Some(self.stop(now)?);
        }
        let gone = self.status == OrderStatus::Cancelled as u8;
        // Nothing opens again in a cancelled order: who did not come in time is not counted as having left, or those
        // who came late would be excused by those who are ended before them.
        let in_time = !matches!(ending.reason, EndReason::Lapsed | EndReason::Unfilled);
        if ending.seconds == 0 && (in_time || !gone) {
            self.taken = self.taken.checked_sub(1).ok_or(E::InvariantViolated)?;
        }
        let renters = withdrawn || (gone && ending.reason == EndReason::Unfilled);
        let charged = if renters { self.charge(1)? } else { 0 };
        if ending.reopens() && !gone {
            self.reopen(now)?;
        }
        self.invariant()?;
        Ok((charged, cancelled))
    }

    /// A place is open again, and matched for a while. Those that nobody took before the end of the matching stay
    /// over: their money may have gone back. So does a gang to which too few places are left.
    fn reopen(&mut self, now: u64) -> Result<()> {
        if now >= self.match_until {
            self.open = 0;
        }
        let open = self.open.checked_add(1).ok_or(E::Overflow)?;
        if self.unfilled_gang() && open.saturating_add(self.taken) < self.terms.min_devices {
            return Ok(());
        }
        self.open = open;
        let until = now.checked_add(self.match_window).ok_or(E::Overflow)?;
        self.match_until = self.match_until.max(until);
        Ok(())
    }

    /// Money of a lease is due: the supplier's part leaves, both fees are due to the network.
    pub fn pay(&mut self, payment: &Payment) -> Result<()> {
        self.act(OrderAction::Settle)?;
        let held =
            self.held.checked_sub(payment.amount).and_then(|held| held.checked_sub(payment.renter_fee));
        self.held = held.ok_or(E::InvariantViolated)?;
        self.paid = self.paid.checked_add(payment.net).ok_or(E::Overflow)?;
        self.owe_fees(payment.fee.checked_add(payment.renter_fee).ok_or(E::Overflow)?)?;
        self.invariant()
    }

    /// The fees that are due leave the vault; returns them.
    pub fn take_fees(&mut self) -> u64 {
        core::mem::take(&mut self.fees_due)
    }

    /// Money of a lease is free again.
    pub fn release(&mut self, amount: u64) -> Result<()> {
        self.held = self.held.checked_sub(amount).ok_or(E::InvariantViolated)?;
        self.free = self.free.checked_add(amount).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// A lease's account is gone. With the last one of a gang that wasn't filled, it can be tried again.
    pub fn forget_lease(&mut self) -> Result<()> {
        self.leases = self.leases.checked_sub(1).ok_or(E::InvariantViolated)?;
        if self.leases == 0 && self.filled_at == 0 {
            self.gang_until = 0;
        }
        self.invariant()
    }

    /// Gives back what no device that may still come needs; returns it. A place that opened again can have less than
    /// the highest price: what was above its lease's price may have gone back before.
    pub fn give_back(&mut self, now: u64) -> Result<u64> {
        self.act(OrderAction::Settle)?;
        let open = if self.takes_devices(now) { self.open } else { 0 };
        let needed = mul(self.place()?, open as u64).ok_or(E::Overflow)?.min(self.free);
        let amount = self.free.checked_sub(needed).ok_or(E::InvariantViolated)?;
        self.free = needed;
        self.refunded = self.refunded.checked_add(amount).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(amount)
    }

    /// Refuses unless nothing can happen to the order any more; says why it ends.
    pub fn close_reason(&self, now: u64) -> Result<CloseReason> {
        require!(self.leases == 0 && self.held == 0 && !self.takes_devices(now), E::OrderBusy);
        require!(self.fees_due == 0, E::FeesBlocked);
        Ok(match (self.served, self.status) {
            (0, status) if status == OrderStatus::Cancelled as u8 => CloseReason::Cancelled,
            (0, _) => CloseReason::Unserved,
            _ => CloseReason::Served,
        })
    }

    /// Whether a device can still be matched.
    pub fn takes_devices(&self, now: u64) -> bool {
        self.status == OrderStatus::Open as u8 && self.open > 0 && now < self.match_until
    }

    /// Whether it is a gang that is never filled: it takes no more devices, and too few wait. Who leaves it, or
    /// doesn't come, is not to blame.
    pub fn is_stranded(&self, now: u64) -> bool {
        let closed = self.status == OrderStatus::Cancelled as u8 || now >= self.match_until;
        closed && self.unfilled_gang() && self.taken < self.terms.min_devices
    }

    fn unfilled_gang(&self) -> bool {
        self.terms.is_gang() && self.filled_at == 0
    }

    /// Takes the renter's fee on an hour of each of `places` out of what is free, as far as that goes; returns it.
    fn charge(&mut self, places: u16) -> Result<u64> {
        let hour = mul(self.terms.rate(self.terms.price)?, places as u64).ok_or(E::Overflow)?;
        let charged = fee(hour, self.renter_fee_bps).ok_or(E::Overflow)?.min(self.free);
        self.free = self.free.checked_sub(charged).ok_or(E::InvariantViolated)?;
        self.owe_fees(charged)?;
        Ok(charged)
    }

    fn owe_fees(&mut self, amount: u64) -> Result<()> {
        self.fees = self.fees.checked_add(amount).ok_or(E::Overflow)?;
        self.fees_due = self.fees_due.checked_add(amount).ok_or(E::Overflow)?;
        Ok(())
    }

    fn put_down(&mut self, amount: u64) -> Result<()> {
        self.deposit = self.deposit.checked_add(amount).ok_or(E::Overflow)?;
        self.free = self.free.checked_add(amount).ok_or(E::Overflow)?;
        Ok(())
    }

    fn act(&mut self, action: OrderAction) -> Result<()> {
        let status = match self.status {
            0 => OrderStatus::Open,
            1 => OrderStatus::Cancelled,
            _ => return Err(E::InvariantViolated.into()),
        };
        self.status = status.next(action)? as u8;
        Ok(())
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        let places = self.open.checked_add(self.taken).ok_or(E::Overflow)?;
        require!(places <= self.terms.devices && self.fees_due <= self.fees, E::InvariantViolated);
        let parts = [self.free, self.held, self.paid, self.fees, self.refunded];
        let sum = parts.iter().try_fold(0u64, |sum, part| sum.checked_add(*part));
        require!(sum == Some(self.deposit), E::InvariantViolated);
        Ok(())
    }
}
