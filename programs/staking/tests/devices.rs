//! Every transition of a device and of what is staked on it: where it leads, and each of its refusals.

use {
    anchor_lang::{
        bytemuck::{bytes_of, Zeroable},
        prelude::*,
    },
    ionet_common::{calendar::DAY, supply::IO},
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{CoStake, CoStakeState, Device, DeviceTerms},
    },
};

const NOW: u64 = 1_720_000_000;
const COOLDOWN: u64 = 14 * DAY;
const WAIT: u64 = 7 * DAY;
const MINIMUM: u64 = 1_000 * IO;
const OFFER: u64 = 400 * IO;
const OWN: u64 = MINIMUM - OFFER;
const SUPPLIER: Address = Address::new_from_array([1; 32]);
const WORKER: Address = Address::new_from_array([2; 32]);
const HELPER: Address = Address::new_from_array([3; 32]);
const OTHER: Address = Address::new_from_array([4; 32]);
const THIRD: Address = Address::new_from_array([5; 32]);

#[track_caller]
fn refused<T>(result: Result<T>, error: E) {
    let found = result.err().expect("it succeeded");
    assert_eq!(found, ProgramError::from(error));
}

fn device() -> Device {
    Device {
        version: ACCOUNT_VERSION,
        processors: 4,
        tier: 4,
        country: *b"CH",
        worker: WORKER,
        supplier: SUPPLIER,
        payout: SUPPLIER,
        ..Device::zeroed()
    }
}

/// A device with so much of its own stake since `NOW`.
fn staked(own: u64) -> Device {
    let mut device = device();
    device.stake(own, MINIMUM, COOLDOWN, NOW).unwrap();
    device
}

/// A device whose offer of a fifth of the rewards is open.
fn offering() -> Device {
    let mut device = staked(OWN);
    device.open_offer(OFFER, 2_000, MINIMUM, COOLDOWN, NOW).unwrap();
    device
}

/// A device that the helper co-stakes since `NOW`.
fn shared() -> Device {
    let mut device = offering();
    device.take_offer(&HELPER, OFFER, 2_000, MINIMUM, COOLDOWN, NOW).unwrap();
    device
}

/// A device whose co-staker waits since `NOW`.
fn left() -> Device {
    let mut device = shared();
    assert_eq!(device.leave(&HELPER, WAIT, NOW), Ok(NOW + WAIT));
    device
}

fn cooling(staker: Address, until: u64) -> CoStake {
    CoStake {
        staker,
        amount: OFFER,
        until,
        reward_bps: 2_000,
        state: CoStakeState::Cooling as u8,
        _pad: [0; 5],
    }
}

// -- what is stated of it -------------------------------------------------------------------------

const TERMS: DeviceTerms =
    DeviceTerms { tier: 4, country: *b"CH", ask_io: 7, ask_usdc: 9, worker_may_end: 0 };

/// A device with those terms since `NOW`.
fn stated() -> Device {
    Device { ask_io: 7, ask_usdc: 9, changed_at: NOW, ..device() }
}

