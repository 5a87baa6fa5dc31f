//! Every transition of a slash: where it leads, each of its refusals, and the edges between.

mod fixtures;

use {
    anchor_lang::bytemuck::Zeroable,
    fixtures::*,
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{Config, Params, Slash, SlashStatus},
    },
};

const BPS: u16 = 1_000;

fn slash() -> Slash {
    Slash { version: ACCOUNT_VERSION, ..Slash::zeroed() }
}

/// A slash that two of three operators voted for at `NOW`.
fn pending() -> Slash {
    let mut slash = slash();
    assert_eq!(slash.vote(&config(), 0, BPS, NOW), Ok(false));
    assert_eq!(slash.vote(&config(), 2, BPS, NOW), Ok(true));
    slash
}

#[test]
fn votes_for_a_slash() {
    let config = config();
    for bps in [0, 2_001] {
        refused(slash().vote(&config, 0, bps, NOW), E::SlashInvalid);
    }
    for bps in [1, 2_000] {
        slash().vote(&config, 0, bps, NOW).unwrap();
    }
    let mut slash = slash();
    refused(slash.vote(&config, MAX_OPERATORS as usize, BPS, NOW), E::NotOperator);
    assert_eq!(slash.vote(&config, 1, BPS, NOW), Ok(false));
    refused(slash.vote(&config, 1, BPS, NOW), E::AlreadyVoted);
    assert_eq!(slash.votes[..4], [0, BPS, 0, 0]);
    assert_eq!(slash.vote(&config, 2, BPS, NOW + 5), Ok(true));
    assert_eq!(slash.votes[..4], [0, BPS, BPS, 0]);
    assert_eq!((slash.bps, slash.appeal_until), (BPS, NOW + 5 + APPEAL));
    refused(slash.vote(&config, 0, BPS, NOW), E::SlashState);
    let mut late = self::slash();
    late.vote(&config, 0, BPS, u64::MAX).unwrap();
    refused(late.vote(&config, 1, BPS, u64::MAX), E::Overflow);
}

#[test]
fn a_split_vote_is_one_slash() {
    let config = Config { params: params(5, 3), ..config() };
    let mut slash = slash();
    for (operator, bps) in [(0, BPS), (1, BPS), (2, 500), (3, 500), (4, 700)] {
        assert_eq!(slash.vote(&config, operator, bps, NOW), Ok(false));
    }
    // The last one decides it once; what it said before counts no more.
    refused(slash.vote(&config, 4, 700, NOW), E::AlreadyVoted);
    assert_eq!(slash.vote(&config, 4, 500, NOW), Ok(true));
    assert_eq!((slash.bps, slash.status), (500, SlashStatus::Pending as u8));
    refused(slash.vote(&config, 4, BPS, NOW), E::SlashState);
    // Operators past the count do not vote.
    let one = Config { params: params(1, 1), ..config };
    let mut outside = self::slash();
    assert_eq!(outside.vote(&one, 5, BPS, NOW), Ok(false));
    assert_eq!(outside.vote(&one, 0, BPS, NOW), Ok(true));
}

#[test]
fn a_change_of_parameters_alone_voids_no_vote() {
    let next = applied(&config(), Params { appeal: APPEAL - 1, threshold: 3, ..params(5, 3) });
    assert_eq!(next.revision, 1);
    // One of two had voted; two of the five that it takes now would not be enough, three are.
    let mut slash = slash();
    slash.vote(&config(), 1, BPS, NOW).unwrap();
    assert_eq!(slash.vote(&next, 3, BPS, NOW), Ok(false));
    refused(slash.vote(&next, 1, BPS, NOW), E::AlreadyVoted);
    assert_eq!(slash.vote(&next, 4, BPS, NOW), Ok(true));
    assert_eq!((slash.votes[..5].to_vec(), slash.revision), (vec![0, BPS, 0, BPS, BPS], 1));
    // A pending one burns at the same second as before.
    let same = applied(&config(), Params { max_slash_bps: 1, ..params(3, 2) });
    let mut slash = pending();
    refused(slash.execute(&same, NOW + APPEAL - 1), E::AppealOpen);
    assert_eq!(slash.execute(&same, NOW + APPEAL), Ok(true));
}

