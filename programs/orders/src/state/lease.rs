use {
    super::{earned, principal, with_fee},
    crate::{constants::*, errors::OrdersError as E},
    anchor_lang::prelude::*,
    ionet_common::{
        calendar::HOUR,
        math::{fee, mul},
    },
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
    /// Waits for its gang.
    Accepted = 3,
}

/// What happens to a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseAction {
    /// The worker accepts.
    Accept,
    /// Its order is filled.
    Start,
    /// The renter adds hours.
    Extend,
    /// Nobody accepted in time, its gang wasn't filled, or a party didn't want it.
    Drop,
    /// Its hours are over, or a party ends it.
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
    /// The supplier or the worker declined, or broke its word before the gang was filled.
    Declined = 2,
    /// The renter withdrew it before it ran.
    Withdrawn = 3,
    /// Its hours are over.
    Completed = 4,
    /// The renter ended it.
    Renter = 5,
    /// The supplier or the worker ended it.
    Supplier = 6,
    /// Operators attested a fault.
    Fault = 7,
    /// Its gang was not filled in time, or could not be any more.
    Unfilled = 8,
}

impl LeaseStatus {
    /// What follows: the one table of a lease's states.
    pub fn next(self, action: LeaseAction) -> Result<Self> {
        use {LeaseAction::*, LeaseStatus::*};
        match (self, action) {
            (Matched, Accept) => Ok(Accepted),
            (Accepted, Start) => Ok(Running),
            (Matched | Accepted, Drop) => Ok(Ended),
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
            3 => Ok(Self::Accepted),
            _ => Err(E::InvariantViolated.into()),
        }
    }
}

/// Who ends a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    Renter,
    /// The supplier, or the worker where the supplier lets it.
    Supplier,
    /// Anybody else.
    Stranger,
}

/// How a lease ended, for its order and its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    pub reason: EndReason,
    /// Of its money, the renter's again, base units.
    pub released: u64,
    /// It was accepted, and its gang wasn't filled.
    pub accepted: bool,
    /// Served and paid, seconds.
    pub seconds: u64,
}

impl Ending {
    /// Whether its place is open again: it was not served a whole hour, and the renter still wants it.
    pub fn reopens(&self) -> bool {
        self.seconds == 0 && self.reason != EndReason::Withdrawn
    }

    /// Whether the device is barred for a while: its place was taken for nothing, by its own doing. That matching was
    /// `stopped` meanwhile excuses a worker who didn't accept, and nobody else: leaving needs no matching.
    pub fn strikes(&self, stopped: bool) -> bool {
        let excused = stopped && self.reason == EndReason::Lapsed;
        self.reopens() && self.reason != EndReason::Unfilled && !excused
    }

    /// What is counted in the device's record.
    pub fn outcome(&self) -> LeaseOutcome {
        match self.reason {
            EndReason::Completed | EndReason::Renter => LeaseOutcome::Done,
            EndReason::Supplier | EndReason::Fault => LeaseOutcome::Failed,
            _ => LeaseOutcome::None,
        }
    }
}

/// One device leased to an order. What is due is a function of time alone; settling only pays it.
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
    /// End of the worker's time to accept, and of its gang's to fill, unix seconds.
    pub accept_until: u64,
    /// When the worker accepted, unix seconds; 0 before.
    pub accepted_at: u64,
    /// When its hours began, unix seconds; 0 before: the acceptance, or in a gang when that was filled, if later.
    pub start: u64,
    /// When the hours are over, or until when they are paid once it has ended, unix seconds; 0 before the start.
    pub stop: u64,
    /// When it ended, unix seconds; 0 before.
    pub ended_at: u64,
    /// Set apart for the lease in the order's vault, base units: what its supplier has still to get, and what of the
    /// renter's fee is still to charge.
    pub held: u64,
    /// Paid to the supplier so far, its fee included, base units.
    pub paid: u64,
    /// Since when the guardian holds the money back, unix seconds; 0 for never.
    pub hold_from: u64,
    /// Until when.
    pub hold_until: u64,
    /// The device's leases when it was matched, this one included: with the next, it names the lease.
    pub number: u64,
    /// When the device was registered, unix seconds.
    pub registered_at: u64,
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
    /// Its associated token account for the currency; zero before it was accepted.
    pub payout_tokens: Address,
    /// Paid the rent; gets it back.
    pub payer: Address,
    /// Of the renter's fee, charged so far, base units.
    pub fees: u64,
    /// The renter's fee on top of the principal, basis points: the order's.
    pub renter_fee_bps: u16,
    pub _pad: [u8; 6],
    /// For later versions; zero.
    pub _reserved: [u8; 24],
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
    /// Everything is paid until here, unix seconds.
    pub until: u64,
}