#[test]
fn what_a_match_goes_by_is_newer_from_its_change_on() {
    for terms in [
        DeviceTerms { tier: 3, ..TERMS },
        DeviceTerms { country: *b"CN", ..TERMS },
        DeviceTerms { country: *b"XH", ..TERMS },
        DeviceTerms { ask_io: 8, ..TERMS },
        DeviceTerms { ask_io: 6, ..TERMS },
        DeviceTerms { ask_usdc: 10, ..TERMS },
        DeviceTerms { ask_usdc: 8, ..TERMS },
        DeviceTerms { ask_io: 0, ask_usdc: 8, ..TERMS },
        DeviceTerms { ask_io: 8, ask_usdc: 0, ..TERMS },
        DeviceTerms { ask_io: 0, tier: 1, ..TERMS },
    ] {
        let mut device = stated();
        device.change(&terms, NOW + 5).unwrap();
        assert_eq!(device.changed_at, NOW + 5, "{terms:?}");
        assert_eq!((device.tier, device.country), (terms.tier, terms.country));
        assert_eq!((device.ask_io, device.ask_usdc), (terms.ask_io, terms.ask_usdc));
    }
    // Nobody gains by an ask that falls away, or by what the worker may.
    for terms in [
        TERMS,
        DeviceTerms { ask_io: 0, ..TERMS },
        DeviceTerms { ask_usdc: 0, ..TERMS },
        DeviceTerms { ask_io: 0, ask_usdc: 0, worker_may_end: 1, ..TERMS },
    ] {
        let mut device = stated();
        device.change(&terms, NOW + 5).unwrap();
        assert_eq!(device.changed_at, NOW, "{terms:?}");
        assert_eq!((device.ask_io, device.ask_usdc), (terms.ask_io, terms.ask_usdc));
        assert_eq!(device.worker_may_end, terms.worker_may_end);
    }
    // But by one that comes back.
    let mut device = Device { ask_io: 0, ..stated() };
    device.change(&TERMS, NOW + 5).unwrap();
    assert_eq!(device.changed_at, NOW + 5);
    // And by another payout: the wallet of a renter would refuse that renter.
    let mut device = stated();
    let before = device.payout;
    assert_eq!(device.set_payout(&HELPER, NOW + 5), Ok(before));
    assert_eq!((device.payout, device.changed_at), (HELPER, NOW + 5));
    refused(device.set_payout(&Address::default(), NOW + 6), E::ZeroAddress);
    let mut device = stated();
    refused(device.change(&DeviceTerms { worker_may_end: 2, ..TERMS }, NOW), E::FlagInvalid);
    refused(device.change(&DeviceTerms { tier: 0, ..TERMS }, NOW), E::TierInvalid);
    let mut gone = Device { terminated: true.into(), ..stated() };
    refused(gone.change(&TERMS, NOW), E::DeviceTerminated);
}

#[test]
fn the_worker_takes_the_asks_away_and_nothing_else() {
    let mut device = stated();
    device.pause().unwrap();
    let paused = Device { ask_io: 0, ask_usdc: 0, ..stated() };
    assert_eq!(bytes_of(&device), bytes_of(&paused));
    device.pause().unwrap();
    refused(Device { terminated: true.into(), ..stated() }.pause(), E::DeviceTerminated);
}

// -- own stake ------------------------------------------------------------------------------------

#[test]
fn stake_counts_from_when_it_is_enough() {
    let mut device = staked(MINIMUM - 1);
    assert_eq!((device.own, device.sufficient_since), (MINIMUM - 1, 0));
    refused(device.stake(0, MINIMUM, COOLDOWN, NOW), E::ZeroAmount);
    refused(staked(1).stake(u64::MAX, MINIMUM, COOLDOWN, NOW), E::Overflow);
    device.stake(1, MINIMUM, COOLDOWN, NOW + 5).unwrap();
    device.stake(1, MINIMUM, COOLDOWN, NOW + 9).unwrap();
    assert_eq!((device.own, device.sufficient_since), (MINIMUM + 1, NOW + 5));
}

#[test]
fn what_is_signed_twice_is_staked_and_withdrawn_once() {
    let mut device = staked(MINIMUM);
    for other in [0, MINIMUM - 1, MINIMUM + 1] {
        refused(device.require_own(other), E::NotAsExpected);
    }
    device.require_own(MINIMUM).unwrap();
    device.stake(10, MINIMUM, COOLDOWN, NOW).unwrap();
    refused(device.require_own(MINIMUM), E::NotAsExpected);
    device.require_own(MINIMUM + 10).unwrap();
    device.withdraw_overflow(5, MINIMUM, COOLDOWN, NOW).unwrap();
    refused(device.require_own(MINIMUM + 10), E::NotAsExpected);
}

