//! Every transition of a season and of its claim pages: where it leads, each of its refusals, and the edges between.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::{
        hash::sha256v,
        merkle::{LEAF_TAG, NODE_TAG},
        supply::IO,
    },
    tokenomics::{
        constants::*,
        errors::TokenomicsError as E,
        state::{ClaimPage, Season, SeasonStatus, SeasonTerms},
    },
};

#[path = "../../common/tests/support/spread.rs"]
mod spread;

use spread::Spread;

const NOW: u64 = 1_720_000_000;
const WALLET: Address = Address::new_from_array([7; 32]);

#[track_caller]
fn refused<T>(result: Result<T>, error: E) {
    let found = result.err().expect("it succeeded");
    assert_eq!(found, ProgramError::from(error));
}

// -- season ---------------------------------------------------------------------------------------

fn terms() -> SeasonTerms {
    SeasonTerms {
        season: 3,
        root: [1; 32],
        data_hash: [2; 32],
        leaves: 2,
        pools: [70, 30, 0],
        claim_start: NOW + SEASON_NOTICE,
        claim_end: NOW + SEASON_NOTICE + MIN_CLAIM_PERIOD,
    }
}

fn open(terms: &SeasonTerms) -> Result<Season> {
    let mut season = Season { mint: Address::new_from_array([9; 32]), ..Season::zeroed() };
    season.open(terms, NOW)?;
    Ok(season)
}

/// A season of two leaves, (0, WALLET, 60) and (1, WALLET, 40 or `second`), and the proofs of both.
fn claimable(second: u64) -> (Season, [[u8; 32]; 2]) {
    let blank = open(&terms()).unwrap();
    let leaves = [blank.leaf(0, &WALLET, 60), blank.leaf(1, &WALLET, second)];
    let root = sha256v(&[&NODE_TAG, leaves.iter().min().unwrap(), leaves.iter().max().unwrap()]);
    (open(&SeasonTerms { root, ..terms() }).unwrap(), [leaves[1], leaves[0]])
}

#[test]
fn open_with_notice_and_a_period() {
    let season = open(&terms()).unwrap();
    assert_eq!((season.total, season.status, season.pages()), (100, SeasonStatus::Open as u8, 1));
    assert_eq!((season.pools, season.data_hash), ([70, 30, 0], [2; 32]));
    assert_eq!(open(&SeasonTerms { pools: [0, 0, 1], ..terms() }).unwrap().total, 1);
    let early = terms().claim_start - 1;
    refused(open(&SeasonTerms { claim_start: early, ..terms() }), E::SeasonNoticeTooShort);
    refused(open(&SeasonTerms { claim_start: NOW - 1, ..terms() }), E::SeasonNoticeTooShort);
    for period in [MIN_CLAIM_PERIOD - 1, MAX_CLAIM_PERIOD + 1] {
        let claim_end = terms().claim_start + period;
        refused(open(&SeasonTerms { claim_end, ..terms() }), E::ClaimPeriodInvalid);
    }
    let backwards = SeasonTerms { claim_end: terms().claim_start - 1, ..terms() };
    refused(open(&backwards), E::ClaimPeriodInvalid);
    assert!(open(&SeasonTerms { claim_end: terms().claim_start + MAX_CLAIM_PERIOD, ..terms() }).is_ok());
    refused(open(&SeasonTerms { pools: [u64::MAX, 0, 1], ..terms() }), E::Overflow);
    refused(open(&SeasonTerms { pools: [0; 3], ..terms() }), E::SeasonInvalid);
    refused(open(&SeasonTerms { leaves: 0, ..terms() }), E::SeasonInvalid);
    refused(open(&SeasonTerms { root: [0; 32], ..terms() }), E::SeasonInvalid);
}

#[test]
fn pages_hold_every_leaf() {
    for (leaves, pages) in [(1, 1), (PAGE_CLAIMS, 1), (PAGE_CLAIMS + 1, 2), (u32::MAX, 1 << 19)] {
        assert_eq!(open(&SeasonTerms { leaves, ..terms() }).unwrap().pages(), pages);
    }
}

#[test]
fn claim_within_the_period() {
    let (mut season, proofs) = claimable(40);
    let (from, to) = (season.claim_start, season.claim_end);
    refused(season.claim(0, &WALLET, 60, &proofs[0], from - 1), E::ClaimsNotOpen);
    refused(season.claim(0, &WALLET, 60, &proofs[0], to), E::ClaimsEnded);
    refused(season.claim(2, &WALLET, 60, &proofs[0], from), E::IndexOutOfRange);
    refused(season.claim(0, &WALLET, 0, &proofs[0], from), E::ZeroAmount);
    refused(season.claim(0, &WALLET, 61, &proofs[0], from), E::InvalidProof);
    refused(season.claim(1, &WALLET, 60, &proofs[0], from), E::InvalidProof);
    refused(season.claim(0, &Address::default(), 60, &proofs[0], from), E::InvalidProof);
    refused(season.claim(0, &WALLET, 60, &proofs[1], from), E::InvalidProof);
    refused(season.claim(0, &WALLET, 60, &proofs[0][..31], from), E::InvalidProof);
    assert_eq!((season.claimed, season.claims), (0, 0));
    season.claim(0, &WALLET, 60, &proofs[0], from).unwrap();
    season.claim(1, &WALLET, 40, &proofs[1], to - 1).unwrap();
    assert_eq!((season.claimed, season.claims), (100, 2));
    season.pay_back(to).unwrap();
    refused(season.claim(1, &WALLET, 40, &proofs[1], from), E::SeasonNotOpen);
}