#[test]
fn a_slash_whose_voters_are_gone_is_void_and_freezes() {
    // Operators 0 and 2 had voted; 1 was replaced: nothing happens. 0 was: the vote of 2 alone stays.
    let other = applied(&config(), replaced(params(3, 2), &[1]));
    let next = applied(&other, replaced(other.params, &[0]));
    for (now, frozen_until) in [
        (NOW, NOW + APPEAL),
        (NOW + APPEAL - REVOTE, NOW + APPEAL),
        // Not a second less than operators need, whoever chose the moment.
        (NOW + APPEAL - REVOTE + 1, NOW + APPEAL + 1),
        (NOW + 2 * APPEAL, NOW + 2 * APPEAL + REVOTE),
    ] {
        let mut slash = pending();
        slash.appeal([1; 32], NOW).unwrap();
        if now < NOW + APPEAL {
            refused(slash.execute(&other, now), E::AppealOpen);
        }
        assert_eq!(slash.execute(&next, now), Ok(false));
        assert_eq!((slash.status, slash.revision, slash.bps), (SlashStatus::Voting as u8, 2, 0));
        assert_eq!((slash.votes[..4].to_vec(), slash.appeal_until), (vec![0, 0, BPS, 0], 0));
        assert_eq!((slash.appeal, slash.frozen_until), ([0; 32], frozen_until));
        refused(slash.execute(&next, frozen_until), E::SlashState);
        refused(slash.appeal([1; 32], now), E::SlashState);
        // The operators vote again, at any time, and a whole appeal begins.
        for again in [now, frozen_until - 1, frozen_until] {
            let mut slash = slash;
            refused(slash.vote(&next, 2, BPS, again), E::AlreadyVoted);
            assert_eq!(slash.vote(&next, 0, BPS, again), Ok(true));
            assert_eq!((slash.frozen_until, slash.appeal_until), (frozen_until, again + APPEAL));
            refused(slash.execute(&next, again + APPEAL - 1), E::AppealOpen);
            assert_eq!(slash.execute(&next, again + APPEAL), Ok(true));
        }
    }
    refused(pending().execute(&next, u64::MAX), E::Overflow);
}

#[test]
fn a_lower_threshold_decides_with_a_vote_that_was_given_before() {
    let four = Config { params: params(5, 4), ..config() };
    let mut slash = slash();
    for operator in [0, 1, 2] {
        slash.vote(&four, operator, BPS, NOW).unwrap();
    }
    refused(slash.vote(&four, 2, BPS, NOW), E::AlreadyVoted);
    let three = applied(&four, params(5, 3));
    assert_eq!(slash.vote(&three, 2, BPS, NOW), Ok(true));
}

#[test]
fn the_guardian_vetoes_a_frozen_one_too() {
    let next = applied(&config(), replaced(params(3, 2), &[0]));
    for now in [NOW, NOW + APPEAL - 1] {
        let mut slash = pending();
        slash.execute(&next, NOW).unwrap();
        assert_eq!(slash.veto(now), Ok(false));
        assert_eq!(slash.status, SlashStatus::Vetoed as u8);
        refused(slash.execute(&next, NOW + APPEAL), E::SlashState);
        refused(slash.vote(&next, 1, BPS, NOW), E::SlashState);
    }
    let mut slash = pending();
    slash.execute(&next, NOW).unwrap();
    refused(slash.veto(NOW + APPEAL), E::AppealOver);
    // Voted for again it is like any other: what froze before gives the veto neither less nor more time.
    let mut again = pending();
    assert_eq!(again.execute(&next, NOW + APPEAL - 1), Ok(false));
    assert_eq!(again.vote(&next, 0, BPS, NOW + APPEAL), Ok(true));
    assert_eq!((again.frozen_until, again.appeal_until), (NOW + APPEAL - 1 + REVOTE, NOW + 2 * APPEAL));
    let mut vetoed = again;
    assert_eq!(vetoed.veto(NOW + 2 * APPEAL - 1), Ok(true));
    refused(vetoed.veto(NOW), E::SlashState);
    assert_eq!(again.execute(&next, NOW + 2 * APPEAL), Ok(true));
    refused(again.veto(NOW), E::SlashState);
    // What was vetoed stays vetoed.
    let mut vetoed = pending();
    vetoed.veto(NOW).unwrap();
    refused(vetoed.execute(&next, NOW + APPEAL), E::SlashState);
    refused(vetoed.vote(&next, 0, BPS, NOW), E::SlashState);
}

#[test]
fn the_appeal_period_to_the_second() {
    let (config, end) = (config(), NOW + APPEAL);
    let mut slash = pending();
    refused(slash.appeal([0; 32], NOW), E::SlashInvalid);
    refused(slash.execute(&config, end - 1), E::AppealOpen);
    slash.appeal([1; 32], end - 1).unwrap();
    let mut vetoed = slash;
    assert_eq!(vetoed.veto(end - 1), Ok(true));
    refused(slash.appeal([2; 32], end), E::AppealOver);
    refused(slash.veto(end), E::AppealOver);
    assert_eq!(slash.execute(&config, end), Ok(true));
    assert_eq!((slash.status, slash.appeal), (SlashStatus::Executed as u8, [1; 32]));
    assert_eq!((vetoed.status, vetoed.appeal), (SlashStatus::Vetoed as u8, [1; 32]));
    for mut idle in [self::slash(), slash, vetoed] {
        refused(idle.appeal([1; 32], NOW), E::SlashState);
        refused(idle.veto(NOW), E::SlashState);
        refused(idle.execute(&config, end), E::SlashState);
    }
}
