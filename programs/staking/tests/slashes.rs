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

fn slash() -> Slash {
    Slash { version: ACCOUNT_VERSION, bps: 1_000, ..Slash::zeroed() }
}

/// A slash that two of three operators voted for at `NOW`.
fn pending() -> Slash {
    let mut slash = slash();
    assert_eq!(slash.vote(&config(), 0, NOW), Ok(false));
    assert_eq!(slash.vote(&config(), 2, NOW), Ok(true));
    slash
}

#[test]
fn votes_for_a_slash() {
    let config = config();
    for bps in [0, 2_001] {
        refused(Slash { bps, ..slash() }.vote(&config, 0, NOW), E::SlashInvalid);
    }
    Slash { bps: 2_000, ..slash() }.vote(&config, 0, NOW).unwrap();
    let mut slash = slash();
    refused(slash.vote(&config, 16, NOW), E::NotOperator);
    assert_eq!(slash.vote(&config, 1, NOW), Ok(false));
    refused(slash.vote(&config, 1, NOW), E::AlreadyVoted);
    // Under new parameters the vote is void, and may be given again.
    let next = Config { revision: 1, ..config };
    assert_eq!(slash.vote(&next, 2, NOW), Ok(false));
    assert_eq!(slash.vote(&next, 1, NOW + 5), Ok(true));
    assert_eq!((slash.votes, slash.appeal_until), (0b110, NOW + 5 + APPEAL));
    refused(slash.vote(&next, 0, NOW), E::SlashState);
    let mut late = self::slash();
    late.vote(&config, 0, u64::MAX).unwrap();
    refused(late.vote(&config, 1, u64::MAX), E::Overflow);
}

#[test]
fn the_appeal_period_to_the_second() {
    let end = NOW + APPEAL;
    let mut slash = pending();
    refused(slash.appeal([0; 32], NOW), E::SlashInvalid);
    refused(slash.execute(end - 1), E::AppealOpen);
    slash.appeal([1; 32], end - 1).unwrap();
    let mut vetoed = slash;
    vetoed.veto(end - 1).unwrap();
    refused(slash.appeal([2; 32], end), E::AppealOver);
    refused(slash.veto(end), E::AppealOver);
    slash.execute(end).unwrap();
    assert_eq!((slash.status, slash.appeal), (SlashStatus::Executed as u8, [1; 32]));
    assert_eq!((vetoed.status, vetoed.appeal), (SlashStatus::Vetoed as u8, [1; 32]));
    for mut idle in [self::slash(), slash, vetoed] {
        refused(idle.appeal([1; 32], NOW), E::SlashState);
        refused(idle.veto(NOW), E::SlashState);
        refused(idle.execute(end), E::SlashState);
    }
}