impl Payment {
    /// Whether nothing moves.
    pub fn is_nothing(&self) -> bool {
        self.amount == 0 && self.renter_fee == 0
    }
}

impl Lease {
    /// The worker accepts: the hours begin once the order is filled.
    pub fn accept(&mut self, payout_tokens: &Address, now: u64) -> Result<()> {
        self.act(LeaseAction::Accept)?;
        require!(now < self.accept_until, E::AcceptanceOver);
        self.payout_tokens = *payout_tokens;
        self.accepted_at = now;
        self.invariant()
    }

    /// Whether its hours begin now: it was accepted, and its order filled at `filled_at`, 0 for not yet. Asked before
    /// everything else that happens to a lease.
    pub fn starts(&self, filled_at: u64) -> bool {
        self.status == LeaseStatus::Accepted as u8 && filled_at > 0
    }

    /// Begins the hours of an accepted lease whose order was filled at `filled_at`.
    pub fn begin(&mut self, filled_at: u64) -> Result<()> {
        self.act(LeaseAction::Start)?;
        self.start = self.accepted_at.max(filled_at);
        self.stop = self.end_of_hours()?;
        self.invariant()
    }

    /// Refuses a lease of other hours than whoever adds some has seen: told wrongly that an extension failed, it signs
    /// the next for the hours of before, and doesn't pay twice.
    pub fn require_hours(&self, expected: u32) -> Result<()> {
        require!(self.hours == expected, E::NotAsExpected);
        Ok(())
    }

    /// Adds hours at the lease's rate; returns what the renter pays for them: the fee is that on all hours, less
    /// that on those before. Refuses more than `max_amount`: since the renter saw it, the lease may have made room for a
    /// dearer one at the same address, or its other hours have changed how the fee is rounded.
    pub fn extend(&mut self, hours: u32, max_amount: u64, now: u64) -> Result<u64> {
        self.act(LeaseAction::Extend)?;
        require!(now < self.stop, E::LeaseOver);
        let all = self.hours.checked_add(hours).ok_or(E::Overflow)?;
        require!(hours > 0 && all <= MAX_HOURS, E::HoursInvalid);
        let before = self.price()?;
        self.hours = all;
        let more = self.price()?.checked_sub(before).ok_or(E::InvariantViolated)?;
        self.stop = self.end_of_hours()?;
        require!(self.stop.saturating_sub(now) <= MAX_EXTENSION, E::ExtensionTooLong);
        require!(more <= max_amount, E::ExtensionAboveLimit);
        self.held = self.held.checked_add(more).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(more)
    }

