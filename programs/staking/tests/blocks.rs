//! Every transition of a reward block, and of the wallets that claim by it: where it leads, each of its refusals,
//! and the edges between.

mod fixtures;

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    fixtures::*,
    ionet_common::{
        hash::sha256v,
        merkle::{LEAF_TAG, NODE_TAG},
    },
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{Attestation, Block, BlockStatus, Config, Params, Vote, Wallet},
    },
};

const WALLET: Address = Address::new_from_array([7; 32]);

// -- reward block ---------------------------------------------------------------------------------

fn block() -> Block {
    Block { version: ACCOUNT_VERSION, ..Block::zeroed() }
}

fn said(byte: u8) -> Attestation {
    Attestation { root: [byte; 32], total: 1_000, devices: 7, data_hash: [byte + 1; 32] }
}

fn vote(agreed: bool, conflict: bool) -> Result<Vote> {
    Ok(Vote { agreed, conflict, reopened: false })
}

/// A block that two of three operators agreed on at `NOW`.
fn agreed() -> Block {
    let mut block = block();
    assert_eq!(block.attest(&config(), 0, &said(1), NOW), vote(false, false));
    assert_eq!(block.attest(&config(), 2, &said(1), NOW), vote(true, false));
    block
}

#[test]
fn an_attestation_is_all_of_its_parts() {
    let one = said(1);
    let preimage = [&[1; 32][..], &1_000u64.to_le_bytes(), &7u32.to_le_bytes(), &[2; 32]].concat();
    assert_eq!(one.hash(), sha256v(&[&preimage]));
    for other in [
        Attestation { root: [9; 32], ..one },
        Attestation { total: 1_001, ..one },
        Attestation { devices: 8, ..one },
        Attestation { data_hash: [9; 32], ..one },
    ] {
        assert_ne!(other.hash(), one.hash());
    }
}

#[test]
fn enough_operators_say_the_same() {
    let (config, mut block) = (config(), block());
    refused(block.attest(&config, MAX_OPERATORS as usize, &said(1), NOW), E::NotOperator);
    assert_eq!(block.attest(&config, 0, &said(1), NOW), vote(false, false));
    assert_eq!(block.attest(&config, 0, &said(1), NOW), vote(false, false), "one key counts once");
    assert_eq!(block.attest(&config, 1, &said(2), NOW), vote(false, true));
    // The first one changes its mind.
    assert_eq!(block.attest(&config, 0, &said(2), NOW + 5), vote(true, false));
    assert_eq!((block.status, block.agreed_at), (BlockStatus::Agreed as u8, NOW + 5));
    assert_eq!((block.root, block.total, block.devices, block.data_hash), ([2; 32], 1_000, 7, [3; 32]));
    refused(block.attest(&config, 2, &said(2), NOW), E::AlreadyAgreed);
}

#[test]
fn agreement_in_spite_of_another_opinion() {
    let (config, mut block) = (Config { params: params(5, 3), ..config() }, block());
    for (operator, byte, result) in [
        (0, 1, vote(false, false)),
        (1, 2, vote(false, true)),
        (2, 1, vote(false, true)),
        (4, 1, vote(true, true)),
    ] {
        assert_eq!(block.attest(&config, operator, &said(byte), NOW), result);
    }
    assert_eq!(block.root, [1; 32]);
}

#[test]
fn the_window_to_the_second() {
    let mut block = agreed();
    refused(block.finalise(&config(), NOW + WINDOW - 1), E::ChallengeOpen);
    assert_eq!(block.finalise(&config(), NOW + WINDOW), Ok(true));
    assert_eq!(block.status, BlockStatus::Final as u8);
    refused(block.finalise(&config(), NOW + WINDOW), E::NotAgreed);
    refused(block.veto(), E::ChallengeOver);
    refused(block.attest(&config(), 1, &said(1), NOW), E::AlreadyAgreed);
    let mut far = Block { agreed_at: u64::MAX, ..agreed() };
    refused(far.finalise(&config(), u64::MAX), E::Overflow);
}

