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
        state::{Attestation, Block, BlockStatus, Config, Vote, Wallet},
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
    Ok(Vote { agreed, conflict })
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
    block.finalise(&config(), NOW + WINDOW).unwrap();
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
fn new_parameters_void_what_was_said() {
    let mut open = block();
    open.attest(&config(), 0, &said(1), NOW).unwrap();
    let next = Config { revision: 1, ..config() };
    refused(agreed().finalise(&next, NOW + WINDOW), E::StaleConfig);
    for mut block in [open, agreed()] {
        assert_eq!(block.attest(&next, 1, &said(1), NOW), vote(false, false));
        assert_eq!((block.revision, block.status), (1, BlockStatus::Open as u8));
        assert_eq!(block.attest(&next, 2, &said(1), NOW), vote(true, false));
        block.finalise(&next, NOW + WINDOW).unwrap();
        // A final block stays final.
        let later = Config { revision: 2, ..config() };
        refused(block.attest(&later, 0, &said(1), NOW), E::AlreadyAgreed);
        assert_eq!(block.status, BlockStatus::Final as u8);
    }
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
    wallet.claim(10).unwrap();
    assert_eq!((wallet.claimed, wallet.due(30, 100, 10_000)), (10, Ok(20)));
    wallet.claim(20).unwrap();
    for lifetime in [29, 30] {
        refused(wallet.due(lifetime, 100, 10_000), E::NothingToClaim);
    }
    assert_eq!(wallet.due(101, 100, 10_000), Ok(70));
    assert_eq!(Wallet::zeroed().due(u64::MAX, u64::MAX, 10_000), Ok(u64::MAX));
    refused(wallet.claim(u64::MAX), E::Overflow);
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
    wallet.claim(1).unwrap();
    refused(wallet.due(2, 1_019, 1_000), E::WalletLimit);
    assert_eq!(wallet.due(2, 1_020, 1_000), Ok(1));
    // A lower share takes nothing back.
    refused(wallet.due(2, 1_020, 100), E::WalletLimit);
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
