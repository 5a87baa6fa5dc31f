//! What the orders program does to a device: leased, freed, barred, recorded, and what a leased device refuses.

use {
    anchor_lang::{
        bytemuck::{bytes_of, Zeroable},
        prelude::*,
    },
    ionet_common::{
        calendar::{DAY, HOUR},
        supply::IO,
    },
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{CoStake, CoStakeState, Device, LeaseOutcome},
    },
};

const NOW: u64 = 1_720_000_000;
const MINIMUM: u64 = 1_000 * IO;
const LEASE: Address = Address::new_from_array([3; 32]);
const OTHER: Address = Address::new_from_array([4; 32]);
const STAKER: Address = Address::new_from_array([5; 32]);
const ORDER: Address = Address::new_from_array([6; 32]);
const SECOND: Address = Address::new_from_array([7; 32]);
const COOLDOWN: u64 = 14 * DAY;
/// When the orders were opened.
const OPENED: u64 = NOW - HOUR;

#[track_caller]
fn refused<T>(result: Result<T>, error: E) {
    let found = result.err().expect("it succeeded");
    assert_eq!(found, ProgramError::from(error));
}

/// A free device with exactly its minimum.
fn device() -> Device {
    let one = Address::new_from_array([1; 32]);
    Device {
        version: ACCOUNT_VERSION,
        processors: 4,
        tier: 4,
        country: *b"CH",
        supplier: one,
        payout: one,
        own: MINIMUM,
        sufficient_since: NOW - DAY,
        ..Device::zeroed()
    }
}

fn leased() -> Device {
    let mut device = device();
    device.lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW).unwrap();
    device
}

fn co_staked(state: CoStakeState, until: u64) -> Device {
    let co = CoStake { staker: STAKER, amount: 400 * IO, until, state: state as u8, ..CoStake::zeroed() };
    Device { own: 600 * IO, co, ..device() }
}

#[test]
fn a_whole_free_device_with_its_minimum_is_leased() {
    assert_eq!((leased().lease, leased().last_order, leased().leases), (LEASE, ORDER, 1));
    refused(device().lease_to(&LEASE, &ORDER, OPENED, MINIMUM + 1, NOW), E::StakeInsufficient);
    refused(leased().lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW), E::DeviceLeased);
    refused(leased().lease_to(&OTHER, &ORDER, OPENED, MINIMUM, NOW), E::DeviceLeased);
    refused(device().lease_to(&Address::default(), &ORDER, OPENED, MINIMUM, NOW), E::ZeroAddress);
    let mut gone = Device { terminated: true.into(), ..device() };
    refused(gone.lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW), E::DeviceTerminated);
    let mut accused = Device { slash_pending: true.into(), ..device() };
    refused(accused.lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW), E::SlashPending);
    Device { frozen_until: u64::MAX, ..device() }.lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW).unwrap();
    let mut cooling = Device { own: 0, own_cooling: MINIMUM, own_until: NOW, ..device() };
    refused(cooling.lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW), E::StakeInsufficient);
}

#[test]
fn a_co_stake_counts_to_the_end_of_its_wait() {
    co_staked(CoStakeState::Active, 0).lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW).unwrap();
    co_staked(CoStakeState::Waiting, NOW + 1).lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW).unwrap();
    refused(
        co_staked(CoStakeState::Waiting, NOW).lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW),
        E::StakeInsufficient,
    );
    refused(
        co_staked(CoStakeState::Cooling, NOW + 1).lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW),
        E::StakeInsufficient,
    );
}

#[test]
fn an_order_leases_a_device_once() {
    let mut device = leased();
    free(&mut device, 0, LeaseOutcome::None, false).unwrap();
    refused(device.lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW), E::OrderServed);
    assert_eq!(device.lease_to(&LEASE, &SECOND, OPENED, MINIMUM, NOW), Ok(2));
    free(&mut device, 0, LeaseOutcome::None, false).unwrap();
    assert_eq!(device.lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW), Ok(3), "after another's");
    // Another order at the same address, which the renter opened when the first was closed.
    free(&mut device, 0, LeaseOutcome::None, false).unwrap();
    assert_eq!(device.lease_to(&LEASE, &ORDER, OPENED + 1, MINIMUM, NOW), Ok(4));
    assert_eq!((device.last_order, device.last_order_at), (ORDER, OPENED + 1));
    let mut last = Device { leases: u64::MAX, ..self::device() };
    refused(last.lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW), E::Overflow);
}

fn free(device: &mut Device, seconds: u64, outcome: LeaseOutcome, strike: bool) -> Result<()> {
    device.free_from(&LEASE, seconds, outcome, strike, NOW)
}