#[test]
fn claims_never_pass_the_pools() {
    let (mut season, proofs) = claimable(41);
    let at = season.claim_start;
    season.claim(0, &WALLET, 60, &proofs[0], at).unwrap();
    refused(season.claim(1, &WALLET, 41, &proofs[1], at), E::PoolsExhausted);
    let (mut season, proofs) = claimable(u64::MAX);
    season.claim(0, &WALLET, 60, &proofs[0], at).unwrap();
    refused(season.claim(1, &WALLET, u64::MAX, &proofs[1], at), E::Overflow);
}

#[test]
fn a_leaf_of_one_base_unit_is_paid() {
    let (mut season, proofs) = claimable(1);
    season.claim(1, &WALLET, 1, &proofs[1], season.claim_start).unwrap();
    assert_eq!((season.claimed, season.claims), (1, 1));
}

/// Pages refuse a leaf's second claim; the count of claims holds without them.
#[test]
fn there_are_no_more_claims_than_leaves() {
    let (season, proofs) = claimable(40);
    let mut all = Season { claims: 2, ..season };
    refused(all.claim(0, &WALLET, 60, &proofs[0], season.claim_start), E::InvariantViolated);
    let mut most = Season { claims: u32::MAX, leaves: u32::MAX, ..season };
    refused(most.claim(0, &WALLET, 60, &proofs[0], season.claim_start), E::Overflow);
}

#[test]
fn a_leaf_is_bound_to_all_of_its_parts() {
    let season = open(&terms()).unwrap();
    let mint = [9; 32];
    let preimage: [&[u8]; 7] = [
        &LEAF_TAG,
        tokenomics::ID.as_ref(),
        &mint,
        &[3, 0, 0, 0],
        &[1, 2, 0, 0],
        WALLET.as_ref(),
        &[0, 225, 245, 5, 0, 0, 0, 0],
    ];
    assert_eq!(season.leaf(513, &WALLET, IO), sha256v(&[preimage.concat().as_slice()]));
}

#[test]
fn the_veto_comes_before_claims_open() {
    let mut season = open(&terms()).unwrap();
    refused(season.cancel(season.claim_start), E::ClaimsOpen);
    season.cancel(season.claim_start - 1).unwrap();
    assert_eq!((season.status, season.returned), (SeasonStatus::Cancelled as u8, 0));
    refused(season.cancel(NOW), E::SeasonNotOpen);
    refused(Season { claims: 1, ..open(&terms()).unwrap() }.cancel(NOW), E::InvariantViolated);
    let (mut claimed, proofs) = claimable(40);
    claimed.cancel(NOW).unwrap();
    refused(claimed.claim(0, &WALLET, 60, &proofs[0], claimed.claim_start), E::SeasonNotOpen);
}

#[test]
fn a_vetoed_season_is_paid_back_at_once_and_once() {
    let mut season = open(&terms()).unwrap();
    refused(season.pay_back(NOW), E::SeasonStillOpen);
    season.cancel(NOW).unwrap();
    assert_eq!(season.pay_back(NOW), Ok(100));
    assert_eq!((season.status, season.returned), (SeasonStatus::Closed as u8, 100));
    refused(season.pay_back(u64::MAX), E::SeasonNotOpen);
    refused(season.cancel(NOW), E::SeasonNotOpen);
}

#[test]
fn the_rest_goes_back_after_the_period_and_once() {
    let (mut season, proofs) = claimable(40);
    season.claim(0, &WALLET, 60, &proofs[0], season.claim_start).unwrap();
    refused(season.pay_back(season.claim_end - 1), E::SeasonStillOpen);
    assert_eq!(season.pay_back(season.claim_end), Ok(40));
    assert_eq!((season.status, season.returned), (SeasonStatus::Closed as u8, 40));
    refused(season.pay_back(u64::MAX), E::SeasonNotOpen);
    let mut other = Season { version: ACCOUNT_VERSION + 1, ..open(&terms()).unwrap() };
    refused(other.pay_back(u64::MAX), E::UnknownVersion);
}

