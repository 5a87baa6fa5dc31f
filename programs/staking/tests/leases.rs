//! What the orders program does to a device: let, freed, recorded, and what a device that is let refuses.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
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
const COOLDOWN: u64 = 14 * DAY;

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

fn let_device() -> Device {
    let mut device = device();
    device.let_to(&LEASE, MINIMUM, NOW).unwrap();
    device
}

fn co_staked(state: CoStakeState, until: u64) -> Device {
    let co = CoStake { staker: STAKER, amount: 400 * IO, until, state: state as u8, ..CoStake::zeroed() };
    Device { own: 600 * IO, co, ..device() }
}

#[test]
fn a_whole_free_device_with_its_minimum_is_let() {
    assert_eq!(let_device().lease, LEASE);
    refused(device().let_to(&LEASE, MINIMUM + 1, NOW), E::StakeInsufficient);
    refused(let_device().let_to(&LEASE, MINIMUM, NOW), E::DeviceLeased);
    refused(let_device().let_to(&OTHER, MINIMUM, NOW), E::DeviceLeased);
    refused(device().let_to(&Address::default(), MINIMUM, NOW), E::ZeroAddress);
    let mut gone = Device { terminated: true.into(), ..device() };
    refused(gone.let_to(&LEASE, MINIMUM, NOW), E::DeviceTerminated);
    let mut accused = Device { slash_pending: true.into(), ..device() };
    refused(accused.let_to(&LEASE, MINIMUM, NOW), E::SlashPending);
    let mut cooling = Device { own: 0, own_cooling: MINIMUM, own_until: NOW, ..device() };
    refused(cooling.let_to(&LEASE, MINIMUM, NOW), E::StakeInsufficient);
}

#[test]
fn a_co_stake_counts_to_the_end_of_its_wait() {
    co_staked(CoStakeState::Active, 0).let_to(&LEASE, MINIMUM, NOW).unwrap();
    co_staked(CoStakeState::Waiting, NOW + 1).let_to(&LEASE, MINIMUM, NOW).unwrap();
    refused(co_staked(CoStakeState::Waiting, NOW).let_to(&LEASE, MINIMUM, NOW), E::StakeInsufficient);
    refused(co_staked(CoStakeState::Cooling, NOW + 1).let_to(&LEASE, MINIMUM, NOW), E::StakeInsufficient);
}

#[test]
fn only_its_own_lease_frees_it() {
    refused(let_device().free_from(&OTHER), E::WrongLease);
    refused(let_device().free_from(&Address::default()), E::WrongLease);
    refused(device().free_from(&LEASE), E::WrongLease);
    refused(device().free_from(&Address::default()), E::WrongLease);
    let mut freed = let_device();
    freed.free_from(&LEASE).unwrap();
    assert_eq!(freed.lease, Address::default());
    refused(freed.free_from(&LEASE), E::WrongLease);
    freed.let_to(&OTHER, MINIMUM, NOW).unwrap();
}

#[test]
fn while_it_is_let_the_supplier_stays() {
    refused(let_device().unstake(MINIMUM, COOLDOWN, NOW), E::DeviceLeased);
    refused(let_device().terminate(), E::DeviceLeased);
    let mut shared = co_staked(CoStakeState::Active, 0);
    shared.let_to(&LEASE, MINIMUM, NOW).unwrap();
    assert_eq!(shared.leave(&STAKER, 7 * DAY, NOW), Ok(NOW + 7 * DAY));
    refused(shared.unstake(MINIMUM, COOLDOWN, NOW), E::DeviceLeased);
    // What the minimum doesn't need can go, and more can come; a slash finds its stake.
    let mut rich = Device { own: MINIMUM + 1, ..let_device() };
    rich.withdraw_overflow(1, MINIMUM, COOLDOWN, NOW).unwrap();
    refused(rich.withdraw_overflow(1, MINIMUM, COOLDOWN, NOW), E::ExceedsOverflow);
    rich.stake(5, MINIMUM, COOLDOWN, NOW).unwrap();
    assert_eq!(rich.slash(2_000, MINIMUM, NOW), Ok((MINIMUM + 5) / 5));
    assert_eq!((rich.lease, rich.sufficient_since), (LEASE, 0));
    // Freed, everybody can.
    let mut freed = let_device();
    freed.free_from(&LEASE).unwrap();
    assert_eq!(freed.unstake(MINIMUM, COOLDOWN, NOW), Ok((MINIMUM, 0)));
    freed.terminate().unwrap();
}

#[test]
fn outcomes_are_counted() {
    let mut device = let_device();
    device.record(10 * HOUR, LeaseOutcome::Done).unwrap();
    device.record(HOUR + 1, LeaseOutcome::Failed).unwrap();
    device.record(0, LeaseOutcome::Failed).unwrap();
    device.record(0, LeaseOutcome::Disputed).unwrap();
    assert_eq!(device.hired_seconds, 11 * HOUR + 1);
    assert_eq!((device.leases_done, device.leases_failed, device.disputes), (1, 2, 1));
    let full = device.hired_seconds;
    refused(device.record(u64::MAX - full + 1, LeaseOutcome::Done), E::Overflow);
    let mut most = Device { disputes: u64::MAX, ..let_device() };
    refused(most.record(0, LeaseOutcome::Disputed), E::Overflow);
    for (number, outcome) in [(0, LeaseOutcome::Done), (1, LeaseOutcome::Failed), (2, LeaseOutcome::Disputed)]
    {
        assert_eq!(LeaseOutcome::from_number(number), Ok(outcome));
    }
    for number in [3, u8::MAX] {
        refused(LeaseOutcome::from_number(number), E::OutcomeInvalid);
    }
}