#[test]
fn overflow_is_what_the_minimum_does_not_need() {
    let mut device = staked(MINIMUM + 10);
    refused(device.withdraw_overflow(0, MINIMUM, COOLDOWN, NOW), E::ZeroAmount);
    refused(device.withdraw_overflow(11, MINIMUM, COOLDOWN, NOW), E::ExceedsOverflow);
    device.withdraw_overflow(10, MINIMUM, COOLDOWN, NOW + 1).unwrap();
    assert_eq!((device.own, device.sufficient_since), (MINIMUM, NOW));
    refused(device.withdraw_overflow(1, MINIMUM, COOLDOWN, NOW), E::ExceedsOverflow);
    // There is none below the minimum; where that falls, the stake is sufficient from then on.
    let mut less = staked(OWN);
    assert_eq!((less.overflow(MINIMUM, NOW), less.overflow(OWN + 1, NOW)), (Ok(0), Ok(0)));
    refused(less.withdraw_overflow(1, MINIMUM, COOLDOWN, NOW), E::ExceedsOverflow);
    less.withdraw_overflow(1, OWN - 1, COOLDOWN, NOW + 5).unwrap();
    assert_eq!((less.own, less.sufficient_since), (OWN - 1, NOW + 5));
}

#[test]
fn beside_a_co_stake_half_of_the_minimum_stays_the_suppliers() {
    // 600 and 400 of what was 1,000 and is 700: 350 stay, though 300 would be enough with the co-stake.
    let lower = 700 * IO;
    for mut device in [shared(), left()] {
        assert_eq!(device.overflow(lower, NOW), Ok(250 * IO));
        refused(device.withdraw_overflow(250 * IO + 1, lower, COOLDOWN, NOW), E::ExceedsOverflow);
        device.withdraw_overflow(250 * IO, lower, COOLDOWN, NOW).unwrap();
        assert_eq!((device.own, device.co.amount, device.sufficient_since), (350 * IO, OFFER, NOW));
        refused(device.withdraw_overflow(1, lower, COOLDOWN, NOW), E::ExceedsOverflow);
    }
    // The half that stays is the larger one of an odd minimum.
    assert_eq!(shared().overflow(701, NOW), Ok(OWN - 351));
    // Below what it must be, all of the own stake stays.
    assert_eq!(Device { own: 1, ..shared() }.overflow(400 * IO, NOW), Ok(0));
    // When the co-stake counts no more, the own one must be all of the minimum.
    assert_eq!(left().overflow(200 * IO, NOW + WAIT - 1), Ok(500 * IO));
    assert_eq!(left().overflow(200 * IO, NOW + WAIT), Ok(400 * IO));
}

#[test]
fn a_full_unstake_cools_and_comes_back_whole() {
    let mut device = staked(MINIMUM + 10);
    refused(device.withdraw(NOW), E::NothingToWithdraw);
    assert_eq!(device.unstake(MINIMUM, COOLDOWN, NOW + 1), Ok((MINIMUM + 10, 0)));
    assert_eq!((device.own, device.own_cooling, device.sufficient_since), (0, MINIMUM + 10, 0));
    refused(device.unstake(MINIMUM, COOLDOWN, NOW + 2), E::NothingStaked);
    refused(device.stake(1, MINIMUM, COOLDOWN, NOW + 2), E::StillCooling);
    refused(device.withdraw_overflow(1, 0, COOLDOWN, NOW + 2), E::ExceedsOverflow);
    refused(device.withdraw(NOW + COOLDOWN), E::NothingToWithdraw);
    assert_eq!(device.withdraw(NOW + 9 + COOLDOWN), Ok((MINIMUM + 10, NOW + 1 + COOLDOWN)));
    refused(device.withdraw(u64::MAX), E::NothingToWithdraw);
    assert_eq!((device.own_until, device.liability()), (0, Ok(0)));
    refused(staked(1).unstake(MINIMUM, COOLDOWN, u64::MAX), E::Overflow);
    let mut most = Device { own: 1, own_cooling: u64::MAX, ..self::device() };
    refused(most.unstake(MINIMUM, COOLDOWN, NOW), E::Overflow);
    // The last base unit comes back, too.
    let mut one = Device { own_cooling: 1, own_until: NOW, ..self::device() };
    assert_eq!(one.withdraw(NOW), Ok((1, NOW)));
}

// -- co-stake -------------------------------------------------------------------------------------

