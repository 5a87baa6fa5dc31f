//! Every transition of the config and its parameters: where it leads, each of its refusals, and the edges between.

mod fixtures;

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    fixtures::*,
    ionet_common::calendar::{DAY, HOUR},
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{carry, tally, Config, Paid, Params, Tally, Wallet},
    },
};

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
    Params { claim_limit: MIN_CLAIM_LIMIT, ..good }.check().unwrap();
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
fn it_begins_with_both_offices_and_parameters_within_their_bounds() {
    let empty = Config { version: ACCOUNT_VERSION, ..Config::zeroed() };
    let mut begun = empty;
    begun.begin(key(1), key(2), params(5, 3)).unwrap();
    assert_eq!((begun.admin, begun.guardian, begun.params), (key(1), key(2), params(5, 3)));
    for (admin, guardian) in [(Address::default(), key(2)), (key(1), Address::default())] {
        refused(Config { ..empty }.begin(admin, guardian, params(5, 3)), E::ZeroAddress);
    }
    refused(Config { ..empty }.begin(key(1), key(2), params(5, 2)), E::OperatorsInvalid);
    let hasty = Params { cooldown: 0, ..params(5, 3) };
    refused(Config { ..empty }.begin(key(1), key(2), hasty), E::ParamsInvalid);
}

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
    config.set_pause(PAUSE_REWARDS, NOW + 1, NOW).unwrap();
    refused(config.require_running(PAUSE_REWARDS, NOW), E::Paused);
    config.require_running(PAUSE_STAKING, NOW).unwrap();
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
fn the_admin_hands_over_in_two_steps() {
    let mut config = Config { admin: key(1), ..config() };
    refused(config.accept_admin(), E::NothingProposed);
    config.propose_admin(key(2)).unwrap();
    assert_eq!((config.admin, config.accept_admin()), (key(1), Ok(key(1))));
    assert_eq!((config.admin, config.pending_admin), (key(2), Address::default()));
}

#[test]
fn each_change_of_a_key_is_noted_at_its_slot() {
    let first = config();
    assert_eq!((first.changed_since(0), first.slot_since), (0, [0; MAX_OPERATORS as usize]));
    // The same list, another figure.
    let second = applied(&first, Params { cooldown: DAY, ..params(3, 2) });
    assert_eq!((second.revision, second.slot_since, second.changed_since(0)), (1, first.slot_since, 0));
    // A key replaced in place, one that joins, one that leaves.
    let third = applied(&second, replaced(params(4, 3), &[1]));
    assert_eq!(third.slot_since[..5], [0, 2, 0, 2, 0]);
    assert_eq!((third.changed_since(0), third.changed_since(1), third.changed_since(2)), (0b1010, 0b1010, 0));
    let fourth = applied(&third, replaced(params(3, 2), &[1]));
    assert_eq!((fourth.slot_since[..5].to_vec(), fourth.changed_since(2)), (vec![0, 2, 0, 3, 0], 0b1000));
}

#[test]
fn votes_of_slots_that_kept_their_key_stay() {
    let mut spread = Spread(2);
    for _ in 0..500 {
        // A history of lists; each vote is of one of its revisions.
        let mut history = vec![config()];
        for _ in 0..1 + spread.below(4) {
            let last = history.last().unwrap();
            let count = 3 + spread.below(10) as u8;
            let slots: Vec<usize> = (0..count as usize).filter(|_| spread.below(4) == 0).collect();
            history.push(applied(last, replaced(params(count, count), &slots)));
        }
        let (now, from) = (*history.last().unwrap(), spread.below(history.len() as u64) as usize);
        let mut votes = [7u16; MAX_OPERATORS as usize];
        let mut revision = from as u32;
        carry(&now, &mut revision, &mut votes);
        assert_eq!(revision, now.revision);
        for (slot, vote) in votes.iter().enumerate() {
            let at = |each: &Config| each.params.operators[slot];
            let kept = history[from..].windows(2).all(|pair| at(&pair[0]) == at(&pair[1]));
            assert_eq!(*vote == 7, kept, "slot {slot} from {from}");
        }
        // Looked at once more, nothing changes.
        let again = votes;
        carry(&now, &mut revision, &mut votes);
        assert_eq!(votes, again);
    }
}

