//! Every transition of the config, its parameters and the classes: where it leads, each of its refusals, and the
//! edges between.

mod fixtures;

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    fixtures::*,
    ionet_common::{
        calendar::{DAY, HOUR},
        supply::IO,
    },
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{Class, Config, Params},
    },
};

// -- class ----------------------------------------------------------------------------------------

fn class(multiplier: u16) -> Class {
    let mut class = Class { version: ACCOUNT_VERSION, multiplier, ..Class::zeroed() };
    class.name[0] = b'X';
    class
}

#[test]
fn minimum_of_a_class() {
    for (multiplier, processors, io) in
        [(1_000, 8, 16_000), (125, 4, 1_000), (101, 1, 202), (100, 1, 200), (99, 1, 200), (0, 8, 1_600)]
    {
        assert_eq!(class(multiplier).minimum(processors, NOW), Ok(io * IO));
    }
    assert_eq!(class(MAX_MULTIPLIER).minimum(MAX_PROCESSORS, NOW), Ok(800_000 * IO));
}

#[test]
fn another_multiplier_after_its_notice() {
    let mut class = class(100);
    class.change(250, NOTICE, NOW).unwrap();
    assert_eq!((class.multiplier(NOW), class.multiplier(NOW + NOTICE - 1)), (100, 100));
    assert_eq!((class.multiplier(NOW + NOTICE), class.minimum(1, NOW + NOTICE)), (250, Ok(500 * IO)));
    // A proposal in place of one that waits, and one after it has taken effect.
    class.change(300, NOTICE, NOW + DAY).unwrap();
    assert_eq!((class.multiplier(NOW + NOTICE), class.multiplier(NOW + DAY + NOTICE)), (100, 300));
    let later = NOW + DAY + NOTICE;
    class.change(0, DAY, later).unwrap();
    assert_eq!((class.multiplier(later + DAY - 1), class.multiplier(later + DAY)), (300, 0));
    refused(class.change(MAX_MULTIPLIER + 1, DAY, NOW), E::ClassInvalid);
    refused(class.change(1, DAY, u64::MAX), E::Overflow);
}

#[test]
fn class_invariant() {
    let good = class(MAX_MULTIPLIER);
    good.invariant().unwrap();
    refused(Class { version: 0, ..good }.invariant(), E::UnknownVersion);
    for bad in [
        Class { name: [0; 24], ..good },
        Class { pool: 2, ..good },
        Class { kind: 3, ..good },
        Class { multiplier: MAX_MULTIPLIER + 1, ..good },
        Class { pending_multiplier: MAX_MULTIPLIER + 1, ..good },
    ] {
        refused(bad.invariant(), E::ClassInvalid);
    }
}

// -- parameters -----------------------------------------------------------------------------------

#[test]
fn parameters_within_their_bounds() {
    let good = params(3, 2);
    good.check().unwrap();
    for bad in [
        Params { cooldown: 0, ..good },
        Params { cooldown: MAX_COOLDOWN + 1, ..good },
        Params { co_stake_wait: 0, ..good },
        Params { co_stake_wait: MAX_CO_STAKE_WAIT + 1, ..good },
        Params { challenge_window: 0, ..good },
        Params { challenge_window: MAX_CHALLENGE_WINDOW + 1, ..good },
        Params { appeal: 0, ..good },
        Params { appeal: MAX_APPEAL + 1, ..good },
        Params { notice: 0, ..good },
        Params { notice: MAX_NOTICE + 1, ..good },
        Params { claim_limit: MIN_CLAIM_LIMIT - 1, ..good },
        Params { max_slash_bps: 0, ..good },
        Params { max_slash_bps: MAX_SLASH_BPS + 1, ..good },
        Params { wallet_share_bps: MIN_WALLET_SHARE_BPS - 1, ..good },
        Params { wallet_share_bps: 10_001, ..good },
        Params { _pad: [0, 1], ..good },
    ] {
        refused(bad.check(), E::ParamsInvalid);
    }
    let most = Params {
        cooldown: MAX_COOLDOWN,
        co_stake_wait: MAX_CO_STAKE_WAIT,
        challenge_window: MAX_CHALLENGE_WINDOW,
        appeal: MAX_APPEAL,
        notice: MAX_NOTICE,
        claim_limit: u64::MAX,
        max_slash_bps: MAX_SLASH_BPS,
        wallet_share_bps: MIN_WALLET_SHARE_BPS,
        ..params(MAX_OPERATORS, MAX_OPERATORS)
    };
    most.check().unwrap();
}

