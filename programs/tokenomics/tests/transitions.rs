//! Every transition of the config and of an allocation: where it leads, each of its refusals, and the edges between.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::{
        calendar::{month_start, DAY, HOUR, LAST_MONTH},
        emission::total_hours,
        roles::Refusal,
    },
    tokenomics::{
        constants::*,
        errors::TokenomicsError as E,
        state::{Allocation, Config, Emission},
    },
};

const NOW: u64 = 1_720_000_000;
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