#[test]
fn an_offer_within_its_bounds() {
    const HALF: u64 = MINIMUM / 2;
    let open = |device: &mut Device, amount, bps| device.open_offer(amount, bps, MINIMUM, COOLDOWN, NOW);
    let mut device = staked(HALF);
    for amount in [0, HALF + 1, HALF - 1] {
        refused(open(&mut device, amount, MIN_REWARD_BPS), E::OfferInvalid);
    }
    refused(open(&mut device, u64::MAX, MIN_REWARD_BPS), E::Overflow);
    for bps in [0, MIN_REWARD_BPS - 1, 10_001] {
        refused(open(&mut device, HALF, bps), E::RewardShareInvalid);
    }
    refused(device.withdraw_offer(), E::NoOffer);
    for bps in [MIN_REWARD_BPS, 10_000] {
        open(&mut device, HALF, bps).unwrap();
        refused(open(&mut device, HALF, bps), E::OfferOpen);
        assert_eq!((device.offer, device.offer_reward_bps), (HALF, bps));
        device.withdraw_offer().unwrap();
        assert_eq!((device.offer, device.offer_reward_bps), (0, 0));
    }
    refused(open(&mut shared(), OFFER, 2_000), E::CoStakerPresent);
    // Whose own stake is enough may offer the least, but not nothing.
    let mut enough = staked(MINIMUM);
    refused(open(&mut enough, 0, MIN_REWARD_BPS), E::OfferInvalid);
    open(&mut enough, 1, MIN_REWARD_BPS).unwrap();
    enough.withdraw_offer().unwrap();
    // Half of an odd minimum is rounded down.
    let mut odd = staked(6);
    refused(odd.open_offer(6, 500, 11, COOLDOWN, NOW), E::OfferInvalid);
    odd.open_offer(5, 500, 11, COOLDOWN, NOW).unwrap();
}

#[test]
fn an_offer_is_taken_as_it_was_seen() {
    let take = |device: &mut Device, staker: &Address, amount, bps, minimum| {
        device.take_offer(staker, amount, bps, minimum, COOLDOWN, NOW + 1)
    };
    refused(take(&mut staked(OWN), &HELPER, OFFER, 2_000, MINIMUM), E::NoOffer);
    for own in [&SUPPLIER, &WORKER] {
        refused(take(&mut offering(), own, OFFER, 2_000, MINIMUM), E::OwnCoStake);
    }
    refused(take(&mut offering(), &HELPER, OFFER - 1, 2_000, MINIMUM), E::OfferChanged);
    refused(take(&mut offering(), &HELPER, OFFER, 1_999, MINIMUM), E::OfferChanged);
    refused(take(&mut offering(), &HELPER, OFFER, 2_000, MINIMUM + 1), E::OfferInvalid);
    // More than half of what the minimum has fallen to.
    refused(take(&mut offering(), &HELPER, OFFER, 2_000, 2 * OFFER - 1), E::OfferInvalid);
    take(&mut offering(), &HELPER, OFFER, 2_000, 2 * OFFER).unwrap();
    let mut device = offering();
    take(&mut device, &HELPER, OFFER, 2_000, MINIMUM).unwrap();
    let active = CoStake { state: CoStakeState::Active as u8, ..cooling(HELPER, 0) };
    assert_eq!((device.co, device.offer, device.offer_reward_bps), (active, 0, 0));
    assert_eq!((device.counted(NOW + 1), device.sufficient_since), (MINIMUM, NOW + 1));
}