#[test]
fn a_quorum_is_more_than_half_of_different_operators() {
    for count in 1..=MAX_OPERATORS {
        for threshold in 0..=MAX_OPERATORS + 1 {
            let is_quorum = threshold > count / 2 && threshold <= count;
            assert_eq!(params(count, threshold).check().is_ok(), is_quorum, "{threshold} of {count}");
        }
    }
    refused(params(0, 1).check(), E::OperatorsInvalid);
    let many = Params { operator_count: MAX_OPERATORS + 1, ..params(MAX_OPERATORS, MAX_OPERATORS) };
    refused(many.check(), E::OperatorsInvalid);
    for (position, operator) in [(2, key(0)), (1, Address::default()), (11, key(11))] {
        let mut bad = params(3, 2);
        bad.operators[position] = operator;
        refused(bad.check(), E::OperatorsInvalid);
    }
}

#[test]
fn an_operators_position_among_those_that_count() {
    let mut params = params(3, 2);
    params.operators[3] = key(3);
    assert_eq!(
        (params.operators().len(), params.operator(&key(0)), params.operator(&key(2))),
        (3, Ok(0), Ok(2))
    );
    refused(params.operator(&key(3)), E::NotOperator);
    refused(params.operator(&Address::default()), E::NotOperator);
}

// -- config ---------------------------------------------------------------------------------------

#[test]
fn pauses_lapse() {
    let mut config = config();
    for mask in [4, u32::MAX] {
        refused(config.set_pause(mask, NOW, NOW), E::PauseMaskInvalid);
    }
    refused(config.set_pause(PAUSE_STAKING, NOW + MAX_PAUSE + 1, NOW), E::PauseTooLong);
    config.set_pause(PAUSE_STAKING, NOW + MAX_PAUSE, NOW).unwrap();
    refused(config.require_running(PAUSE_STAKING, NOW + MAX_PAUSE - 1), E::Paused);
    config.require_running(PAUSE_REWARDS, NOW).unwrap();
    config.require_running(PAUSE_STAKING, NOW + MAX_PAUSE).unwrap();
    config.set_pause(0, 0, NOW).unwrap();
    config.require_running(PAUSE_STAKING | PAUSE_REWARDS, NOW).unwrap();
}

#[test]
fn parameters_change_after_the_notice_in_force() {
    let mut config = config();
    refused(config.apply(NOW), E::NothingProposed);
    refused(config.propose(params(4, 2), NOW), E::OperatorsInvalid);
    let hasty = Params { notice: MIN_NOTICE, ..params(5, 3) };
    config.propose(params(5, 4), NOW).unwrap();
    config.propose(hasty, NOW + 1).unwrap();
    refused(config.apply(NOW + NOTICE), E::NoticeNotOver);
    assert_eq!((config.params, config.revision), (params(3, 2), 0));
    config.apply(NOW + 1 + NOTICE).unwrap();
    assert_eq!((config.params, config.revision), (hasty, 1));
    refused(config.apply(u64::MAX), E::NothingProposed);
}

#[test]
fn the_notice_stays_a_day_at_least() {
    for notice in [1, MIN_NOTICE - 1] {
        refused(config().propose(Params { notice, ..params(3, 2) }, NOW), E::ParamsInvalid);
    }
    config().propose(Params { notice: MIN_NOTICE, ..params(3, 2) }, NOW).unwrap();
    let mut quick = config();
    quick.params.notice = 10;
    refused(quick.propose(Params { notice: 9, ..params(3, 2) }, NOW), E::ParamsInvalid);
    for notice in [10, MIN_NOTICE, MAX_NOTICE] {
        quick.propose(Params { notice, ..params(3, 2) }, NOW).unwrap();
        assert_eq!(quick.pending_at, NOW + 10);
    }
}

