use {
    super::{most_co_stake, CoStake, CoStakeState, LeaseOutcome},
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::prelude::*,
    ionet_common::{math::mul_div_floor, supply::BPS},
};

/// What a supplier states of its device, and may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceTerms {
    pub tier: u8,
    pub country: [u8; 2],
    pub ask_io: u64,
    pub ask_usdc: u64,
    pub worker_may_end: u8,
}

/// A device that compute is rented from, with everything that is staked on it.
///
/// Whatever is due follows from time alone; [`Device::settle`] only writes it down.
#[account]
pub struct Device {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// 1 once the supplier terminated it.
    pub terminated: PodBool,
    /// 1 while a slash waits for its appeal period.
    pub slash_pending: PodBool,
    /// Class of its processors.
    pub class: u16,
    /// 1 to 8.
    pub processors: u8,
    /// Connectivity, 1 to 4, as the supplier states it.
    pub tier: u8,
    /// Where the device is: two ASCII capital letters, ISO 3166-1; the bytes 67, 72 are `CH`.
    pub country: [u8; 2],
    /// The co-staker's part of the rewards in the open offer, basis points.
    pub offer_reward_bps: u16,
    /// Bars in a row: each is twice as long as the one before.
    pub strikes: u8,
    /// 1 when the worker's key may end a lease as its supplier can. Off by default: that key lies on the
    /// machine that a renter uses.
    pub worker_may_end: u8,
    pub _pad: [u8; 2],
    /// Signs for the machine.
    pub worker: Address,
    /// Owns the device and its own stake.
    pub supplier: Address,
    /// Gets the supplier's rewards.
    pub payout: Address,
    /// Price of a processor for an hour, in base units of IO; 0 when it isn't leased for IO.
    pub ask_io: u64,
    /// Price of a processor for an hour, in base units of USDC; 0 when it isn't leased for USDC.
    pub ask_usdc: u64,
    /// The supplier's stake that counts, base units.
    pub own: u64,
    /// The supplier's stake that cools, base units.
    pub own_cooling: u64,
    /// End of its cooldown, unix seconds.
    pub own_until: u64,
    /// What the open offer asks for, base units; 0 when none is open.
    pub offer: u64,
    /// The co-stake of now.
    pub co: CoStake,
    /// The one before it, cooling.
    pub leaving: CoStake,
    /// Since when the stake that counts has been at least the minimum, unix seconds; 0 when it isn't.
    pub sufficient_since: u64,
    /// Unix seconds.
    pub registered_at: u64,
    /// The lease that holds the device, zero when it is free.
    pub lease: Address,
    /// Served in leases that are done with, seconds.
    pub hired_seconds: u64,
    /// Leases that were served as agreed.
    pub leases_done: u64,
    /// Leases that the supplier broke off or operators attested a fault in.
    pub leases_failed: u64,
    /// Leases whose money the guardian held back.
    pub disputes: u64,
    /// When what a match goes by last changed, unix seconds: orders from before don't get the device.
    pub changed_at: u64,
    /// Until when it isn't leased, as it left a place unserved, unix seconds.
    pub barred_until: u64,
    /// Leases so far. With `registered_at` it names one: addresses of devices and leases are used again.
    pub leases: u64,
    /// What `hired_seconds` was at the last strike.
    pub served_at_strike: u64,
    /// The order of the last lease: none leases the device twice running.
    pub last_order: Address,
    /// Until when nothing staked goes out, as a slash came to its end or was voided, unix seconds: operators
    /// may bring another.
    pub frozen_until: u64,
    /// When that last order was opened, unix seconds: its address can be used again.
    pub last_order_at: u64,
    /// For later versions; zero.
    pub _reserved: [u8; 16],
}

impl Device {
    /// Stake that counts at `now`, base units: the own one, and a co-stake until its wait is over.
    pub fn counted(&self, now: u64) -> u64 {
        self.own.saturating_add(if self.co_counts(now) { self.co.amount } else { 0 })
    }

    /// What the supplier can take out at `now` and leave the minimum, base units. While a co-stake counts,
    /// the part of the minimum that no co-stake can be stays: not all of the risk is the co-staker's.
    pub fn overflow(&self, minimum: u64, now: u64) -> Result<u64> {
        let kept = if self.co_counts(now) { minimum.saturating_sub(most_co_stake(minimum)?) } else { 0 };
        let beyond = self.counted(now).saturating_sub(minimum);
        Ok(beyond.min(self.own.saturating_sub(kept)))
    }