#[test]
fn a_co_staker_waits_then_cools() {
    refused(shared().leave(&OTHER, WAIT, NOW), E::NotCoStaker);
    refused(staked(MINIMUM).leave(&Address::default(), WAIT, NOW), E::NotCoStaker);
    refused(shared().leave(&HELPER, WAIT, u64::MAX), E::Overflow);
    // Not taken out while it counts.
    refused(shared().withdraw_co_stake(&HELPER, COOLDOWN, u64::MAX), E::NothingToWithdraw);
    refused(left().withdraw_co_stake(&HELPER, COOLDOWN, NOW + WAIT - 1), E::NothingToWithdraw);
    let mut device = left();
    refused(device.leave(&HELPER, WAIT, NOW), E::NotCoStaker);
    // It counts to the wait's last second; nobody has to settle that.
    assert_eq!((device.counted(NOW + WAIT - 1), device.counted(NOW + WAIT)), (MINIMUM, OWN));
    let out = NOW + WAIT + COOLDOWN;
    let mut settled = device;
    settled.settle(COOLDOWN, NOW + WAIT - 1).unwrap();
    assert_eq!(settled.co.state, CoStakeState::Waiting as u8);
    settled.settle(COOLDOWN, NOW + WAIT).unwrap();
    assert_eq!((settled.co, settled.leaving), (CoStake::zeroed(), cooling(HELPER, out)));
    for device in [&mut device, &mut settled] {
        refused(device.withdraw_co_stake(&HELPER, COOLDOWN, out - 1), E::NothingToWithdraw);
        refused(device.withdraw_co_stake(&OTHER, COOLDOWN, out), E::NothingToWithdraw);
        assert_eq!(device.withdraw_co_stake(&HELPER, COOLDOWN, out), Ok((OFFER, out)));
        refused(device.withdraw_co_stake(&HELPER, COOLDOWN, out), E::NothingToWithdraw);
        assert_eq!(device.liability(), Ok(OWN));
    }
}

#[test]
fn the_next_co_staker_starts_the_cooldown_of_one_who_waits() {
    let mut device = left();
    device.open_offer(OFFER, 2_000, MINIMUM, COOLDOWN, NOW).unwrap();
    device.take_offer(&OTHER, OFFER, 2_000, MINIMUM, COOLDOWN, NOW + DAY).unwrap();
    let out = NOW + DAY + COOLDOWN;
    assert_eq!((device.co.staker, device.leaving), (OTHER, cooling(HELPER, out)));
    assert_eq!(device.sufficient_since, NOW, "without a break");
    // While the first one cools there is no room for the second one's successor.
    device.leave(&OTHER, WAIT, NOW + DAY).unwrap();
    device.open_offer(OFFER, 2_000, MINIMUM, COOLDOWN, NOW + DAY).unwrap();
    let mut early = device;
    let taken = early.take_offer(&THIRD, OFFER, 2_000, MINIMUM, COOLDOWN, out - 1);
    refused(taken, E::CoStakerPresent);
    // Anybody takes the first one out, and there is.
    assert_eq!(device.withdraw_co_stake(&HELPER, COOLDOWN, out), Ok((OFFER, out)));
    device.take_offer(&THIRD, OFFER, 2_000, MINIMUM, COOLDOWN, out).unwrap();
    assert_eq!((device.co.staker, device.leaving.staker), (THIRD, OTHER));
    assert_eq!(device.liability(), Ok(MINIMUM + OFFER));
}

#[test]
fn a_gap_that_nobody_settled_is_not_covered_up() {
    let ended = NOW + WAIT;
    let mut device = left();
    device.stake(OFFER, MINIMUM, COOLDOWN, ended - 1).unwrap();
    assert_eq!(device.sufficient_since, NOW, "made up in time");
    let mut device = left();
    device.stake(OFFER, MINIMUM, COOLDOWN, ended).unwrap();
    assert_eq!(device.sufficient_since, ended);
    let mut device = left();
    device.open_offer(OFFER, 500, MINIMUM, COOLDOWN, NOW).unwrap();
    device.take_offer(&OTHER, OFFER, 500, MINIMUM, COOLDOWN, ended).unwrap();
    assert_eq!(device.sufficient_since, ended);
    // The same after the minimum rose.
    let mut device = staked(MINIMUM);
    device.stake(MINIMUM, 2 * MINIMUM, COOLDOWN, NOW + 5).unwrap();
    assert_eq!(device.sufficient_since, NOW + 5);
}