#[test]
fn another_guardian_after_the_notice() {
    let mut config = config();
    config.guardian = key(1);
    assert_eq!(config.propose_guardian(key(2), NOW), Ok(NOW + NOTICE));
    refused(config.accept_guardian(NOW + NOTICE - 1), E::GuardianNoticeNotOver);
    assert_eq!((config.guardian, config.pending_guardian), (key(1), key(2)));
    // Another proposal takes the place of the one before, and waits as long.
    assert_eq!(config.propose_guardian(key(1), NOW + 1), Ok(NOW + 1 + NOTICE));
    refused(config.accept_guardian(NOW + NOTICE), E::GuardianNoticeNotOver);
    config.propose_guardian(key(2), NOW).unwrap();
    assert_eq!(config.accept_guardian(NOW + NOTICE), Ok(key(1)));
    assert_eq!(
        (config.guardian, config.pending_guardian, config.guardian_at),
        (key(2), Address::default(), 0)
    );
    // Zero withdraws, and needs no time.
    config.propose_guardian(key(1), NOW).unwrap();
    assert_eq!(config.propose_guardian(Address::default(), NOW), Ok(0));
    assert_eq!((config.pending_guardian, config.guardian_at), (Address::default(), 0));
    refused(config.propose_guardian(key(1), u64::MAX), E::Overflow);
}

#[test]
fn a_proposal_is_vetoed() {
    let mut config = config();
    refused(config.cancel(), E::NothingProposed);
    config.propose(params(5, 3), NOW).unwrap();
    config.cancel().unwrap();
    refused(config.apply(u64::MAX), E::NothingProposed);
    refused(config.propose(params(5, 3), u64::MAX), E::Overflow);
    let mut last = Config { revision: u32::MAX, ..config };
    last.propose(params(5, 3), NOW).unwrap();
    refused(last.apply(u64::MAX), E::Overflow);
}

#[test]
fn totals_of_stakes() {
    let mut config = config();
    config.stake(10).unwrap();
    config.unstake(3).unwrap();
    config.slash(5).unwrap();
    assert_eq!((config.staked, config.slashed), (2, 5));
    refused(Config { ..config }.stake(u64::MAX), E::Overflow);
    refused(Config { ..config }.unstake(3), E::InvariantViolated);
    refused(Config { ..config }.slash(3), E::InvariantViolated);
    refused(Config { ..config }.slash(u64::MAX), E::Overflow);
}

#[test]
fn hours_in_their_order_and_claims_below_their_total() {
    let mut config = config();
    refused(Config { ..config }.claim(1, NOW), E::InvariantViolated);
    refused(config.finalise(1, 10), E::BlockOutOfOrder);
    config.finalise(0, 10).unwrap();
    refused(config.finalise(0, 10), E::BlockOutOfOrder);
    refused(config.finalise(1, 9), E::TotalOutOfRange);
    config.finalise(1, 10).unwrap();
    assert_eq!(config.claim(10, NOW), Ok(10));
    assert_eq!((config.next_hour, config.final_total, config.claimed), (2, 10, 10));
    refused(Config { ..config }.claim(1, NOW), E::InvariantViolated);
    refused(Config { claimed: u64::MAX, ..config }.claim(1, NOW), E::Overflow);
    refused(Config { next_hour: u32::MAX, ..config }.finalise(u32::MAX, 10), E::Overflow);
}

#[test]
fn an_hour_pays_up_to_its_limit() {
    let begin = NOW - NOW % HOUR;
    let mut config = Config { final_total: u64::MAX, ..config() };
    assert_eq!(config.claim(LIMIT - 1, begin), Ok(LIMIT - 1));
    assert_eq!((config.claim_hour, config.claimed_in_hour), (begin / HOUR, LIMIT - 1));
    // The rest of the limit, to the hour's last second; then the next hour's.
    assert_eq!(config.claim(5, begin + HOUR - 1), Ok(1));
    refused(config.claim(1, begin + HOUR - 1), E::ClaimLimit);
    assert_eq!(config.claim(u64::MAX, begin + HOUR), Ok(LIMIT));
    assert_eq!((config.claim_hour, config.claimed_in_hour), (begin / HOUR + 1, LIMIT));
    assert_eq!(config.claimed, 2 * LIMIT);
    // A clock that is set back starts no hour anew.
    refused(config.claim(1, begin), E::ClaimLimit);
    // A higher limit pays on within the hour, a lower one takes nothing back.
    config.params.claim_limit = LIMIT + 7;
    assert_eq!(config.claim(u64::MAX, begin + HOUR), Ok(7));
    config.params.claim_limit = MIN_CLAIM_LIMIT;
    refused(config.claim(1, begin + HOUR), E::ClaimLimit);
    assert_eq!(config.claim(u64::MAX, begin + 2 * HOUR), Ok(MIN_CLAIM_LIMIT));
}

#[test]
fn config_invariant() {
    config().invariant().unwrap();
    refused(Config { version: 0, ..config() }.invariant(), E::UnknownVersion);
    refused(Config { claimed: 1, ..config() }.invariant(), E::InvariantViolated);
}
