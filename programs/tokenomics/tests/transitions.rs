//! Every transition of every account: where it leads, each of its refusals, and the edges between.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::{
        calendar::{month_start, DAY, HOUR, LAST_MONTH},
        emission::total_hours,
        hash::sha256v,
        merkle::{LEAF_TAG, NODE_TAG},
        roles::Refusal,
        supply::IO,
    },
    tokenomics::{
        constants::*,
        errors::TokenomicsError as E,
        state::{Allocation, ClaimPage, Config, Emission, Season, SeasonStatus, SeasonTerms},
    },
};

#[path = "../../common/tests/support/spread.rs"]
mod spread;

use spread::Spread;

const JULY_2024: u32 = (2024 - 1970) * 12 + 6;
const WALLET: Address = Address::new_from_array([7; 32]);
const HEIR: Address = Address::new_from_array([8; 32]);

fn start() -> u64 {
    month_start(JULY_2024).unwrap()
}

#[track_caller]
fn refused<T>(result: Result<T>, error: E) {
    let found = result.err().expect("it succeeded");
    assert_eq!(found, ProgramError::from(error));
}

// -- config ---------------------------------------------------------------------------------------

fn empty() -> Config {
    Config { version: ACCOUNT_VERSION, ..Config::zeroed() }
}

fn launched() -> Config {
    let mut config = empty();
    config.add_allocation(0, GENESIS_SUPPLY).unwrap();
    config.launch(JULY_2024, start() - DAY).unwrap();
    config
}

#[test]
fn allocations_add_up_in_order() {
    let mut config = empty();
    refused(config.add_allocation(1, 1), E::AllocationOutOfOrder);
    refused(config.add_allocation(0, GENESIS_SUPPLY + 1), E::AllocationsExceedGenesis);
    config.add_allocation(0, 1).unwrap();
    refused(config.add_allocation(0, 1), E::AllocationOutOfOrder);
    refused(config.add_allocation(1, u64::MAX), E::Overflow);
    refused(config.add_allocation(1, GENESIS_SUPPLY), E::AllocationsExceedGenesis);
    config.add_allocation(1, GENESIS_SUPPLY - 1).unwrap();
    assert_eq!((config.allocations, config.allocated), (2, GENESIS_SUPPLY));
    config.launch(JULY_2024, start()).unwrap();
    refused(config.add_allocation(2, 0), E::AlreadyLaunched);
}

#[test]
fn the_last_id_has_no_successor() {
    let mut config = Config { allocations: u8::MAX, ..empty() };
    refused(config.add_allocation(u8::MAX, 1), E::Overflow);
}

#[test]
fn launch_once_with_a_month_ahead() {
    let mut config = empty();
    refused(config.launch(JULY_2024, start()), E::AllocationsIncomplete);
    config.add_allocation(0, GENESIS_SUPPLY).unwrap();
    for (month, now) in [
        (JULY_2024, start() + 1),
        (JULY_2024, start() - MAX_LAUNCH_AHEAD - 1),
        (LAST_MONTH + 1, start()),
        (u32::MAX, start()),
    ] {
        refused(config.launch(month, now), E::StartMonthInvalid);
        assert!(!bool::from(config.launched));
    }
    for now in [start(), start() - MAX_LAUNCH_AHEAD] {
        let mut other = config;
        other.launch(JULY_2024, now).unwrap();
        assert_eq!((other.start_month, other.launched_at), (JULY_2024, now));
        assert_eq!(other.minted(), Ok(GENESIS_SUPPLY));
        refused(other.launch(JULY_2024, now), E::AlreadyLaunched);
    }
}

#[test]
fn emit_by_ended_hours() {
    refused(empty().emit(start() + HOUR), E::NotLaunched);
    let mut config = launched();
    refused(config.emit(start() + HOUR - 1), E::NothingDue);
    let first = config.emit(start() + HOUR).unwrap();
    assert_eq!(first, Emission { from_hour: 0, to_hour: 1, amount: 448_028_673_835 });
    refused(config.emit(start() + 2 * HOUR - 1), E::NothingDue);
    refused(config.emit(0), E::NothingDue);
    let later = config.emit(start() + 744 * HOUR).unwrap();
    assert_eq!((later.from_hour, later.to_hour), (1, 744));
    assert_eq!(config.emitted, 333_333_333_333_333);
    let last = config.emit(u64::MAX).unwrap();
    assert_eq!(last.to_hour, total_hours(JULY_2024).unwrap());
    assert_eq!((config.emitted, config.minted()), (EMISSION_TOTAL, Ok(MAX_SUPPLY)));
    refused(config.emit(u64::MAX), E::NothingDue);
}

