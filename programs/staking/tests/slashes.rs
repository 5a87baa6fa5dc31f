//! Every transition of a slash: where it leads, each of its refusals, and the edges between.

mod fixtures;

use {
    anchor_lang::bytemuck::Zeroable,
    fixtures::*,
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{Config, Slash, SlashStatus},
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
    slash().vote(&config, 0, 2_000, NOW).unwrap();
    let mut slash = slash();
    refused(slash.vote(&config, MAX_OPERATORS as usize, BPS, NOW), E::NotOperator);
    assert_eq!(slash.vote(&config, 1, BPS, NOW), Ok(false));
    refused(slash.vote(&config, 1, BPS, NOW), E::AlreadyVoted);
    // Under new parameters the vote is void, and may be given again.
    let next = Config { revision: 1, ..config };
    assert_eq!(slash.vote(&next, 2, BPS, NOW), Ok(false));
    assert_eq!(slash.vote(&next, 1, BPS, NOW + 5), Ok(true));
    assert_eq!(slash.votes[..4], [0, BPS, BPS, 0]);
    assert_eq!((slash.bps, slash.revision, slash.appeal_until), (BPS, 1, NOW + 5 + APPEAL));
    refused(slash.vote(&next, 0, BPS, NOW), E::SlashState);
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
fn votes_from_before_a_change_are_void() {
    let next = Config { revision: 1, ..config() };
    for now in [NOW, NOW + APPEAL] {
        let mut slash = pending();
        slash.appeal([1; 32], NOW).unwrap();
        assert_eq!(slash.execute(&next, now), Ok(false));
        assert_eq!((slash.status, slash.revision, slash.bps), (SlashStatus::Voting as u8, 1, 0));
        assert_eq!((slash.votes, slash.appeal_until), ([0; MAX_OPERATORS as usize], 0));
        assert_eq!(slash.appeal, [0; 32]);
        refused(slash.execute(&next, now), E::SlashState);
        assert_eq!(slash.vote(&next, 0, 500, now), Ok(false));
        assert_eq!(slash.vote(&next, 1, 500, now), Ok(true));
        refused(slash.execute(&next, now + APPEAL - 1), E::AppealOpen);
        assert_eq!(slash.execute(&next, now + APPEAL), Ok(true));
    }
    // What the guardian vetoed stays vetoed.
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
    vetoed.veto(end - 1).unwrap();
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