#[test]
fn votes_are_counted_among_those_that_count() {
    let config = Config { params: params(5, 3), ..config() };
    let mut votes = [0u16; MAX_OPERATORS as usize];
    votes[..7].copy_from_slice(&[4, 4, 0, 0, 0, 4, 9]);
    assert_eq!(tally(&config, &votes, &4), Tally { enough: false, conflict: false });
    votes[4] = 4;
    assert_eq!(tally(&config, &votes, &4), Tally { enough: true, conflict: false });
    votes[3] = 9;
    assert_eq!(tally(&config, &votes, &4), Tally { enough: true, conflict: true });
    assert_eq!(tally(&config, &votes, &9), Tally { enough: false, conflict: true });
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
    let claim = |config: &mut Config, due| config.claim(&mut Wallet::zeroed(), due, false, NOW);
    let mut config = config();
    refused(claim(&mut Config { ..config }, 1), E::InvariantViolated);
    refused(config.finalise(1, 10), E::BlockOutOfOrder);
    config.finalise(0, 10).unwrap();
    refused(config.finalise(0, 10), E::BlockOutOfOrder);
    refused(config.finalise(1, 9), E::TotalOutOfRange);
    config.finalise(1, 10).unwrap();
    assert_eq!(claim(&mut config, 10), Ok(Paid { amount: 10, reserve: 0 }));
    assert_eq!((config.next_hour, config.final_total, config.claimed), (2, 10, 10));
    refused(claim(&mut Config { ..config }, 1), E::InvariantViolated);
    refused(claim(&mut Config { claimed: u64::MAX, ..config }, 1), E::Overflow);
    refused(Config { next_hour: u32::MAX, ..config }.finalise(u32::MAX, 10), E::Overflow);
}

const BEGIN: u64 = NOW - NOW % HOUR;
const HALF: u64 = LIMIT / 2;

/// A config that owes any amount.
fn owing() -> Config {
    Config { final_total: u64::MAX, ..config() }
}

/// What a claim of a wallet of its own is paid.
fn paid(config: &mut Config, due: u64, signed: bool, now: u64) -> (u64, u64) {
    let Paid { amount, reserve } = config.claim(&mut Wallet::zeroed(), due, signed, now).unwrap();
    (amount, reserve)
}

#[test]
fn what_others_call_for_draws_from_one_half_of_the_hour() {
    let mut config = owing();
    let none = |config: &mut Config, now| {
        refused(config.claim(&mut Wallet::zeroed(), 1, false, now), E::ClaimLimit);
    };
    assert_eq!(paid(&mut config, HALF - 1, false, BEGIN), (HALF - 1, 0));
    assert_eq!((config.claim_hour, config.claimed_in_hour), (BEGIN / HOUR, HALF - 1));
    // The rest of the half, to the hour's last second; then the next hour's.
    assert_eq!(paid(&mut config, 5, false, BEGIN + HOUR - 1), (1, 0));
    none(&mut config, BEGIN + HOUR - 1);
    assert_eq!(paid(&mut config, u64::MAX, false, BEGIN + HOUR), (HALF, 0));
    assert_eq!((config.claim_hour, config.claimed_in_hour), (BEGIN / HOUR + 1, HALF));
    assert_eq!((config.claimed, config.reserve_in_hour), (2 * HALF, 0));
    // A clock that is set back starts no hour anew.
    none(&mut config, BEGIN);
    // A higher limit pays on within the hour, a lower one takes nothing back; of an odd one the reserve is
    // the smaller half.
    config.params.claim_limit = LIMIT + 7;
    assert_eq!(paid(&mut config, u64::MAX, false, BEGIN + HOUR), (4, 0));
    config.params.claim_limit = MIN_CLAIM_LIMIT;
    none(&mut config, BEGIN + HOUR);
    refused(config.claim(&mut Wallet::zeroed(), 1, true, BEGIN + HOUR), E::ClaimLimit);
    assert_eq!(paid(&mut config, u64::MAX, false, BEGIN + 2 * HOUR), (MIN_CLAIM_LIMIT / 2, 0));
}