#[test]
fn after_a_veto_everything_is_said_anew() {
    let (config, mut block) = (config(), agreed());
    block.veto().unwrap();
    assert_eq!((block.status, block.vetoes, block.agreed_at), (BlockStatus::Open as u8, 1, 0));
    refused(block.finalise(&config, u64::MAX), E::NotAgreed);
    refused(block.veto(), E::NotAgreed);
    assert_eq!(block.attest(&config, 0, &said(1), NOW), vote(false, false));
    assert_eq!(block.attest(&config, 1, &said(1), NOW + 1), vote(true, false));
    assert_eq!(block.agreed_at, NOW + 1);
    block.vetoes = u8::MAX;
    block.veto().unwrap();
    assert_eq!(block.vetoes, u8::MAX);
}

#[test]
fn a_change_of_parameters_alone_voids_no_attestation() {
    let next = applied(&config(), Params { challenge_window: WINDOW + 1, ..params(3, 2) });
    let mut open = block();
    open.attest(&config(), 0, &said(1), NOW).unwrap();
    assert_eq!(open.attest(&next, 1, &said(1), NOW), vote(true, false));
    assert_eq!(open.revision, 1);
    let mut block = agreed();
    refused(block.attest(&next, 1, &said(1), NOW), E::AlreadyAgreed);
    refused(block.finalise(&next, NOW + WINDOW), E::ChallengeOpen);
    assert_eq!(block.finalise(&next, NOW + WINDOW + 1), Ok(true));
    // A final block stays final, whatever the operators become.
    let gone = applied(&next, replaced(next.params, &[0, 1, 2]));
    let mut last = block;
    refused(last.attest(&gone, 0, &said(1), NOW), E::AlreadyAgreed);
    refused(last.finalise(&gone, u64::MAX), E::NotAgreed);
    assert_eq!(last.status, BlockStatus::Final as u8);
}

#[test]
fn a_block_whose_operators_are_gone_is_open_again() {
    // Operators 0 and 2 had attested; of the two that it takes one stays.
    let next = applied(&config(), replaced(params(3, 2), &[2]));
    let stayed = [said(1).hash(), [0; 32], [0; 32]];
    let mut block = agreed();
    // Finalising needs no wait for that, and says so once.
    assert_eq!(block.finalise(&next, NOW), Ok(false));
    assert_eq!((block.status, block.agreed_at, block.revision), (BlockStatus::Open as u8, 0, 1));
    assert_eq!((&block.votes[..3], block.vetoes), (&stayed[..], 0));
    refused(block.finalise(&next, u64::MAX), E::NotAgreed);
    // One attestation more of the same makes it whole, and the window begins again.
    assert_eq!(block.attest(&next, 1, &said(1), NOW + 9), vote(true, false));
    refused(block.finalise(&next, NOW + 9 + WINDOW - 1), E::ChallengeOpen);
    assert_eq!(block.finalise(&next, NOW + 9 + WINDOW), Ok(true));
    // An attestation opens it as well, and is counted.
    let mut block = agreed();
    let reopened = block.attest(&next, 1, &said(2), NOW);
    assert_eq!(reopened, Ok(Vote { agreed: false, conflict: true, reopened: true }));
    assert_eq!(block.votes[..2], [said(1).hash(), said(2).hash()]);
    let mut block = agreed();
    let reopened = block.attest(&next, 2, &said(1), NOW + 9);
    assert_eq!(reopened, Ok(Vote { agreed: true, conflict: false, reopened: true }));
    assert_eq!((block.status, block.agreed_at), (BlockStatus::Agreed as u8, NOW + 9));
    // A higher threshold does the same, and a key that came back counts no more.
    let higher = applied(&config(), params(3, 3));
    assert_eq!(agreed().finalise(&higher, NOW + WINDOW), Ok(false));
    let back = applied(&next, params(3, 2));
    assert_eq!(agreed().finalise(&back, NOW + WINDOW), Ok(false));
}

