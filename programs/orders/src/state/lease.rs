use {
    super::{earned, principal, with_fee},
    crate::{constants::*, errors::OrdersError as E},
    anchor_lang::prelude::*,
    ionet_common::{calendar::HOUR, math::fee},
    staking::state::LeaseOutcome,
};

/// Where a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LeaseStatus {
    /// Waits for the worker.
    Matched = 0,
    /// Served, and paid by the second.
    Running = 1,
    /// Nothing more is earned; what is unpaid follows by time.
    Ended = 2,
}

/// What happens to a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseAction {
    /// The worker accepts.
    Accept,
    /// The renter adds hours.
    Extend,
    /// Nobody accepted in time, or a party didn't want it.
    Drop,
    /// Its time is over, or a party ends it.
    Finish,
    /// Operators attest a fault.
    Fault,
    /// What is due is paid, or held back.
    Settle,
}

/// Why a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EndReason {
    /// It has not.
    None = 0,
    /// The worker did not accept in time.
    Lapsed = 1,
    /// The supplier or the worker declined.
    Declined = 2,
    /// The renter withdrew before the worker accepted.
    Withdrawn = 3,
    /// Its hours are over.
    Completed = 4,
    /// The renter ended it.
    Renter = 5,
    /// The supplier or the worker ended it.
    Supplier = 6,
    /// Operators attested a fault.
    Fault = 7,
}

impl LeaseStatus {
    /// What follows: the one table of a lease's states.
    pub fn next(self, action: LeaseAction) -> Result<Self> {
        use {LeaseAction::*, LeaseStatus::*};
        match (self, action) {
            (Matched, Accept) => Ok(Running),
            (Matched, Drop) => Ok(Ended),
            (Running, Extend | Settle) => Ok(Running),
            (Running, Finish | Fault) => Ok(Ended),
            (Ended, Fault | Settle) => Ok(Ended),
            _ => Err(E::LeaseState.into()),
        }
    }

    fn of(number: u8) -> Result<Self> {
        match number {
            0 => Ok(Self::Matched),
            1 => Ok(Self::Running),
            2 => Ok(Self::Ended),
            _ => Err(E::InvariantViolated.into()),
        }
    }
}

/// Who ends a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    Renter,
    /// The supplier or the worker.
    Supplier,
    /// Anybody else.
    Stranger,
}

/// One device let to an order. What is due is a function of time alone; settling only pays it.
#[account]
pub struct Lease {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// A [`LeaseStatus`].
    pub status: u8,
    /// An [`EndReason`].
    pub reason: u8,
    /// Hours, extensions included.
    pub hours: u32,
    /// What the device costs for an hour, base units of the order's currency.
    pub rate: u64,
    /// Unix seconds.
    pub matched_at: u64,
    /// End of the worker's time to accept, unix seconds.
    pub accept_until: u64,
    /// When the worker accepted, unix seconds; 0 before.
    pub start: u64,
    /// When the hours are over, or up to when they are paid once it has ended, unix seconds; 0 before the start.
    pub stop: u64,
    /// When it ended, unix seconds; 0 before.
    pub ended_at: u64,
    /// Set apart for the lease in the order's vault, base units: from the start on, what its supplier has still to
    /// get and what of the renter's fee is still to charge.
    pub held: u64,
    /// Paid to the supplier so far, its fee included, base units.
    pub paid: u64,
    /// Since when the guardian holds the money back, unix seconds; 0 for never.
    pub hold_from: u64,
    /// Until when.
    pub hold_until: u64,
    /// The order.
    pub order: Address,
    /// The device's account in staking.
    pub device: Address,
    /// Owns the device.
    pub supplier: Address,
    /// Signs for the machine.
    pub worker: Address,
    /// Gets the money.
    pub payout: Address,
    /// Its associated token account for the currency; zero before the start.
    pub payout_tokens: Address,
    /// Paid the rent; gets it back.
    pub payer: Address,
    /// Of the renter's fee, charged so far, base units.
    pub fees: u64,
    /// The renter's fee on top of the principal, basis points: the order's.
    pub renter_fee_bps: u16,
    pub _pad: [u8; 6],
    /// For later versions; zero.
    pub _reserved: [u8; 48],
}

/// What a settlement pays, base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Of the principal.
    pub amount: u64,
    /// Of the amount, the network's.
    pub fee: u64,
    /// Of the amount, the supplier's.
    pub net: u64,
    /// Beside the amount, the network's from the renter.
    pub renter_fee: u64,
}

impl Payment {
    /// Whether nothing moves.
    pub fn is_nothing(&self) -> bool {
        self.amount == 0 && self.renter_fee == 0
    }
}