    fn co_counts(&self, now: u64) -> bool {
        self.co.is(CoStakeState::Active) || (self.co.is(CoStakeState::Waiting) && now < self.co.until)
    }

    /// Writes down what time alone has changed: a wait that ended turned into a cooldown.
    pub fn settle(&mut self, cooldown: u64, now: u64) -> Result<()> {
        if self.co.is(CoStakeState::Waiting) && now >= self.co.until {
            let until = self.co.until.checked_add(cooldown).ok_or(E::Overflow)?;
            self.co.cool(until);
        }
        if self.co.is(CoStakeState::Cooling) && self.leaving.is(CoStakeState::None) {
            self.leaving = self.co.take();
        }
        Ok(())
    }

    /// Notes since when the stake has been sufficient; last but one call of every transition, and called
    /// before stake comes in, so that it can't cover up a gap that time alone has made.
    pub fn refresh(&mut self, minimum: u64, now: u64) {
        let sufficient = !bool::from(self.terminated) && self.counted(now) >= minimum;
        if !sufficient {
            self.sufficient_since = 0;
        } else if self.sufficient_since == 0 {
            self.sufficient_since = now;
        }
    }

    /// Refuses where the own stake isn't what whoever changes it has seen: told wrongly that a stake failed, it signs the
    /// next for the stake of before, and doesn't stake twice.
    pub fn require_own(&self, expected: u64) -> Result<()> {
        require!(self.own == expected, E::NotAsExpected);
        Ok(())
    }

    /// Adds to the own stake.
    pub fn stake(&mut self, amount: u64, minimum: u64, cooldown: u64, now: u64) -> Result<()> {
        self.require_active()?;
        self.settle(cooldown, now)?;
        require!(amount > 0, E::ZeroAmount);
        require!(self.own_cooling == 0, E::StillCooling);
        self.refresh(minimum, now);
        self.own = self.own.checked_add(amount).ok_or(E::Overflow)?;
        self.refresh(minimum, now);
        self.invariant()
    }

    /// Takes away own stake that the minimum doesn't need, at once.
    pub fn withdraw_overflow(&mut self, amount: u64, minimum: u64, cooldown: u64, now: u64) -> Result<()> {
        self.require_no_slash(now)?;
        self.settle(cooldown, now)?;
        require!(amount > 0, E::ZeroAmount);
        require!(amount <= self.overflow(minimum, now)?, E::ExceedsOverflow);
        self.own = self.own.checked_sub(amount).ok_or(E::InvariantViolated)?;
        self.refresh(minimum, now);
        self.invariant()
    }

    /// Sends the whole own stake into its cooldown, and a co-stake with it; returns both amounts.
    pub fn unstake(&mut self, minimum: u64, cooldown: u64, now: u64) -> Result<(u64, u64)> {
        self.require_free()?;
        self.settle(cooldown, now)?;
        require!(self.own > 0, E::NothingStaked);
        let until = now.checked_add(cooldown).ok_or(E::Overflow)?;
        let own = core::mem::take(&mut self.own);
        self.own_cooling = self.own_cooling.checked_add(own).ok_or(E::Overflow)?;
        self.own_until = until;
        self.close_offer();
        let mut co = 0;
        if self.co.is(CoStakeState::Active) || self.co.is(CoStakeState::Waiting) {
            co = self.co.amount;
            self.co.cool(until);
            self.settle(cooldown, now)?;
        }
        self.refresh(minimum, now);
        self.invariant()?;
        Ok((own, co))
    }

    /// Takes the own stake out once its cooldown is over; returns it, and since when it could be: not while a slash
    /// froze it.
    pub fn withdraw(&mut self, now: u64) -> Result<(u64, u64)> {
        self.require_no_slash(now)?;
        require!(self.own_cooling > 0 && now >= self.own_until, E::NothingToWithdraw);
        let amount = core::mem::take(&mut self.own_cooling);
        let since = core::mem::take(&mut self.own_until).max(self.frozen_until);
        self.invariant()?;
        Ok((amount, since))
    }

    /// Offers to take `amount` of somebody's stake for `reward_bps` of the rewards.
    pub fn open_offer(
        &mut self,
        amount: u64,
        reward_bps: u16,
        minimum: u64,
        cooldown: u64,
        now: u64,
    ) -> Result<()> {
        self.require_active()?;
        self.require_no_slash(now)?;
        self.settle(cooldown, now)?;
        require!(self.offer == 0, E::OfferOpen);
        require!(!self.co.is(CoStakeState::Active), E::CoStakerPresent);
        require!((MIN_REWARD_BPS..=BPS as u16).contains(&reward_bps), E::RewardShareInvalid);
        let together = self.own.checked_add(amount).ok_or(E::Overflow)?;
        let fits = amount <= most_co_stake(minimum)? && together >= minimum;
        require!(amount > 0 && fits, E::OfferInvalid);
        self.offer = amount;
        self.offer_reward_bps = reward_bps;
        self.invariant()
    }