#[test]
fn a_block_that_cannot_become_final_is_open_again() {
    // An hour before it became final with more: nobody has to veto what was agreed on below that.
    let more = Config { final_total: 1_001, ..config() };
    let mut block = agreed();
    assert_eq!(block.finalise(&more, NOW), Ok(false));
    assert_eq!((block.status, block.agreed_at), (BlockStatus::Open as u8, 0));
    let other = Attestation { total: 1_001, ..said(1) };
    assert_eq!(block.attest(&more, 0, &other, NOW), vote(false, true));
    assert_eq!(block.attest(&more, 2, &other, NOW), vote(true, false));
    assert_eq!(block.finalise(&more, NOW + WINDOW), Ok(true));
    // What is final stays so, and as much as that is enough.
    refused(block.finalise(&Config { final_total: 2_000, ..more }, u64::MAX), E::NotAgreed);
    let same = Config { final_total: 1_000, ..config() };
    assert_eq!(agreed().finalise(&same, NOW + WINDOW), Ok(true));
    let mut block = agreed();
    let reopened = block.attest(&more, 1, &other, NOW);
    assert_eq!(reopened, Ok(Vote { agreed: false, conflict: true, reopened: true }));
    // Votes that stand after a change of the list don't help it.
    let changed = applied(&more, params(5, 3));
    let stand = applied(&changed, params(3, 2));
    assert_eq!((stand.revision, agreed().finalise(&stand, NOW + WINDOW)), (2, Ok(false)));
}

#[test]
fn operators_beyond_the_count_do_not_vote() {
    let one = Config { params: params(1, 1), ..config() };
    let mut block = block();
    assert_eq!(block.attest(&one, 5, &said(2), NOW), vote(false, false));
    assert_eq!(block.attest(&one, 0, &said(1), NOW), vote(true, false));
}

fn leaf(wallet: &Address, lifetime: u64) -> [u8; 32] {
    let parts: [&[u8]; 5] =
        [&LEAF_TAG, staking::ID.as_ref(), MINT.as_ref(), wallet.as_ref(), &lifetime.to_le_bytes()];
    sha256v(&[parts.concat().as_slice()])
}

#[test]
fn only_the_last_final_roots_pay() {
    let config = Config { next_hour: 100, ..config() };
    let leaves = [leaf(&WALLET, 60), leaf(&WALLET, 40)];
    let root = sha256v(&[&NODE_TAG, leaves.iter().min().unwrap(), leaves.iter().max().unwrap()]);
    let paying = Block { status: BlockStatus::Final as u8, hour: 99, root, ..block() };
    paying.require_leaf(&config, &WALLET, 60, &leaves[1]).unwrap();
    Block { hour: 100 - KEPT_ROOTS, ..paying }.require_leaf(&config, &WALLET, 60, &leaves[1]).unwrap();
    for (wallet, lifetime, proof) in [
        (WALLET, 61, &leaves[1][..]),
        (MINT, 60, &leaves[1]),
        (WALLET, 60, &leaves[0]),
        (WALLET, 60, &leaves[1][..31]),
        (WALLET, 60, &[]),
    ] {
        refused(paying.require_leaf(&config, &wallet, lifetime, proof), E::InvalidProof);
    }
    let other_mint = Config { mint: WALLET, ..config };
    refused(paying.require_leaf(&other_mint, &WALLET, 60, &leaves[1]), E::InvalidProof);
    for block in [
        Block { hour: 99 - KEPT_ROOTS, ..paying },
        Block { status: BlockStatus::Agreed as u8, ..paying },
        Block { status: BlockStatus::Open as u8, ..paying },
    ] {
        refused(block.require_leaf(&config, &WALLET, 60, &leaves[1]), E::RootNotClaimable);
    }
}