impl Lease {
    /// The worker accepts: the hours begin. Returns what was set apart beyond the principal and the renter's fee.
    pub fn accept(&mut self, payout_tokens: &Address, now: u64) -> Result<u64> {
        self.act(LeaseAction::Accept)?;
        require!(now < self.accept_until, E::AcceptanceOver);
        let whole = self.price()?;
        let place = core::mem::replace(&mut self.held, whole);
        self.payout_tokens = *payout_tokens;
        self.start = now;
        self.stop = self.end_of_hours()?;
        self.invariant()?;
        Ok(place.checked_sub(whole).ok_or(E::InvariantViolated)?)
    }

    /// Adds hours at the lease's rate; returns what the renter pays for them: the fee is that on all hours, less
    /// that on those before.
    pub fn extend(&mut self, hours: u32, now: u64) -> Result<u64> {
        self.act(LeaseAction::Extend)?;
        require!(now < self.stop, E::LeaseOver);
        let all = self.hours.checked_add(hours).ok_or(E::Overflow)?;
        require!(hours > 0 && all <= MAX_HOURS, E::HoursInvalid);
        let before = self.price()?;
        self.hours = all;
        let more = self.price()?.checked_sub(before).ok_or(E::InvariantViolated)?;
        self.stop = self.end_of_hours()?;
        self.held = self.held.checked_add(more).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(more)
    }

    /// Ends it for `party`; returns what of its money is the renter's again.
    ///
    /// Before the worker's acceptance everything is. After it, in time: a renter pays the first hour
    /// whole and then by the second; a supplier gets nothing for the hour that it breaks off in. Once its time is over anybody
    /// can end it, and everything is the supplier's. What was due before is never taken back. The renter's fee follows
    /// the service: see [`Lease::renter_fee`].
    pub fn end(&mut self, party: Party, lag: u64, now: u64) -> Result<u64> {
        if self.status == LeaseStatus::Matched as u8 {
            self.act(LeaseAction::Drop)?;
            self.reason = match party {
                _ if now >= self.accept_until => EndReason::Lapsed,
                Party::Renter => EndReason::Withdrawn,
                Party::Supplier => EndReason::Declined,
                Party::Stranger => return Err(E::NotParty.into()),
            } as u8;
            self.ended_at = now;
            let place = core::mem::take(&mut self.held);
            self.invariant()?;
            return Ok(place);
        }
        let due = self.due_until(lag, now);
        self.act(LeaseAction::Finish)?;
        let served = now.saturating_sub(self.start);
        let (reason, stop) = match party {
            _ if now >= self.stop => (EndReason::Completed, self.stop),
            Party::Renter => (EndReason::Renter, self.after(served.max(HOUR))?),
            Party::Supplier => (EndReason::Supplier, self.after(served - served % HOUR)?),
            Party::Stranger => return Err(E::NotParty.into()),
        };
        self.cut(stop.max(due), reason, now)
    }

    /// Ends it for a fault after `good_hours` from its start, or takes back what an end in good faith left
    /// unpaid; returns what of its money is the renter's again.
    pub fn fault(&mut self, good_hours: u32, lag: u64, now: u64) -> Result<u64> {
        let due = self.due_until(lag, now);
        let before = self.stop.min(now);
        self.act(LeaseAction::Fault)?;
        require!(self.start > 0, E::LeaseState);
        let good = self.after((good_hours as u64).checked_mul(HOUR).ok_or(E::Overflow)?)?;
        require!(good <= before, E::FaultInvalid);
        let stop = good.max(due);
        require!(stop < self.stop, E::FaultInvalid);
        self.cut(stop, EndReason::Fault, now)
    }

    /// Up to when the supplier's money is due at `now`, unix seconds: `lag` behind the clock, which stands
    /// while the guardian holds the money; nothing before the first hour is whole.
    pub fn due_until(&self, lag: u64, now: u64) -> u64 {
        let held = self.hold_from > 0 && self.hold_from <= now && now < self.hold_until;
        let clock = if held { self.hold_from } else { now };
        let until = clock.saturating_sub(lag).min(self.stop);
        if until < self.start.saturating_add(HOUR) {
            self.start
        } else {
            until
        }
    }

    /// Pays what is due at `now`; nothing twice. Each fee is that on everything paid so far, rounded up, less what
    /// was charged before: however often it is settled, the sums are the same. With the last of the principal, the
    /// rest of the renter's fee is charged.
    pub fn settle(&mut self, lag: u64, fee_bps: u16, now: u64) -> Result<Payment> {
        self.act(LeaseAction::Settle)?;
        let until = self.due_until(lag, now);
        let total = earned(self.rate, until.saturating_sub(self.start))?;
        let amount = total.checked_sub(self.paid).ok_or(E::InvariantViolated)?;
        let charged = fee(self.paid, fee_bps).ok_or(E::Overflow)?;
        let fee = fee(total, fee_bps).and_then(|all| all.checked_sub(charged)).ok_or(E::Overflow)?;
        let renter_fee = self.charge(total, until)?;
        self.paid = total;
        let held = self.held.checked_sub(amount).and_then(|held| held.checked_sub(renter_fee));
        self.held = held.ok_or(E::InvariantViolated)?;
        self.invariant()?;
        let net = amount.checked_sub(fee).ok_or(E::InvariantViolated)?;
        Ok(Payment { amount, fee, net, renter_fee })
    }