    /// Ends it for `party`.
    ///
    /// Before it runs everything is the renter's again. After that, in time: a renter pays the first hour
    /// whole and then by the second; a supplier gets nothing for the hour that it breaks off in. Once its time is over
    /// anybody can end it, and everything is the supplier's. What was due before is never taken back. The renter's fee
    /// follows the service: see [`Lease::renter_fee`]. Of a `stranded` gang, which is never filled, nobody breaks its
    /// word any more.
    pub fn end(&mut self, party: Party, lag: u64, stranded: bool, now: u64) -> Result<Ending> {
        if self.start == 0 {
            return self.drop_for(party, stranded, now);
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

    fn drop_for(&mut self, party: Party, stranded: bool, now: u64) -> Result<Ending> {
        let accepted = self.status == LeaseStatus::Accepted as u8;
        self.act(LeaseAction::Drop)?;
        let reason = match party {
            _ if now >= self.accept_until && (accepted || stranded) => EndReason::Unfilled,
            _ if now >= self.accept_until => EndReason::Lapsed,
            Party::Renter => EndReason::Withdrawn,
            Party::Supplier if stranded => EndReason::Unfilled,
            Party::Supplier => EndReason::Declined,
            Party::Stranger => return Err(E::NotParty.into()),
        };
        self.reason = reason as u8;
        self.ended_at = now;
        let released = core::mem::take(&mut self.held);
        self.invariant()?;
        Ok(Ending { reason, released, accepted, seconds: 0 })
    }

    /// Ends it for a fault after `good_hours` from its start, or takes back what an end in good faith left unpaid.
    pub fn fault(&mut self, good_hours: u32, lag: u64, now: u64) -> Result<Ending> {
        let due = self.due_until(lag, now);
        let before = self.stop.min(now);
        self.act(LeaseAction::Fault)?;
        require!(self.start > 0, E::LeaseState);
        let good = self.after(mul(good_hours as u64, HOUR).ok_or(E::Overflow)?)?;
        require!(good <= before, E::FaultInvalid);
        let stop = good.max(due);
        require!(stop < self.stop, E::FaultInvalid);
        self.cut(stop, EndReason::Fault, now)
    }

    /// Until when the supplier's money is due at `now`, unix seconds: `lag` behind the clock, which stands
    /// while the guardian holds the money; nothing before the first hour is whole.
    pub fn due_until(&self, lag: u64, now: u64) -> u64 {
        let clock = if now < self.hold_until { now.min(self.hold_from) } else { now };
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
        Ok(Payment { amount, fee, net, renter_fee, until })
    }

    /// The renter's fee on the lease in all, base units: on the whole principal; when the renter ends it early, on
    /// what was earned and at most a day more; when the supplier or a fault did, on what was earned alone, or a
    /// supplier that never serves could burn it.
    pub fn renter_fee(&self) -> Result<u64> {
        self.fee_on(self.worth()?)
    }

    /// The renter's fee on a lease that earns `worth` by its end.
    fn fee_on(&self, worth: u64) -> Result<u64> {
        let whole = || principal(self.rate, self.hours);
        let on = if self.failed() {
            worth
        } else if self.reason == EndReason::Renter as u8 {
            worth.saturating_add(mul(self.rate, MIN_TAIL / HOUR).unwrap_or(u64::MAX)).min(whole()?)
        } else {
            whole()?
        };
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

    /// Refuses unless it has ended and is owed nothing.
    pub fn require_done(&self) -> Result<()> {
        require!(self.status == LeaseStatus::Ended as u8, E::LeaseState);
        require!(self.held == 0, E::LeaseNotPaid);
        Ok(())
    }

    /// Stops earning at `stop`; what of its money is not earned by then is the renter's again.
    fn cut(&mut self, stop: u64, reason: EndReason, now: u64) -> Result<Ending> {
        self.stop = stop.min(self.stop);
        self.reason = reason as u8;
        if self.ended_at == 0 {
            self.ended_at = now;
        }
        let left = self.owed()?;
        let released = self.held.checked_sub(left).ok_or(E::InvariantViolated)?;
        self.held = left;
        self.invariant()?;
        Ok(Ending { reason, released, accepted: false, seconds: self.stop.saturating_sub(self.start) })
    }

    /// Counts the renter's fee once `total` of the principal is paid, up to `until`; returns what is new of it.
    fn charge(&mut self, total: u64, until: u64) -> Result<u64> {
        let last = self.status == LeaseStatus::Ended as u8 && self.start > 0 && until == self.stop;
        let all =
            if last { self.fee_on(total)? } else { fee(total, self.renter_fee_bps).ok_or(E::Overflow)? };
        let more = all.checked_sub(self.fees).ok_or(E::InvariantViolated)?;
        self.fees = all;
        Ok(more)
    }

    /// What it has still to get by its end: of the principal, and of the renter's fee.
    fn owed(&self) -> Result<u64> {
        if self.start == 0 {
            return if self.status == LeaseStatus::Ended as u8 { Ok(0) } else { self.price() };
        }
        let worth = self.worth()?;
        let pay = worth.checked_sub(self.paid).ok_or(E::InvariantViolated)?;
        let fee = self.fee_on(worth)?.checked_sub(self.fees).ok_or(E::InvariantViolated)?;
        Ok(pay.checked_add(fee).ok_or(E::Overflow)?)
    }

    /// What its hours cost the renter, the fee included.
    pub fn price(&self) -> Result<u64> {
        with_fee(principal(self.rate, self.hours)?, self.renter_fee_bps)
    }

    /// What it earns by its end.
    fn worth(&self) -> Result<u64> {
        earned(self.rate, self.stop.saturating_sub(self.start))
    }

    /// Whether it counts as failed: its supplier broke it off, or operators attested a fault.
    pub fn failed(&self) -> bool {
        self.reason == EndReason::Supplier as u8 || self.reason == EndReason::Fault as u8
    }

    fn after(&self, seconds: u64) -> Result<u64> {
        Ok(self.start.checked_add(seconds).ok_or(E::Overflow)?)
    }

    fn end_of_hours(&self) -> Result<u64> {
        self.after(mul(self.hours as u64, HOUR).ok_or(E::Overflow)?)
    }

    fn act(&mut self, action: LeaseAction) -> Result<()> {
        self.status = LeaseStatus::of(self.status)?.next(action)? as u8;
        Ok(())
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.rate > 0, E::PriceInvalid);
        require!((1..=MAX_HOURS).contains(&self.hours), E::HoursInvalid);
        require!(self.start <= self.stop && self.held == self.owed()?, E::InvariantViolated);
        Ok(())
    }
}