#[test]
fn emit_refuses_what_contradicts_its_record() {
    let mut ahead = launched();
    ahead.emitted = 448_028_673_836;
    refused(ahead.emit(start() + HOUR), E::InvariantViolated);
    let mut past_calendar = launched();
    past_calendar.start_month = LAST_MONTH - 239;
    refused(past_calendar.emit(u64::MAX), E::InvalidClock);
}

#[test]
fn pauses_lapse() {
    let mut config = launched();
    let now = start() + HOUR;
    refused(config.set_pause(4, now, now), E::PauseMaskInvalid);
    refused(config.set_pause(1, now + MAX_PAUSE + 1, now), E::PauseTooLong);
    config.set_pause(PAUSE_SEASONS, now + MAX_PAUSE, now).unwrap();
    refused(config.require_running(PAUSE_SEASONS, now), E::Paused);
    assert!(Config { ..config }.emit(now).is_ok());
    config.set_pause(PAUSE_EMISSION, now + MAX_PAUSE, now).unwrap();
    refused(config.emit(now + MAX_PAUSE - 1), E::Paused);
    assert!(config.require_running(PAUSE_SEASONS, now).is_ok());
    assert!(Config { ..config }.emit(now + MAX_PAUSE).is_ok());
    config.set_pause(0, 0, now).unwrap();
    assert!(config.emit(now).is_ok());
}

#[test]
fn burns_are_what_the_supply_lacks() {
    // Before the launch there is nothing that could be burned.
    assert_eq!((empty().minted(), empty().count_burns(0)), (Ok(0), Ok(0)));
    refused(empty().count_burns(1), E::InvariantViolated);
    let mut config = launched();
    assert_eq!(config.count_burns(GENESIS_SUPPLY), Ok(0));
    assert_eq!(config.count_burns(GENESIS_SUPPLY - 5), Ok(5));
    assert_eq!((config.burned, config.count_burns(GENESIS_SUPPLY - 5)), (5, Ok(0)));
    refused(config.count_burns(GENESIS_SUPPLY - 4), E::InvariantViolated);
    refused(config.count_burns(GENESIS_SUPPLY + 1), E::InvariantViolated);
    config.emit(u64::MAX).unwrap();
    assert_eq!(config.count_burns(0), Ok(MAX_SUPPLY - 5));
}

#[test]
fn releases_stay_below_the_allocations() {
    let mut config = launched();
    config.release(GENESIS_SUPPLY).unwrap();
    refused(config.release(1), E::InvariantViolated);
    let mut full = launched();
    full.released = 1;
    refused(full.release(u64::MAX), E::Overflow);
}

#[test]
fn config_invariant() {
    let good = launched();
    good.invariant().unwrap();
    refused(Config { version: 2, ..good }.invariant(), E::UnknownVersion);
    refused(Config { emitted: u64::MAX, ..good }.invariant(), E::Overflow);
    for bad in [
        Config { emitted: EMISSION_TOTAL + 1, ..good },
        Config { emitted: EMISSION_TOTAL + 1, ..empty() },
        Config { burned: GENESIS_SUPPLY + 1, ..good },
        Config { allocated: GENESIS_SUPPLY + 1, ..good },
        Config { released: GENESIS_SUPPLY + 1, ..good },
    ] {
        refused(bad.invariant(), E::InvariantViolated);
    }
}

#[test]
fn the_roles_are_those_of_every_program() {
    let nobody = Address::default();
    let mut config = empty();
    refused(config.appoint(WALLET, nobody), E::ZeroAddress);
    config.appoint(WALLET, HEIR).unwrap();
    assert_eq!((config.admin, config.guardian), (WALLET, HEIR));
    refused(config.accept_admin(), E::NothingProposed);
    config.propose_admin(HEIR).unwrap();
    assert_eq!(config.accept_admin(), Ok(WALLET));
    assert_eq!((config.admin, config.pending_admin), (HEIR, nobody));
    // There are no parameters whose notice could be the guardian's, too.
    assert_eq!(config.propose_guardian(WALLET, NOW), Ok(NOW + GUARDIAN_NOTICE));
    refused(config.accept_guardian(NOW + GUARDIAN_NOTICE - 1), E::GuardianNoticeNotOver);
    assert_eq!(config.accept_guardian(NOW + GUARDIAN_NOTICE), Ok(HEIR));
    assert_eq!((config.guardian, config.pending_guardian, config.guardian_at), (WALLET, nobody, 0));
    refused(config.propose_guardian(WALLET, u64::MAX), E::Overflow);
}

