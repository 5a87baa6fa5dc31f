//! What contradicts itself changes no more: the last call of every transition refuses it.

mod fixtures;

use {
    anchor_lang::bytemuck::Zeroable,
    fixtures::*,
    ionet_common::{calendar::DAY, supply::IO},
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{Bounds, Class, CoStake, CoStakeState, Config, Device, LeaseOutcome},
    },
};

const COOLDOWN: u64 = 14 * DAY;
const MINIMUM: u64 = 1_000 * IO;

/// Claims beyond what was ever final.
fn overdrawn() -> Config {
    Config { claimed: 2, final_total: 1, staked: 10, admin: key(1), guardian: key(2), ..config() }
}

#[test]
fn a_config_that_paid_more_than_it_owed() {
    refused(overdrawn().begin(key(1), key(2), params(3, 2)), E::InvariantViolated);
    refused(overdrawn().set_pause(PAUSE_STAKING, NOW, NOW), E::InvariantViolated);
    refused(overdrawn().propose(params(5, 3), NOW), E::InvariantViolated);
    let proposed = Config { pending: params(5, 3), pending_at: NOW, ..overdrawn() };
    refused(Config { ..proposed }.cancel(), E::InvariantViolated);
    refused(Config { ..proposed }.apply(NOW), E::InvariantViolated);
    refused(overdrawn().propose_admin(key(3)), E::InvariantViolated);
    refused(Config { pending_admin: key(3), ..overdrawn() }.accept_admin(), E::InvariantViolated);
    refused(overdrawn().propose_guardian(key(3), NOW), E::InvariantViolated);
    refused(Config { pending_guardian: key(3), ..overdrawn() }.accept_guardian(NOW), E::InvariantViolated);
    refused(overdrawn().stake(1), E::InvariantViolated);
    refused(overdrawn().unstake(1), E::InvariantViolated);
    refused(overdrawn().slash(1), E::InvariantViolated);
    refused(overdrawn().finalise(0, 1), E::InvariantViolated);
}

#[test]
fn a_class_of_no_pool() {
    let bounds = Bounds { low_io: 1, high_io: 9, low_usdc: 1, high_usdc: 9 };
    let mut class = Class { pool: 2, price_io: 5, price_usdc: 5, bounds, ..Class::zeroed() };
    class.name[0] = b'X';
    refused(Class { ..class }.change(100, DAY, NOW), E::ClassInvalid);
    refused(Class { ..class }.change_bounds(&bounds, DAY, NOW), E::ClassInvalid);
    refused(Class { pending_at: NOW + 1, ..class }.cancel(NOW), E::ClassInvalid);
    refused(Class { ..class }.step(1, 5, 5, NOW), E::ClassInvalid);
    refused(Class { next_io: 5, ..class }.cancel_step(0), E::ClassInvalid);
}

/// Its rewards would go to nobody.
fn unpaid() -> Device {
    Device {
        version: ACCOUNT_VERSION,
        processors: 4,
        tier: 4,
        country: *b"CH",
        supplier: key(1),
        own: 2 * MINIMUM,
        ..Device::zeroed()
    }
}

#[test]
fn a_device_that_pays_nobody() {
    let co = CoStake {
        staker: key(2),
        amount: 1,
        until: 0,
        reward_bps: 500,
        state: CoStakeState::Active as u8,
        _pad: [0; 5],
    };
    let cooling = CoStake { state: CoStakeState::Cooling as u8, ..co };
    refused(unpaid().stake(1, MINIMUM, COOLDOWN, NOW), E::ZeroAddress);
    refused(unpaid().withdraw_overflow(1, MINIMUM, COOLDOWN, NOW), E::ZeroAddress);
    refused(unpaid().unstake(MINIMUM, COOLDOWN, NOW), E::ZeroAddress);
    refused(Device { own_cooling: 1, ..unpaid() }.withdraw(NOW), E::ZeroAddress);
    refused(unpaid().open_offer(1, 500, MINIMUM, COOLDOWN, NOW), E::ZeroAddress);
    let offering = Device { offer: 1, offer_reward_bps: 500, ..unpaid() };
    refused(Device { ..offering }.withdraw_offer(), E::ZeroAddress);
    refused(Device { ..offering }.take_offer(&key(2), 1, 500, MINIMUM, COOLDOWN, NOW), E::ZeroAddress);
    refused(Device { co, ..unpaid() }.leave(&key(2), DAY, NOW), E::ZeroAddress);
    refused(Device { co: cooling, ..unpaid() }.withdraw_co_stake(&key(2), COOLDOWN, NOW), E::ZeroAddress);
    refused(unpaid().pause(), E::ZeroAddress);
    refused(unpaid().lease_to(&key(3), &key(4), NOW, MINIMUM, NOW), E::ZeroAddress);
    let mut leased = Device { lease: key(3), leases: 1, ..unpaid() };
    refused(leased.free_from(&key(3), 1, LeaseOutcome::Done, false, NOW), E::ZeroAddress);
    refused(Device { leases: 1, ..unpaid() }.record(0, 1, LeaseOutcome::Disputed, 0), E::ZeroAddress);
    refused(unpaid().terminate(), E::ZeroAddress);
    refused(unpaid().slash(1_000, MINIMUM, NOW), E::ZeroAddress);
}

#[test]
fn no_time_is_past_64_bits() {
    let waiting = |until| CoStake {
        staker: key(2),
        amount: 1,
        until,
        reward_bps: 500,
        state: CoStakeState::Waiting as u8,
        _pad: [0; 5],
    };
    let good = Device { payout: key(1), ..unpaid() };
    let end = u64::MAX - COOLDOWN + 1;
    refused(Device { co: waiting(end), ..good }.settle(COOLDOWN, end), E::Overflow);
    Device { co: waiting(end - 1), ..good }.settle(COOLDOWN, end).unwrap();
    let mut taken = Device { co: waiting(u64::MAX), offer: 1, offer_reward_bps: 500, ..good };
    refused(taken.take_offer(&key(3), 1, 500, MINIMUM, COOLDOWN, end), E::Overflow);
}