#[test]
fn each_change_writes_down_a_wait_that_is_over() {
    let ended = NOW + WAIT;
    let after = |change: &dyn Fn(&mut Device)| {
        let mut device = Device { own: 2 * MINIMUM, ..left() };
        change(&mut device);
        (device.co.staker, device.leaving)
    };
    let moved = (Address::default(), cooling(HELPER, ended + COOLDOWN));
    assert_eq!(after(&|device| device.stake(1, MINIMUM, COOLDOWN, ended).unwrap()), moved);
    assert_eq!(after(&|device| device.withdraw_overflow(1, MINIMUM, COOLDOWN, ended).unwrap()), moved);
    assert_eq!(after(&|device| device.open_offer(1, 500, MINIMUM, COOLDOWN, ended).unwrap()), moved);
    assert_eq!(
        after(&|device| {
            let _ = device.unstake(MINIMUM, COOLDOWN, ended).unwrap();
        }),
        moved
    );
    // Whoever comes later finds it cooling since its wait was over, and starts nothing anew.
    for taken_at in [ended, ended + DAY] {
        let taken = after(&|device| {
            device.open_offer(1, 500, MINIMUM, COOLDOWN, NOW).unwrap();
            device.take_offer(&OTHER, 1, 500, MINIMUM, COOLDOWN, taken_at).unwrap();
        });
        assert_eq!(taken, (OTHER, moved.1));
    }
    // Taking one out makes room for the next that cools.
    let mut device = left();
    device.leaving = cooling(THIRD, ended);
    assert_eq!(device.withdraw_co_stake(&THIRD, COOLDOWN, ended), Ok((OFFER, ended)));
    assert_eq!((device.co.staker, device.leaving), moved);
    // The next needs no room to be taken out itself.
    let out = ended + COOLDOWN;
    let mut device = left();
    device.leaving = cooling(THIRD, ended);
    assert_eq!(device.withdraw_co_stake(&HELPER, COOLDOWN, out), Ok((OFFER, out)));
    assert_eq!((device.co, device.leaving), (CoStake::zeroed(), cooling(THIRD, ended)));
}

#[test]
fn who_unstakes_takes_the_co_staker_along() {
    let until = NOW + DAY + COOLDOWN;
    for mut device in [shared(), left()] {
        assert_eq!(device.unstake(MINIMUM, COOLDOWN, NOW + DAY), Ok((OWN, OFFER)));
        assert_eq!((device.own_until, device.leaving), (until, cooling(HELPER, until)));
        assert_eq!((device.counted(NOW + DAY), device.sufficient_since), (0, 0));
    }
    // One whose wait was over cools since then, and no longer.
    let mut device = left();
    assert_eq!(device.unstake(MINIMUM, COOLDOWN, NOW + 2 * WAIT), Ok((OWN, 0)));
    assert_eq!(device.leaving, cooling(HELPER, NOW + WAIT + COOLDOWN));
    // An offer that nobody took is closed.
    let mut device = offering();
    device.unstake(MINIMUM, COOLDOWN, NOW).unwrap();
    assert_eq!((device.offer, device.offer_reward_bps), (0, 0));
}

// -- life cycle -----------------------------------------------------------------------------------

#[test]
fn a_leased_device_keeps_its_stakes() {
    let mut device = shared();
    device.lease = OTHER;
    refused(device.unstake(MINIMUM, COOLDOWN, NOW), E::DeviceLeased);
    refused(device.terminate(), E::DeviceLeased);
    device.stake(1, MINIMUM, COOLDOWN, NOW).unwrap();
    device.withdraw_overflow(1, MINIMUM, COOLDOWN, NOW).unwrap();
    // But the co-staker's, who is not held back by what the supplier leases to whom.
    assert_eq!(device.leave(&HELPER, WAIT, NOW), Ok(NOW + WAIT));
    let out = NOW + WAIT + COOLDOWN;
    assert_eq!(device.withdraw_co_stake(&HELPER, COOLDOWN, out), Ok((OFFER, out)));
    assert_eq!((device.lease, device.counted(out)), (OTHER, OWN));
}

#[test]
fn a_terminated_device_only_gives_back() {
    refused(staked(MINIMUM).require_empty(), E::DeviceNotEmpty);
    refused(device().require_empty(), E::DeviceNotEmpty);
    let mut device = offering();
    device.stake(OFFER, MINIMUM, COOLDOWN, NOW).unwrap();
    device.terminate().unwrap();
    assert_eq!((device.sufficient_since, device.offer), (0, 0));
    refused(device.terminate(), E::DeviceTerminated);
    refused(device.stake(1, MINIMUM, COOLDOWN, NOW), E::DeviceTerminated);
    refused(device.open_offer(OFFER, 500, MINIMUM, COOLDOWN, NOW), E::DeviceTerminated);
    refused(device.take_offer(&HELPER, OFFER, 500, MINIMUM, COOLDOWN, NOW), E::DeviceTerminated);
    device.refresh(MINIMUM, NOW);
    assert_eq!(device.sufficient_since, 0);
    device.unstake(MINIMUM, COOLDOWN, NOW).unwrap();
    refused(device.require_empty(), E::DeviceNotEmpty);
    assert_eq!(device.withdraw(NOW + COOLDOWN), Ok((MINIMUM, NOW + COOLDOWN)));
    device.require_empty().unwrap();
}