    /// Withdraws an offer that nobody took.
    pub fn withdraw_offer(&mut self) -> Result<()> {
        require!(self.offer > 0, E::NoOffer);
        self.close_offer();
        self.invariant()
    }

    /// Makes `staker` the co-staker by the open offer, which must still be the one expected, and no more than
    /// the minimum of now allows: that may have fallen since the offer was made.
    ///
    /// A co-staker who is leaving makes room: its cooldown starts now instead of after the wait.
    #[allow(clippy::too_many_arguments)] // the offer, and what it is judged by
    pub fn take_offer(
        &mut self,
        staker: &Address,
        amount: u64,
        reward_bps: u16,
        minimum: u64,
        cooldown: u64,
        now: u64,
    ) -> Result<()> {
        self.require_active()?;
        self.require_no_slash(now)?;
        self.settle(cooldown, now)?;
        require!(*staker != self.supplier && *staker != self.worker, E::OwnCoStake);
        require!(self.offer > 0, E::NoOffer);
        require!(self.offer == amount && self.offer_reward_bps == reward_bps, E::OfferChanged);
        require!(amount <= most_co_stake(minimum)?, E::OfferInvalid);
        self.refresh(minimum, now);
        if self.co.is(CoStakeState::Waiting) {
            let until = now.checked_add(cooldown).ok_or(E::Overflow)?;
            self.co.cool(until);
            self.settle(cooldown, now)?;
        }
        // A cooling one may still sit here when the one before it was never withdrawn: anyone can do that.
        require!(self.co.is(CoStakeState::None), E::CoStakerPresent);
        self.co = CoStake {
            staker: *staker,
            amount,
            until: 0,
            reward_bps,
            state: CoStakeState::Active as u8,
            _pad: [0; 5],
        };
        self.close_offer();
        require!(self.counted(now) >= minimum, E::OfferInvalid);
        self.refresh(minimum, now);
        self.invariant()
    }

    /// Starts the wait of a co-staker who leaves; returns its end. A lease doesn't hold it back, and goes
    /// on: a supplier that leases its device to itself would keep the co-staker in for ever.
    pub fn leave(&mut self, staker: &Address, wait: u64, now: u64) -> Result<u64> {
        require!(self.co.is(CoStakeState::Active) && self.co.staker == *staker, E::NotCoStaker);
        self.co.state = CoStakeState::Waiting as u8;
        self.co.until = now.checked_add(wait).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(self.co.until)
    }

    /// Takes a co-stake of `staker` out once its cooldown is over; returns it, and since when it could be: not while a
    /// slash froze it.
    pub fn withdraw_co_stake(&mut self, staker: &Address, cooldown: u64, now: u64) -> Result<(u64, u64)> {
        self.require_no_slash(now)?;
        self.settle(cooldown, now)?;
        let due =
            |each: &CoStake| each.is(CoStakeState::Cooling) && each.staker == *staker && now >= each.until;
        let CoStake { amount, until, .. } = if due(&self.leaving) {
            self.leaving.take()
        } else if due(&self.co) {
            self.co.take()
        } else {
            return Err(E::NothingToWithdraw.into());
        };
        self.settle(cooldown, now)?;
        self.invariant()?;
        Ok((amount, until.max(self.frozen_until)))
    }

    /// What the supplier states of it. Orders that were opened before don't get the device, unless all that
    /// changes is that an ask falls away, or whether the worker may end a lease: nobody gains by that.
    pub fn change(&mut self, terms: &DeviceTerms, now: u64) -> Result<()> {
        self.require_active()?;
        let kept = |old: u64, new: u64| new == old || new == 0;
        let quiet = self.tier == terms.tier
            && self.country == terms.country
            && kept(self.ask_io, terms.ask_io)
            && kept(self.ask_usdc, terms.ask_usdc);
        if !quiet {
            self.changed_at = now;
        }
        self.tier = terms.tier;
        self.country = terms.country;
        self.ask_io = terms.ask_io;
        self.ask_usdc = terms.ask_usdc;
        self.worker_may_end = terms.worker_may_end;
        self.invariant()
    }