// -- wallet ---------------------------------------------------------------------------------------

#[test]
fn a_leaf_pays_what_is_new() {
    let mut wallet = Wallet::zeroed();
    refused(wallet.due(0, 100, 10_000), E::NothingToClaim);
    assert_eq!(wallet.due(30, 100, 10_000), Ok(30));
    // Less than was due may be paid: the rest stays due.
    wallet.claim(10, 0, 5).unwrap();
    assert_eq!((wallet.claimed, wallet.due(30, 100, 10_000)), (10, Ok(20)));
    wallet.claim(20, 0, 5).unwrap();
    for lifetime in [29, 30] {
        refused(wallet.due(lifetime, 100, 10_000), E::NothingToClaim);
    }
    assert_eq!(wallet.due(101, 100, 10_000), Ok(70));
    assert_eq!(Wallet::zeroed().due(u64::MAX, u64::MAX, 10_000), Ok(u64::MAX));
    refused(wallet.claim(u64::MAX, 0, 5), E::Overflow);
    assert_eq!((wallet.claim_hour, wallet.claimed_in_hour), (0, 0), "nothing of the reserve");
}

#[test]
fn a_wallet_gets_its_share_of_what_came_after_it() {
    let mut wallet = Wallet { opened_total: 1_000, ..Wallet::zeroed() };
    for total in [999, 1_000] {
        refused(wallet.due(1, total, 10_000), E::WalletLimit);
    }
    // A tenth of 9 is nothing, of 19 is 1, rounded down; that much is paid, and the rest later.
    refused(wallet.due(2, 1_009, 1_000), E::WalletLimit);
    assert_eq!(wallet.due(2, 1_019, 1_000), Ok(1));
    wallet.claim(1, 0, 5).unwrap();
    refused(wallet.due(2, 1_019, 1_000), E::WalletLimit);
    assert_eq!(wallet.due(2, 1_020, 1_000), Ok(1));
    // A lower share takes nothing back.
    refused(wallet.due(2, 1_020, 100), E::WalletLimit);
}

#[test]
fn a_wallets_part_of_the_reserve_is_for_an_hour() {
    let mut wallet = Wallet::zeroed();
    assert_eq!(wallet.small_left(5), SMALL_CLAIM);
    wallet.claim(7, 4, 5).unwrap();
    assert_eq!((wallet.claimed, wallet.claim_hour, wallet.claimed_in_hour), (7, 5, 4));
    wallet.claim(SMALL_CLAIM, SMALL_CLAIM - 5, 5).unwrap();
    assert_eq!((wallet.small_left(5), wallet.small_left(6)), (1, SMALL_CLAIM));
    // A clock that is set back starts no hour anew.
    assert_eq!(wallet.small_left(4), 1);
    // What came out of the other half is not counted, in the hours after, too.
    wallet.claim(9, 0, 6).unwrap();
    assert_eq!((wallet.claim_hour, wallet.claimed_in_hour), (5, SMALL_CLAIM - 1));
    wallet.claim(3, 1, 6).unwrap();
    assert_eq!((wallet.claim_hour, wallet.claimed_in_hour, wallet.small_left(6)), (6, 1, SMALL_CLAIM - 1));
    let most = Wallet { claimed_in_hour: u64::MAX, ..Wallet::zeroed() };
    assert_eq!(most.small_left(0), 0);
    refused(Wallet { ..most }.claim(0, 1, 0), E::Overflow);
}

#[test]
fn a_wallet_holds_two_co_stakes() {
    let mut wallet = Wallet::zeroed();
    refused(wallet.give_back(), E::InvariantViolated);
    for _ in 0..MAX_CO_STAKES {
        wallet.take().unwrap();
    }
    refused(wallet.take(), E::TooManyCoStakes);
    wallet.give_back().unwrap();
    wallet.take().unwrap();
    assert_eq!(wallet.co_stakes, MAX_CO_STAKES);
}