#[test]
fn every_refusal_has_its_name() {
    for (refusal, error) in [
        (Refusal::ZeroAddress, E::ZeroAddress),
        (Refusal::NothingProposed, E::NothingProposed),
        (Refusal::GuardianNoticeNotOver, E::GuardianNoticeNotOver),
        (Refusal::Paused, E::Paused),
        (Refusal::PauseMaskInvalid, E::PauseMaskInvalid),
        (Refusal::PauseTooLong, E::PauseTooLong),
        (Refusal::Overflow, E::Overflow),
        (Refusal::NoticeNotOver, E::InvariantViolated),
        (Refusal::ParamsInvalid, E::InvariantViolated),
    ] {
        assert_eq!(ProgramError::from(E::from(refusal)), ProgramError::from(error), "{refusal:?}");
    }
}

#[test]
fn a_config_of_another_version_takes_no_role() {
    let other =
        Config { version: ACCOUNT_VERSION + 1, pending_admin: HEIR, pending_guardian: HEIR, ..empty() };
    refused(Config { ..other }.appoint(WALLET, HEIR), E::UnknownVersion);
    refused(Config { ..other }.propose_admin(WALLET), E::UnknownVersion);
    refused(Config { ..other }.accept_admin(), E::UnknownVersion);
    refused(Config { ..other }.propose_guardian(WALLET, NOW), E::UnknownVersion);
    refused(Config { ..other }.accept_guardian(NOW), E::UnknownVersion);
    refused(Config { ..other }.set_pause(1, NOW, NOW), E::UnknownVersion);
}

#[test]
fn a_config_of_another_version_counts_nothing() {
    let other = |config| Config { version: ACCOUNT_VERSION + 1, ..config };
    refused(other(empty()).add_allocation(0, GENESIS_SUPPLY), E::UnknownVersion);
    let mut allocated = empty();
    allocated.add_allocation(0, GENESIS_SUPPLY).unwrap();
    refused(other(allocated).launch(JULY_2024, start()), E::UnknownVersion);
    refused(other(launched()).emit(start() + HOUR), E::UnknownVersion);
    refused(other(launched()).release(1), E::UnknownVersion);
    refused(other(launched()).count_burns(GENESIS_SUPPLY - 1), E::UnknownVersion);
}

// -- allocation -----------------------------------------------------------------------------------

fn row() -> Allocation {
    Allocation {
        version: ACCOUNT_VERSION,
        beneficiary: WALLET,
        amount: 100,
        tge_bps: 1_000,
        cliff_months: 2,
        tranches: 4,
        ..Allocation::zeroed()
    }
}

#[test]
fn release_what_is_due_once() {
    let at = |month| month_start(JULY_2024 + month).unwrap();
    let mut row = row();
    assert_eq!(row.release(JULY_2024, at(0)), Ok(10));
    refused(row.release(JULY_2024, at(2) - 1), E::NothingDue);
    assert_eq!(row.release(JULY_2024, at(2)), Ok(22));
    assert_eq!(row.release(JULY_2024, at(4)), Ok(45));
    refused(row.release(JULY_2024, at(3)), E::NothingDue);
    refused(row.release(JULY_2024, u64::MAX), E::InvalidClock);
    assert_eq!(row.release(JULY_2024, at(5)), Ok(23));
    assert_eq!(row.released, row.amount);
    refused(row.release(JULY_2024, at(100)), E::NothingDue);
}

#[test]
fn one_base_unit_is_released_and_none_is_not() {
    // A tenth of 10, and a third of the other 9 a month from the second on: 1, 3, 3, 3.
    let mut small = Allocation { amount: 10, tranches: 3, ..row() };
    assert_eq!(small.release(JULY_2024, start()), Ok(1));
    refused(small.release(JULY_2024, start()), E::NothingDue);
    assert_eq!(small.released, 1);
    refused(Allocation { version: 0, ..row() }.release(JULY_2024, start()), E::UnknownVersion);
}

#[test]
fn a_successor_takes_over() {
    let mut handed = row();
    handed.propose_beneficiary(WALLET).unwrap();
    handed.propose_beneficiary(HEIR).unwrap();
    assert_eq!(handed.beneficiary, WALLET);
    assert_eq!(handed.accept_beneficiary(), Ok(WALLET));
    assert_eq!((handed.beneficiary, handed.pending_beneficiary), (HEIR, Address::default()));
    refused(row().accept_beneficiary(), E::ZeroAddress);
    refused(Allocation { version: 0, ..row() }.propose_beneficiary(HEIR), E::UnknownVersion);
}

#[test]
fn allocation_invariant() {
    row().invariant().unwrap();
    refused(Allocation { version: 0, ..row() }.invariant(), E::UnknownVersion);
    refused(Allocation { amount: 0, ..row() }.invariant(), E::AllocationInvalid);
    refused(Allocation { beneficiary: Address::default(), ..row() }.invariant(), E::ZeroAddress);
    refused(Allocation { released: 101, ..row() }.invariant(), E::InvariantViolated);
}

// -- season ---------------------------------------------------------------------------------------

const NOW: u64 = 1_720_000_000;

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