#[test]
fn only_its_own_lease_frees_it() {
    for (mut device, lease) in
        [(leased(), OTHER), (leased(), Address::default()), (device(), LEASE), (device(), Address::default())]
    {
        refused(device.free_from(&lease, 0, LeaseOutcome::None, false, NOW), E::WrongLease);
    }
    let mut freed = leased();
    free(&mut freed, 0, LeaseOutcome::None, false).unwrap();
    assert_eq!((freed.lease, freed.barred_until, freed.strikes), (Address::default(), 0, 0));
    refused(free(&mut freed, 0, LeaseOutcome::None, false), E::WrongLease);
    freed.lease_to(&OTHER, &SECOND, OPENED, MINIMUM, NOW).unwrap();
}

#[test]
fn what_became_of_a_lease_is_counted_once_it_ends() {
    let ended = |seconds, outcome| {
        let mut device = Device { hired_seconds: 5, ..leased() };
        free(&mut device, seconds, outcome, false).unwrap();
        (device.hired_seconds, device.leases_done, device.leases_failed, device.disputes)
    };
    assert_eq!(ended(10 * HOUR, LeaseOutcome::Done), (10 * HOUR + 5, 1, 0, 0));
    assert_eq!(ended(HOUR + 1, LeaseOutcome::Failed), (HOUR + 6, 0, 1, 0));
    // One that was never served counts nowhere, whatever is said of its seconds.
    assert_eq!(ended(0, LeaseOutcome::None), (5, 0, 0, 0));
    assert_eq!(ended(7, LeaseOutcome::None), (5, 0, 0, 0));
    refused(free(&mut leased(), 0, LeaseOutcome::Disputed, false), E::OutcomeInvalid);
    for (outcome, error) in [(LeaseOutcome::Done, E::Overflow), (LeaseOutcome::Failed, E::Overflow)] {
        let mut most = Device { leases_done: u64::MAX, leases_failed: u64::MAX, ..leased() };
        refused(free(&mut most, 0, outcome, false), error);
        let mut most = Device { hired_seconds: u64::MAX, ..leased() };
        refused(free(&mut most, 1, outcome, false), E::Overflow);
    }
    for (number, outcome) in
        [LeaseOutcome::Done, LeaseOutcome::Failed, LeaseOutcome::Disputed, LeaseOutcome::None]
            .into_iter()
            .enumerate()
    {
        assert_eq!(LeaseOutcome::from_number(number as u8), Ok(outcome));
    }
    for number in [4, u8::MAX] {
        refused(LeaseOutcome::from_number(number), E::OutcomeInvalid);
    }
}

/// Frees a leased device with a strike, after a lease that served so long.
fn struck(device: &mut Device, seconds: u64) -> u64 {
    device.lease = LEASE;
    let outcome = if seconds > 0 { LeaseOutcome::Failed } else { LeaseOutcome::None };
    device.free_from(&LEASE, seconds, outcome, true, NOW).unwrap();
    device.barred_until - NOW
}

#[test]
fn bars_double_up_to_a_day() {
    let mut device = device();
    let bars: Vec<u64> = (0..300).map(|_| struck(&mut device, 0)).collect();
    assert_eq!(bars[..7], [1, 2, 4, 8, 16, 24, 24].map(|hours| hours * HOUR));
    assert!(bars[5..].iter().all(|bar| *bar == MAX_BAR));
    assert_eq!(device.strikes, u8::MAX);
    refused(
        Device { lease: LEASE, ..device }.free_from(&LEASE, 0, LeaseOutcome::None, true, u64::MAX),
        E::Overflow,
    );
}

#[test]
fn a_barred_device_is_leased_from_the_bars_end_on() {
    let mut device = leased();
    free(&mut device, 0, LeaseOutcome::None, true).unwrap();
    assert_eq!((device.barred_until, device.strikes), (NOW + BAR, 1));
    refused(device.lease_to(&LEASE, &SECOND, OPENED, MINIMUM, NOW + BAR - 1), E::DeviceBarred);
    device.lease_to(&LEASE, &SECOND, OPENED, MINIMUM, NOW + BAR).unwrap();
    // An end without a strike leaves the count.
    free(&mut device, 0, LeaseOutcome::None, false).unwrap();
    assert_eq!((device.barred_until, device.strikes), (NOW + BAR, 1));
}