    /// The renter's fee on the lease in all, base units: on the whole principal, also when the renter ends it early;
    /// when the supplier or a fault did, on what was earned alone, or a supplier that never serves could burn it.
    pub fn renter_fee(&self) -> Result<u64> {
        let on = if self.failed() { self.worth()? } else { principal(self.rate, self.hours)? };
        Ok(fee(on, self.renter_fee_bps).ok_or(E::Overflow)?)
    }

    /// The guardian holds the unpaid money back until `until`: once, at most [`MAX_HOLD`]; later it can
    /// only shorten that. Returns whether it is the first time.
    pub fn hold(&mut self, until: u64, now: u64) -> Result<bool> {
        self.act(LeaseAction::Settle)?;
        require!(self.held > 0, E::NothingUnpaid);
        let first = self.hold_from == 0;
        if first {
            let most = now.checked_add(MAX_HOLD).ok_or(E::Overflow)?;
            require!(now < until && until <= most, E::HoldInvalid);
            self.hold_from = now;
        } else {
            require!(now < self.hold_until && until < self.hold_until, E::HoldInvalid);
        }
        self.hold_until = until;
        self.invariant()?;
        Ok(first)
    }

    /// Refuses unless it has ended and is owed nothing; says what is counted of it: seconds served and the
    /// outcome, nothing when it was never accepted.
    pub fn outcome(&self) -> Result<Option<(u64, LeaseOutcome)>> {
        require!(self.status == LeaseStatus::Ended as u8, E::LeaseState);
        require!(self.held == 0, E::LeaseNotPaid);
        if self.start == 0 {
            return Ok(None);
        }
        let outcome = if self.failed() { LeaseOutcome::Failed } else { LeaseOutcome::Done };
        Ok(Some((self.stop.saturating_sub(self.start), outcome)))
    }

    /// Stops earning at `stop`; returns what of its money is not earned by then.
    fn cut(&mut self, stop: u64, reason: EndReason, now: u64) -> Result<u64> {
        self.stop = stop.min(self.stop);
        self.reason = reason as u8;
        if self.ended_at == 0 {
            self.ended_at = now;
        }
        let left = self.owed()?;
        let rest = self.held.checked_sub(left).ok_or(E::InvariantViolated)?;
        self.held = left;
        self.invariant()?;
        Ok(rest)
    }

    /// Counts the renter's fee once `total` of the principal is paid, up to `until`; returns what is new of it.
    fn charge(&mut self, total: u64, until: u64) -> Result<u64> {
        let last = self.status == LeaseStatus::Ended as u8 && self.start > 0 && until == self.stop;
        let all =
            if last { self.renter_fee()? } else { fee(total, self.renter_fee_bps).ok_or(E::Overflow)? };
        let more = all.checked_sub(self.fees).ok_or(E::InvariantViolated)?;
        self.fees = all;
        Ok(more)
    }

    /// What a started lease has still to get by its end: of the principal, and of the renter's fee.
    fn owed(&self) -> Result<u64> {
        let pay = self.worth()?.checked_sub(self.paid).ok_or(E::InvariantViolated)?;
        let fee = self.renter_fee()?.checked_sub(self.fees).ok_or(E::InvariantViolated)?;
        Ok(pay.checked_add(fee).ok_or(E::Overflow)?)
    }

    /// What its hours cost the renter, the fee included.
    fn price(&self) -> Result<u64> {
        with_fee(principal(self.rate, self.hours)?, self.renter_fee_bps)
    }

    /// What it earns by its end.
    fn worth(&self) -> Result<u64> {
        earned(self.rate, self.stop.saturating_sub(self.start))
    }

    fn failed(&self) -> bool {
        self.reason == EndReason::Supplier as u8 || self.reason == EndReason::Fault as u8
    }

    fn after(&self, seconds: u64) -> Result<u64> {
        Ok(self.start.checked_add(seconds).ok_or(E::Overflow)?)
    }

    fn end_of_hours(&self) -> Result<u64> {
        self.after((self.hours as u64).checked_mul(HOUR).ok_or(E::Overflow)?)
    }

    fn act(&mut self, action: LeaseAction) -> Result<()> {
        self.status = LeaseStatus::of(self.status)?.next(action)? as u8;
        Ok(())
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        require!(self.rate > 0, E::PriceInvalid);
        require!((1..=MAX_HOURS).contains(&self.hours), E::HoursInvalid);
        if self.start > 0 {
            require!(self.start <= self.stop && self.held == self.owed()?, E::InvariantViolated);
        }
        Ok(())
    }
}