    /// Sends the supplier's rewards and pay of the hours and leases to come to another wallet; returns the one before.
    /// Orders that were opened before don't get the device: a renter's own wallet would refuse that renter alone.
    pub fn set_payout(&mut self, to: &Address, now: u64) -> Result<Address> {
        let from = core::mem::replace(&mut self.payout, *to);
        self.changed_at = now;
        self.invariant()?;
        Ok(from)
    }

    /// The worker's no to further leases: both asks fall away. Nothing else is in its power.
    pub fn pause(&mut self) -> Result<()> {
        self.require_active()?;
        self.ask_io = 0;
        self.ask_usdc = 0;
        self.invariant()
    }

    /// Leases the device to `lease` of `order`, opened at `opened_at`: it must be free, whole, staked enough and not
    /// barred, and its last lease another order's. Returns the lease's number.
    pub fn lease_to(
        &mut self,
        lease: &Address,
        order: &Address,
        opened_at: u64,
        minimum: u64,
        now: u64,
    ) -> Result<u64> {
        self.require_active()?;
        self.require_free()?;
        require!(!bool::from(self.slash_pending), E::SlashPending);
        require!(*lease != Address::default(), E::ZeroAddress);
        require!(self.counted(now) >= minimum, E::StakeInsufficient);
        require!(now >= self.barred_until, E::DeviceBarred);
        require!(opened_at != self.last_order_at || *order != self.last_order, E::OrderServed);
        self.lease = *lease;
        self.last_order = *order;
        self.last_order_at = opened_at;
        self.leases = self.leases.checked_add(1).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(self.leases)
    }

    /// Frees the device from `lease`, which served `seconds`, and counts what became of it. With `strike` it
    /// is barred: twice as long each time, from the start again once it has served [`CLEAR`] since.
    pub fn free_from(
        &mut self,
        lease: &Address,
        seconds: u64,
        outcome: LeaseOutcome,
        strike: bool,
        now: u64,
    ) -> Result<()> {
        require!(*lease != Address::default() && self.lease == *lease, E::WrongLease);
        self.lease = Address::default();
        let counter = match outcome {
            LeaseOutcome::Done => Some(&mut self.leases_done),
            LeaseOutcome::Failed => Some(&mut self.leases_failed),
            LeaseOutcome::None => None,
            LeaseOutcome::Disputed => return Err(E::OutcomeInvalid.into()),
        };
        if let Some(counter) = counter {
            *counter = counter.checked_add(1).ok_or(E::Overflow)?;
            self.hired_seconds = self.hired_seconds.checked_add(seconds).ok_or(E::Overflow)?;
        }
        if strike {
            self.strike(now)?;
        }
        self.invariant()
    }

    fn strike(&mut self, now: u64) -> Result<()> {
        if self.hired_seconds.saturating_sub(self.served_at_strike) >= CLEAR {
            self.strikes = 0;
        }
        // So many doublings that the bar is longer than any.
        let doublings = self.strikes.min(MAX_BAR.ilog2() as u8);
        let bar = (BAR << doublings).min(MAX_BAR);
        self.strikes = self.strikes.saturating_add(1);
        self.served_at_strike = self.hired_seconds;
        self.barred_until = now.checked_add(bar).ok_or(E::Overflow)?;
        Ok(())
    }

    /// Counts what is found later about the lease with this number, of the device that was registered at
    /// `registered_at`: that it failed though it had counted as done, `seconds` of it, that as many weren't served of
    /// one that had failed already, or that it is disputed.
    /// False, and nothing happens, when this is another device at the old worker's address.
    pub fn record(
        &mut self,
        registered_at: u64,
        number: u64,
        outcome: LeaseOutcome,
        seconds: u64,
    ) -> Result<bool> {
        if self.registered_at != registered_at || self.leases < number {
            return Ok(false);
        }
        match outcome {
            LeaseOutcome::Failed => {
                self.leases_done = self.leases_done.checked_sub(1).ok_or(E::InvariantViolated)?;
                self.leases_failed = self.leases_failed.checked_add(1).ok_or(E::Overflow)?;
                self.hired_seconds = self.hired_seconds.saturating_sub(seconds);
            }
            LeaseOutcome::None => self.hired_seconds = self.hired_seconds.saturating_sub(seconds),
            LeaseOutcome::Disputed => {
                self.disputes = self.disputes.checked_add(1).ok_or(E::Overflow)?;
            }
            LeaseOutcome::Done => return Err(E::OutcomeInvalid.into()),
        }
        self.invariant()?;
        Ok(true)
    }