// -- slash ----------------------------------------------------------------------------------------

#[test]
fn a_slash_takes_its_part_of_every_stake() {
    let stake = |staker, amount| CoStake { amount, ..cooling(staker, NOW) };
    let mut device =
        Device { own: 999, own_cooling: 101, leaving: stake(OTHER, 9), co: stake(HELPER, 55), ..device() };
    device.co.state = CoStakeState::Active as u8;
    device.refresh(1_050, NOW);
    device.slash_pending = true.into();
    // Of 99.9, 10.1, 5.5 and 0.9 the whole units: a share that rounds to nothing is not taken.
    assert_eq!(device.slash(1_000, 1_050, NOW + 1), Ok(99 + 10 + 5));
    assert_eq!((device.own, device.own_cooling), (900, 91));
    assert_eq!((device.co.amount, device.leaving.amount), (50, 9));
    assert_eq!((device.sufficient_since, bool::from(device.slash_pending)), (0, false));
    assert_eq!(device.frozen_until, NOW + 1 + REVOTE);
}

#[test]
fn a_slash_of_any_amount() {
    let mut most = Device { own: u64::MAX, ..device() };
    assert_eq!(most.slash(MAX_SLASH_BPS, MINIMUM, NOW), Ok(u64::MAX / 2));
    refused(device().slash(MAX_SLASH_BPS, MINIMUM, u64::MAX), E::Overflow);
    assert_eq!(device().slash(MAX_SLASH_BPS, MINIMUM, NOW), Ok(0));
    let mut two = Device { own: u64::MAX, own_cooling: u64::MAX, ..device() };
    refused(two.slash(10_000, MINIMUM, NOW), E::Overflow);
    refused(Device { own: 10_000, ..device() }.slash(10_001, MINIMUM, NOW), E::InvariantViolated);
}

#[test]
fn a_pending_slash_holds_everything() {
    let mut device = shared();
    device.unstake(MINIMUM, COOLDOWN, NOW).unwrap();
    device.slash_pending = true.into();
    let late = NOW + 2 * COOLDOWN;
    refused(device.withdraw(late), E::SlashPending);
    refused(device.withdraw_co_stake(&HELPER, COOLDOWN, late), E::SlashPending);
    refused(device.require_empty(), E::SlashPending);
    let mut device = offering();
    device.stake(MINIMUM, MINIMUM, COOLDOWN, NOW).unwrap();
    device.slash_pending = true.into();
    refused(device.withdraw_overflow(1, MINIMUM, COOLDOWN, NOW), E::SlashPending);
    refused(device.take_offer(&HELPER, OFFER, 2_000, MINIMUM, COOLDOWN, NOW), E::SlashPending);
    device.withdraw_offer().unwrap();
    refused(device.open_offer(OFFER, 500, MINIMUM, COOLDOWN, NOW), E::SlashPending);
    // Neither adding nor unstaking is stopped: both stay slashable.
    device.stake(1, MINIMUM, COOLDOWN, NOW).unwrap();
    device.unstake(MINIMUM, COOLDOWN, NOW).unwrap();
}