#[test]
fn a_day_served_since_the_last_strike_clears_them() {
    let mut device = device();
    struck(&mut device, 0);
    struck(&mut device, 100);
    assert_eq!((device.strikes, device.served_at_strike), (2, 100));
    // A second short of a day, this lease's included, and the third bar is the third.
    let mut short = device;
    assert_eq!((struck(&mut short, CLEAR - 1), short.strikes), (4 * BAR, 3));
    let mut enough = device;
    assert_eq!((struck(&mut enough, CLEAR), enough.strikes, enough.served_at_strike), (BAR, 1, CLEAR + 100));
    // Served in several leases, with a fault found later: what was taken back counts not.
    device.lease = LEASE;
    device.free_from(&LEASE, CLEAR, LeaseOutcome::Done, false, NOW).unwrap();
    let mut honest = device;
    assert_eq!(struck(&mut honest, 0), BAR);
    device.leases = 1;
    assert_eq!(device.record(0, 1, LeaseOutcome::Failed, CLEAR), Ok(true));
    assert_eq!(struck(&mut device, 0), 4 * BAR);
    // Also when more was taken back than was served since.
    let mut below = Device { hired_seconds: 5, served_at_strike: 9, strikes: 1, ..self::device() };
    assert_eq!((struck(&mut below, 0), below.served_at_strike), (2 * BAR, 5));
}

#[test]
fn while_it_is_leased_the_supplier_stays() {
    refused(leased().unstake(MINIMUM, COOLDOWN, NOW), E::DeviceLeased);
    refused(leased().terminate(), E::DeviceLeased);
    let mut shared = co_staked(CoStakeState::Active, 0);
    shared.lease_to(&LEASE, &ORDER, OPENED, MINIMUM, NOW).unwrap();
    assert_eq!(shared.leave(&STAKER, 7 * DAY, NOW), Ok(NOW + 7 * DAY));
    refused(shared.unstake(MINIMUM, COOLDOWN, NOW), E::DeviceLeased);
    // What the minimum doesn't need can go, and more can come; a slash finds its stake.
    let mut rich = Device { own: MINIMUM + 1, ..leased() };
    rich.withdraw_overflow(1, MINIMUM, COOLDOWN, NOW).unwrap();
    refused(rich.withdraw_overflow(1, MINIMUM, COOLDOWN, NOW), E::ExceedsOverflow);
    rich.stake(5, MINIMUM, COOLDOWN, NOW).unwrap();
    assert_eq!(rich.slash(2_000, MINIMUM, NOW), Ok((MINIMUM + 5) / 5));
    assert_eq!((rich.lease, rich.sufficient_since), (LEASE, 0));
    // Freed, everybody can.
    let mut freed = leased();
    free(&mut freed, 0, LeaseOutcome::None, true).unwrap();
    assert_eq!(freed.unstake(MINIMUM, COOLDOWN, NOW), Ok((MINIMUM, 0)));
    freed.terminate().unwrap();
}

#[test]
fn what_is_found_later_is_counted_for_the_device_that_it_is_about() {
    let device =
        Device { registered_at: NOW, leases: 3, leases_done: 2, hired_seconds: 9 * HOUR, ..self::device() };
    let record = |number, outcome, seconds| {
        let mut device = device;
        let counted = device.record(NOW, number, outcome, seconds);
        (counted, device.leases_done, device.leases_failed, device.disputes, device.hired_seconds)
    };
    assert_eq!(record(3, LeaseOutcome::Failed, HOUR), (Ok(true), 1, 1, 0, 8 * HOUR));
    assert_eq!(record(1, LeaseOutcome::Failed, 10 * HOUR), (Ok(true), 1, 1, 0, 0));
    assert_eq!(record(3, LeaseOutcome::Disputed, HOUR), (Ok(true), 2, 0, 1, 9 * HOUR));
    // Another device at the old worker's address: nothing, and no refusal that holds anybody up.
    let unchanged = (Ok(false), 2, 0, 0, 9 * HOUR);
    for outcome in [LeaseOutcome::Failed, LeaseOutcome::None, LeaseOutcome::Disputed] {
        assert_eq!(record(4, outcome, HOUR), unchanged);
        for registered_at in [NOW - 1, NOW + 1, 0] {
            let mut other = device;
            assert_eq!(other.record(registered_at, 3, outcome, HOUR), Ok(false));
            assert_eq!(bytes_of(&other), bytes_of(&device));
        }
    }
    // Less of what had failed already: the seconds alone.
    assert_eq!(record(3, LeaseOutcome::None, HOUR), (Ok(true), 2, 0, 0, 8 * HOUR));
    assert_eq!(record(3, LeaseOutcome::None, 10 * HOUR), (Ok(true), 2, 0, 0, 0));
    refused(Device { ..device }.record(NOW, 3, LeaseOutcome::Done, 0), E::OutcomeInvalid);
    let failed = |device: Device| Device { ..device }.record(NOW, 3, LeaseOutcome::Failed, 0);
    refused(failed(Device { leases_done: 0, ..device }), E::InvariantViolated);
    refused(failed(Device { leases_failed: u64::MAX, ..device }), E::Overflow);
    let mut most = Device { disputes: u64::MAX, ..device };
    refused(most.record(NOW, 3, LeaseOutcome::Disputed, 0), E::Overflow);
}