#[test]
fn pages_are_made_while_the_season_may_pay_and_are_closed_afterwards() {
    let season = open(&SeasonTerms { leaves: PAGE_CLAIMS + 1, ..terms() }).unwrap();
    let end = season.claim_end;
    for page in [0, 1] {
        season.require_page(page, 0).unwrap();
        season.require_page(page, end - 1).unwrap();
        refused(season.require_page(page, end), E::ClaimsEnded);
    }
    for page in [2, u32::MAX] {
        refused(season.require_page(page, NOW), E::PageOutOfRange);
    }
    refused(season.require_ended(end - 1), E::SeasonStillOpen);
    season.require_ended(end).unwrap();
    for status in [SeasonStatus::Cancelled, SeasonStatus::Closed] {
        let ended = Season { status: status as u8, ..season };
        refused(ended.require_page(0, NOW), E::SeasonNotOpen);
        ended.require_ended(0).unwrap();
    }
}

#[test]
fn season_invariant() {
    let good = open(&terms()).unwrap();
    refused(Season { version: 0, ..good }.invariant(), E::UnknownVersion);
    refused(Season { claimed: u64::MAX, returned: 1, ..good }.invariant(), E::Overflow);
    refused(Season { claimed: 101, ..good }.invariant(), E::InvariantViolated);
    refused(Season { claims: 3, ..good }.invariant(), E::InvariantViolated);
    refused(Season { returned: 1, ..good }.invariant(), E::InvariantViolated);
    refused(Season { claimed: 101, ..good }.pay_back(u64::MAX), E::InvariantViolated);
    let cancelled = Season { status: SeasonStatus::Cancelled as u8, ..good };
    cancelled.invariant().unwrap();
    refused(Season { returned: 100, ..cancelled }.invariant(), E::InvariantViolated);
    refused(Season { claimed: 1, claims: 1, ..cancelled }.invariant(), E::InvariantViolated);
    let closed = Season { status: SeasonStatus::Closed as u8, ..good };
    refused(closed.invariant(), E::InvariantViolated);
    Season { claimed: 60, claims: 1, returned: 40, ..closed }.invariant().unwrap();
}

// -- claim page -----------------------------------------------------------------------------------

#[test]
fn a_bit_is_set_once_on_its_own_page() {
    let mut page = ClaimPage { version: ACCOUNT_VERSION, season: 3, page: 1, ..ClaimPage::zeroed() };
    for index in [PAGE_CLAIMS, PAGE_CLAIMS + 1, PAGE_CLAIMS + 9, 2 * PAGE_CLAIMS - 1] {
        page.set(3, index).unwrap();
        refused(page.set(3, index), E::AlreadyClaimed);
    }
    assert_eq!((page.bits[0], page.bits[1], page.bits[PAGE_CLAIMS as usize / 8 - 1]), (3, 2, 128));
    refused(page.set(4, PAGE_CLAIMS + 2), E::WrongPage);
    refused(page.set(3, PAGE_CLAIMS - 1), E::WrongPage);
    refused(page.set(3, 2 * PAGE_CLAIMS), E::WrongPage);
    refused(ClaimPage { version: 0, ..page }.set(3, PAGE_CLAIMS + 2), E::UnknownVersion);
}

/// Random subsets of all leaves of a page, from a handful to all: exactly their bits are set, each once,
/// and a leaf of any other page or season sets none.
#[test]
fn a_page_holds_exactly_the_leaves_that_were_claimed() {
    let mut spread = Spread(31);
    for round in 0..24 {
        let season = spread.any() as u32;
        // The first pages, and the last whose every leaf has a number.
        let number = [0, 1, u32::MAX / PAGE_CLAIMS, spread.next() as u32 % 1_000][round % 4];
        let mut page = ClaimPage { version: ACCOUNT_VERSION, season, page: number, ..ClaimPage::zeroed() };
        let one_in = [1, 2, 9, 1_000][round / 6];
        let mut chosen: Vec<u32> =
            (0..PAGE_CLAIMS).filter(|_| spread.next().is_multiple_of(one_in)).collect();
        // In any order.
        chosen.sort_by_key(|&leaf| (u64::from(leaf) + 1).wrapping_mul(spread.0 | 1));
        let mut wanted = vec![false; PAGE_CLAIMS as usize];
        for &leaf in &chosen {
            let index = number * PAGE_CLAIMS + leaf;
            let away = index.wrapping_add(PAGE_CLAIMS * (1 + spread.next() as u32 % 7));
            refused(page.set(season, away), E::WrongPage);
            refused(page.set(season ^ (1 << (leaf % 32)), index), E::WrongPage);
            page.set(season, index).unwrap();
            refused(page.set(season, index), E::AlreadyClaimed);
            wanted[leaf as usize] = true;
        }
        let found: Vec<bool> =
            (0..PAGE_CLAIMS as usize).map(|leaf| page.bits[leaf / 8] >> (leaf % 8) & 1 == 1).collect();
        assert!(found == wanted, "round {round}");
        for &leaf in &chosen {
            refused(page.set(season, number * PAGE_CLAIMS + leaf), E::AlreadyClaimed);
        }
    }
}