#[test]
fn nothing_goes_out_for_a_day_after_a_slash_came_to_its_end() {
    let mut device = shared();
    device.unstake(MINIMUM, COOLDOWN, NOW).unwrap();
    let late = NOW + 2 * COOLDOWN;
    device.void_slash(late + 1);
    refused(device.withdraw(late), E::SlashPending);
    refused(device.withdraw_co_stake(&HELPER, COOLDOWN, late), E::SlashPending);
    // It could go out since the freeze's end, however long ago its cooldown was.
    assert_eq!(device.withdraw(late + 1), Ok((OWN, device.frozen_until)));
    assert_eq!(device.withdraw_co_stake(&HELPER, COOLDOWN, late + 1), Ok((OFFER, late + 1)));
    let mut device = offering();
    device.stake(MINIMUM, MINIMUM, COOLDOWN, NOW).unwrap();
    device.void_slash(NOW + 1);
    refused(device.withdraw_overflow(1, MINIMUM, COOLDOWN, NOW), E::SlashPending);
    refused(device.take_offer(&HELPER, OFFER, 2_000, MINIMUM, COOLDOWN, NOW), E::SlashPending);
    device.withdraw_offer().unwrap();
    refused(device.open_offer(OFFER, 500, MINIMUM, COOLDOWN, NOW), E::SlashPending);
    // Nothing that only adds, or starts a cooldown, waits for that; nor does a lease.
    device.stake(1, MINIMUM, COOLDOWN, NOW).unwrap();
    device.lease_to(&OTHER, &THIRD, 0, MINIMUM, NOW).unwrap();
    let mut device = offering();
    device.void_slash(NOW + 1);
    device.unstake(MINIMUM, COOLDOWN, NOW).unwrap();
    let mut gone = Device { terminated: true.into(), ..self::device() };
    gone.void_slash(NOW + 1);
    gone.require_empty().unwrap();
}

#[test]
fn a_freeze_is_never_shortened_but_by_who_may_lift_it() {
    let pending = |frozen_until| Device { slash_pending: true.into(), frozen_until, ..shared() };
    let after = |device: &Device| (bool::from(device.slash_pending), device.frozen_until);
    for (before, until, frozen_until) in [(0, 7, 7), (7, 6, 7), (7, 7, 7), (7, 8, 8)] {
        let mut device = pending(before);
        device.void_slash(until);
        assert_eq!(after(&device), (false, frozen_until));
    }
    let day = NOW + REVOTE;
    for (before, frozen_until) in [(0, day), (day - 1, day), (day + 1, day + 1)] {
        let mut device = pending(before);
        device.slash(1, MINIMUM, NOW).unwrap();
        assert_eq!(after(&device), (false, frozen_until));
    }
    // Of what the vetoed slash itself froze a day is left, of another's freeze everything; and the veto of a
    // voided one leaves another that is pending.
    for (before, own, frozen_until) in
        [(0, 0, day), (day + 9, day + 9, day), (day + 9, day + 8, day + 9), (day + 9, 0, day + 9)]
    {
        for was_pending in [false, true] {
            let mut device = pending(before);
            device.veto_slash(was_pending, own, NOW).unwrap();
            assert_eq!(after(&device), (!was_pending, frozen_until));
        }
    }
    refused(pending(0).veto_slash(true, 0, u64::MAX), E::Overflow);
}

#[test]
fn device_invariant() {
    let good = shared();
    good.invariant().unwrap();
    refused(Device { worker_may_end: 2, ..good }.invariant(), E::FlagInvalid);
    Device { worker_may_end: 1, ..good }.invariant().unwrap();
    Device { processors: 8, ..good }.invariant().unwrap();
    for processors in [0, 9] {
        refused(Device { processors, ..good }.invariant(), E::ProcessorsInvalid);
    }
    for tier in [0, MAX_TIER + 1] {
        refused(Device { tier, ..good }.invariant(), E::TierInvalid);
    }
    for country in [*b"ch", *b"C1", [0; 2]] {
        refused(Device { country, ..good }.invariant(), E::CountryInvalid);
    }
    refused(Device { payout: Address::default(), ..good }.invariant(), E::ZeroAddress);
    refused(Device { own: u64::MAX, ..good }.invariant(), E::Overflow);
    let nobodys = CoStake { staker: Address::default(), ..good.co };
    let stateless = CoStake { state: CoStakeState::None as u8, ..good.co };
    for bad in [nobodys, stateless] {
        refused(Device { co: bad, ..good }.invariant(), E::InvariantViolated);
        refused(Device { leaving: bad, ..good }.invariant(), E::InvariantViolated);
    }
}