    /// Ends the device's life: it earns and is leased no more, and its stakes wait to be taken out.
    pub fn terminate(&mut self) -> Result<()> {
        self.require_active()?;
        self.require_free()?;
        self.terminated = true.into();
        self.sufficient_since = 0;
        self.close_offer();
        self.invariant()
    }

    /// Takes `bps` of every stake on the device, cooling ones included; returns what is burned.
    pub fn slash(&mut self, bps: u16, minimum: u64, now: u64) -> Result<u64> {
        let mut burned = 0u64;
        let Device { own, own_cooling, co, leaving, .. } = self;
        for stake in [own, own_cooling, &mut co.amount, &mut leaving.amount] {
            let part = mul_div_floor(*stake, bps as u64, BPS).ok_or(E::Overflow)?;
            *stake = stake.checked_sub(part).ok_or(E::InvariantViolated)?;
            burned = burned.checked_add(part).ok_or(E::Overflow)?;
        }
        self.end_slash(now)?;
        self.refresh(minimum, now);
        self.invariant()?;
        Ok(burned)
    }

    /// The pending slash is void: nothing goes out until `until`, while operators may vote again.
    pub fn void_slash(&mut self, until: u64) {
        self.slash_pending = false.into();
        self.freeze(until);
    }

    /// The pending slash was executed: for [`REVOTE`] nothing goes out yet. Otherwise whoever executes it could
    /// take the stakes out in the same moment, before operators can bring another piece of evidence.
    fn end_slash(&mut self, now: u64) -> Result<()> {
        self.void_slash(now.checked_add(REVOTE).ok_or(E::Overflow)?);
        Ok(())
    }

    /// The guardian vetoed a slash. One that was pending is so no more; of one that was voided the freeze that
    /// it caused, `frozen_until`, is lifted, with a shorter one below it; another slash that is pending stays
    /// so. [`REVOTE`] is left.
    pub fn veto_slash(&mut self, pending: bool, frozen_until: u64, now: u64) -> Result<()> {
        if pending {
            self.slash_pending = false.into();
        }
        if self.frozen_until == frozen_until {
            self.frozen_until = 0;
        }
        self.freeze(now.checked_add(REVOTE).ok_or(E::Overflow)?);
        Ok(())
    }

    fn freeze(&mut self, until: u64) {
        self.frozen_until = self.frozen_until.max(until);
    }

    /// Everything that is owed to stakers here, base units.
    pub fn liability(&self) -> Result<u64> {
        let parts = [self.own, self.own_cooling, self.co.amount, self.leaving.amount];
        let sum = parts.iter().try_fold(0u64, |sum, part| sum.checked_add(*part));
        Ok(sum.ok_or(E::Overflow)?)
    }

    /// Refuses unless the device can be closed: terminated, nothing staked, nothing pending.
    pub fn require_empty(&self) -> Result<()> {
        require!(!bool::from(self.slash_pending), E::SlashPending);
        require!(bool::from(self.terminated) && self.liability()? == 0, E::DeviceNotEmpty);
        Ok(())
    }

    /// Refuses a terminated device.
    pub fn require_active(&self) -> Result<()> {
        require!(!bool::from(self.terminated), E::DeviceTerminated);
        Ok(())
    }

    fn require_free(&self) -> Result<()> {
        require!(self.lease == Address::default(), E::DeviceLeased);
        Ok(())
    }

    /// Refuses what would take a stake out of a slash's reach, or a co-staker into it.
    fn require_no_slash(&self, now: u64) -> Result<()> {
        require!(!bool::from(self.slash_pending) && now >= self.frozen_until, E::SlashPending);
        Ok(())
    }

    fn close_offer(&mut self) {
        self.offer = 0;
        self.offer_reward_bps = 0;
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.worker_may_end <= 1, E::FlagInvalid);
        require!((1..=MAX_PROCESSORS).contains(&self.processors), E::ProcessorsInvalid);
        require!((1..=MAX_TIER).contains(&self.tier), E::TierInvalid);
        require!(self.country.iter().all(u8::is_ascii_uppercase), E::CountryInvalid);
        require!(self.payout != Address::default(), E::ZeroAddress);
        for each in [&self.co, &self.leaving] {
            let nobody = each.staker == Address::default();
            require!(nobody == each.is(CoStakeState::None), E::InvariantViolated);
        }
        self.liability()?;
        Ok(())
    }
}