#[test]
fn a_reserve_that_a_lower_limit_finds_used_up_holds_back_nothing() {
    // 6,000 IO went out of the reserve, which is 5,000 now: of the hour's 10,000 there are 4,000 for anybody.
    let mut config = owing();
    for _ in 0..6 {
        assert_eq!(paid(&mut config, SMALL_CLAIM, true, BEGIN), (SMALL_CLAIM, SMALL_CLAIM));
    }
    config.params.claim_limit = 10 * SMALL_CLAIM;
    assert_eq!(paid(&mut config, 1, true, BEGIN), (1, 0));
    assert_eq!(paid(&mut config, u64::MAX, false, BEGIN), (4 * SMALL_CLAIM - 1, 0));
    assert_eq!((config.claimed_in_hour, config.reserve_in_hour), (10 * SMALL_CLAIM, 6 * SMALL_CLAIM));
}

#[test]
fn a_small_claim_that_its_wallet_signs_finds_the_reserve() {
    let mut config = owing();
    paid(&mut config, HALF, false, BEGIN);
    let mut wallet = Wallet::zeroed();
    let mut sign = |config: &mut Config, due, now| {
        config.claim(&mut wallet, due, true, now).map(|paid| (paid.amount, paid.reserve))
    };
    assert_eq!(sign(&mut config, 10, BEGIN), Ok((10, 10)));
    // No more than its part in the hour; a part of its own in the next.
    let rest = SMALL_CLAIM - 10;
    assert_eq!(sign(&mut config, SMALL_CLAIM, BEGIN), Ok((rest, rest)));
    refused(sign(&mut config, 1, BEGIN + HOUR - 1), E::ClaimLimit);
    assert_eq!(config.reserve_in_hour, SMALL_CLAIM);
    assert_eq!(sign(&mut config, 2 * SMALL_CLAIM, BEGIN + HOUR), Ok((2 * SMALL_CLAIM, SMALL_CLAIM)));
    assert_eq!((config.claimed_in_hour, config.reserve_in_hour), (2 * SMALL_CLAIM, SMALL_CLAIM));
    // Its reserve comes first, whatever else is left.
    assert_eq!(paid(&mut config, SMALL_CLAIM - 1, true, BEGIN + HOUR), (SMALL_CLAIM - 1, SMALL_CLAIM - 1));
    // The reserve ends, too: then everybody waits for the next hour.
    let wallets = HALF / SMALL_CLAIM;
    let mut config = owing();
    for _ in 0..wallets {
        assert_eq!(paid(&mut config, SMALL_CLAIM, true, BEGIN), (SMALL_CLAIM, SMALL_CLAIM));
    }
    assert_eq!(paid(&mut config, 1, true, BEGIN), (1, 0));
    assert_eq!(paid(&mut config, u64::MAX, true, BEGIN), (HALF - 1, 0));
    refused(config.claim(&mut Wallet::zeroed(), 1, true, BEGIN), E::ClaimLimit);
    assert_eq!(config.claimed, LIMIT);
}

#[test]
fn no_order_of_claims_passes_the_limit_or_empties_the_reserve_of_others() {
    let mut spread = Spread(1);
    for round in 0..200 {
        let mut config = owing();
        config.params.claim_limit = MIN_CLAIM_LIMIT + spread.below(MIN_CLAIM_LIMIT);
        let limit = config.params.claim_limit;
        let mut wallets = [Wallet::zeroed(); 8];
        let (mut open, mut signed_all) = (0, 0);
        for _ in 0..60 {
            let (wallet, due) = (spread.below(8) as usize, 1 + spread.below(2 * SMALL_CLAIM));
            let signed = spread.below(2) == 1;
            let before = wallets[wallet];
            let Ok(Paid { amount, reserve }) = config.claim(&mut wallets[wallet], due, signed, BEGIN) else {
                continue;
            };
            assert!(amount > 0 && amount <= due && reserve <= amount && (signed || reserve == 0));
            assert_eq!(wallets[wallet].claimed, before.claimed + amount);
            assert!(wallets[wallet].claimed_in_hour <= SMALL_CLAIM);
            open += amount - reserve;
            signed_all += reserve;
            assert_eq!((config.claimed_in_hour, config.reserve_in_hour), (open + signed_all, signed_all));
            assert!(open <= limit - limit / 2 && signed_all <= limit / 2, "round {round}");
        }
        // Whoever signs and took nothing yet is paid as long as the reserve has something.
        if signed_all < limit / 2 {
            assert_eq!(paid(&mut config, 1, true, BEGIN), (1, 1), "round {round}");
        }
    }
}

#[test]
fn config_invariant() {
    config().invariant().unwrap();
    refused(Config { claimed: 1, ..config() }.invariant(), E::InvariantViolated);
}
