//! Every transition of an order, its terms, the config and a fault: where it leads, each of its refusals, and the
//! edges between. Leases are in `leases.rs`.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::calendar::{DAY, HOUR},
    orders::{
        constants::*,
        errors::OrdersError as E,
        state::{
            earned, principal, with_fee, CloseReason, Config, Currency, Fault, Order, OrderAction,
            OrderStatus, Params, Terms,
        },
    },
    staking::{constants::MAX_OPERATORS, state::Config as StakingConfig},
};

const NOW: u64 = 1_720_000_000;
const GUARDIAN: Address = Address::new_from_array([7; 32]);
const HEIR: Address = Address::new_from_array([8; 32]);
const CH: [u8; 2] = *b"CH";
const DE: [u8; 2] = *b"DE";
/// 4 processors for 10 hours, and 25 basis points on it.
const PRINCIPAL: u64 = 1_000 * 4 * 10;
const PLACE: u64 = PRINCIPAL + 100;

#[track_caller]
fn refused<T>(result: Result<T>, error: E) {
    let found = result.err().expect("it succeeded");
    assert_eq!(found, ProgramError::from(error));
}

fn params() -> Params {
    Params {
        match_window: 20 * 60,
        accept_window: 10 * 60,
        settlement_lag: 2 * HOUR,
        notice: 7 * DAY,
        renter_fee_bps: 25,
        supplier_fee_bps: 25,
        usdc_fee_bps: 200,
        _pad: [0; 2],
    }
}

fn terms() -> Terms {
    let mut terms = Terms { price: 1_000, hours: 10, devices: 3, processors: 4, ..Terms::zeroed() };
    (terms.min_tier, terms.urgency, terms.class_count, terms.classes[0]) = (1, 1, 1, 7);
    terms
}

fn placed(terms: Terms) -> Order {
    let mut order = Order::zeroed();
    order.open(terms, &params(), NOW).unwrap();
    order
}

/// With one device taken.
fn busy() -> Order {
    let mut order = placed(terms());
    order.take_device(CH, NOW).unwrap();
    order
}

/// What came in, and what became of it.
fn money(order: &Order) -> [u64; 6] {
    [order.deposit, order.free, order.held, order.paid, order.fees, order.refunded]
}

// -- layout ---------------------------------------------------------------------------------------

#[test]
fn sizes_never_change() {
    assert_eq!(core::mem::size_of::<Params>(), 40);
    assert_eq!(core::mem::size_of::<Terms>(), 56);
    assert_eq!(core::mem::size_of::<Order>(), 16 + 12 * 8 + 2 * 32 + 56 + 64);
    assert_eq!(core::mem::size_of::<Config>(), 16 + 8 * 32 + 2 * 40 + 16 + 128);
    assert_eq!(core::mem::size_of::<Fault>(), 16 + 8 + 3 * 32);
}

// -- terms ----------------------------------------------------------------------------------------

fn classes(some: &[u16]) -> Terms {
    let mut terms = Terms { class_count: some.len() as u8, classes: [0; 8], ..terms() };
    terms.classes[..some.len()].copy_from_slice(some);
    terms
}

fn countries(some: &[[u8; 2]]) -> Terms {
    let mut terms = Terms { country_count: some.len() as u8, ..terms() };
    terms.countries[..some.len()].copy_from_slice(some);
    terms
}

#[test]
fn terms_at_their_bounds() {
    let t = terms();
    for good in [
        Terms { devices: MAX_DEVICES, ..t },
        Terms { processors: 1, ..t },
        Terms { processors: 8, hours: MAX_HOURS, ..t },
        Terms { min_tier: 4, urgency: MAX_URGENCY, colocated: 1, ..t },
        Terms { price: 1, currency: 1, hours: 1, devices: 1, urgency: 0, ..t },
        classes(&[1, 2, 3, 4, 5, 6, 7, 8]),
        classes(&[0]),
        countries(&[CH, DE, *b"FR", *b"IT", *b"AT", *b"LI", *b"US", *b"ZZ"]),
    ] {
        good.check().unwrap();
    }
}

#[test]
fn terms_past_their_bounds() {
    let t = terms();
    let stray_country = |at: usize| {
        let mut terms = countries(&[CH]);
        terms.countries[at] = DE;
        terms
    };
    let mut stray_class = t;
    stray_class.classes[7] = 9;
    for (bad, error) in [
        (Terms { currency: 2, ..t }, E::CurrencyInvalid),
        (Terms { devices: 0, ..t }, E::DevicesInvalid),
        (Terms { devices: MAX_DEVICES + 1, ..t }, E::DevicesInvalid),
        (Terms { processors: 0, ..t }, E::ProcessorsInvalid),
        (Terms { processors: 9, ..t }, E::ProcessorsInvalid),
        (Terms { hours: 0, ..t }, E::HoursInvalid),
        (Terms { hours: MAX_HOURS + 1, ..t }, E::HoursInvalid),
        (Terms { min_tier: 0, ..t }, E::TierInvalid),
        (Terms { min_tier: 5, ..t }, E::TierInvalid),
        (Terms { urgency: MAX_URGENCY + 1, ..t }, E::WishInvalid),
        (Terms { colocated: 2, ..t }, E::WishInvalid),
        (Terms { _pad: [0, 0, 1], ..t }, E::WishInvalid),
        (Terms { price: 0, ..t }, E::PriceInvalid),
        (Terms { class_count: 0, ..t }, E::ClassesInvalid),
        (Terms { class_count: 9, ..t }, E::ClassesInvalid),
        (Terms { class_count: u8::MAX, ..t }, E::ClassesInvalid),
        (classes(&[1, 2, 1]), E::ClassesInvalid),
        (stray_class, E::ClassesInvalid),
        (Terms { country_count: 9, ..t }, E::CountriesInvalid),
        (countries(&[CH, DE, CH]), E::CountriesInvalid),
        (countries(&[*b"ch"]), E::CountriesInvalid),
        (countries(&[*b"C\0"]), E::CountriesInvalid),
        (stray_country(1), E::CountriesInvalid),
        (stray_country(7), E::CountriesInvalid),
    ] {
        let refusal = ProgramError::from(error);
        assert_eq!(bad.check(), Err(refusal.clone()));
        assert_eq!(Order::zeroed().open(bad, &params(), NOW), Err(refusal));
    }
}

#[test]
fn prices_of_hours_and_seconds() {
    assert_eq!((terms().rate(999), principal(3_996, 10)), (Ok(3_996), Ok(39_960)));
    assert_eq!((earned(3_600, 1), earned(3_599, 1), earned(u64::MAX, HOUR)), (Ok(1), Ok(0), Ok(u64::MAX)));
    refused(terms().rate(u64::MAX / 4 + 1), E::Overflow);
    refused(principal(u64::MAX / 10 + 1, 10), E::Overflow);
    refused(earned(u64::MAX, HOUR + 1), E::Overflow);
    assert_eq!((with_fee(40_000, 25), with_fee(1, 225), with_fee(7, 0)), (Ok(40_100), Ok(2), Ok(7)));
    refused(with_fee(u64::MAX, 1), E::Overflow);
}

// -- parameters and config ------------------------------------------------------------------------

fn config() -> Config {
    Config { version: ACCOUNT_VERSION, params: params(), ..Config::zeroed() }
}

#[test]
fn parameters_at_and_past_their_bounds() {
    let p = params();
    for good in [
        Params { match_window: 1, accept_window: 1, settlement_lag: 0, notice: 1, ..p },
        Params { match_window: MAX_MATCH_WINDOW, accept_window: MAX_ACCEPT_WINDOW, ..p },
        Params { settlement_lag: MAX_SETTLEMENT_LAG, notice: MAX_NOTICE, ..p },
        Params { renter_fee_bps: 0, supplier_fee_bps: 0, usdc_fee_bps: 0, ..p },
        Params { renter_fee_bps: MAX_RENTER_FEE_BPS, supplier_fee_bps: MAX_SUPPLIER_FEE_BPS, ..p },
        Params { usdc_fee_bps: MAX_USDC_FEE_BPS, ..p },
    ] {
        good.check().unwrap();
    }
    for bad in [
        Params { match_window: 0, ..p },
        Params { match_window: MAX_MATCH_WINDOW + 1, ..p },
        Params { accept_window: 0, ..p },
        Params { accept_window: MAX_ACCEPT_WINDOW + 1, ..p },
        Params { settlement_lag: MAX_SETTLEMENT_LAG + 1, ..p },
        Params { notice: 0, ..p },
        Params { notice: MAX_NOTICE + 1, ..p },
        Params { renter_fee_bps: MAX_RENTER_FEE_BPS + 1, ..p },
        Params { supplier_fee_bps: MAX_SUPPLIER_FEE_BPS + 1, ..p },
        Params { usdc_fee_bps: MAX_USDC_FEE_BPS + 1, ..p },
        Params { _pad: [1, 0], ..p },
    ] {
        refused(bad.check(), E::ParamsInvalid);
        refused(config().propose(bad, NOW), E::ParamsInvalid);
    }
    assert_eq!((p.renter_bps(Currency::Io), p.renter_bps(Currency::Usdc)), (Ok(25), Ok(225)));
}

#[test]
fn a_proposal_waits_for_its_notice() {
    let mut config = config();
    let other = Params { supplier_fee_bps: 30, ..params() };
    refused(config.apply(NOW), E::NothingProposed);
    refused(config.cancel(), E::NothingProposed);
    config.propose(other, NOW).unwrap();
    refused(config.apply(NOW + 7 * DAY - 1), E::NoticeNotOver);
    assert_eq!(config.params, params());
    config.apply(NOW + 7 * DAY).unwrap();
    assert_eq!((config.params, config.revision, config.pending_at), (other, 1, 0));
    config.propose(params(), NOW).unwrap();
    config.cancel().unwrap();
    refused(config.apply(u64::MAX), E::NothingProposed);
    refused(config.propose(other, u64::MAX), E::Overflow);
    config.version = 0;
    refused(config.invariant(), E::UnknownVersion);
}

#[test]
fn the_notice_stays_a_day_at_least() {
    for notice in [1, MIN_NOTICE - 1] {
        refused(config().propose(Params { notice, ..params() }, NOW), E::ParamsInvalid);
    }
    config().propose(Params { notice: MIN_NOTICE, ..params() }, NOW).unwrap();
    let mut quick = config();
    quick.params.notice = 10;
    refused(quick.propose(Params { notice: 9, ..params() }, NOW), E::ParamsInvalid);
    for notice in [10, MIN_NOTICE, MAX_NOTICE] {
        quick.propose(Params { notice, ..params() }, NOW).unwrap();
        assert_eq!(quick.pending_at, NOW + 10);
    }
}

#[test]
fn another_guardian_after_the_notice() {
    let mut config = config();
    config.guardian = GUARDIAN;
    assert_eq!(config.propose_guardian(HEIR, NOW), Ok(NOW + 7 * DAY));
    refused(config.accept_guardian(NOW + 7 * DAY - 1), E::GuardianNoticeNotOver);
    assert_eq!((config.guardian, config.pending_guardian), (GUARDIAN, HEIR));
    // Another proposal takes the place of the one before, and waits as long.
    assert_eq!(config.propose_guardian(GUARDIAN, NOW + 1), Ok(NOW + 1 + 7 * DAY));
    refused(config.accept_guardian(NOW + 7 * DAY), E::GuardianNoticeNotOver);
    config.propose_guardian(HEIR, NOW).unwrap();
    assert_eq!(config.accept_guardian(NOW + 7 * DAY), Ok(GUARDIAN));
    assert_eq!((config.guardian, config.pending_guardian, config.guardian_at), (HEIR, Address::default(), 0));
    // Zero withdraws, and needs no time.
    config.propose_guardian(GUARDIAN, NOW).unwrap();
    assert_eq!(config.propose_guardian(Address::default(), NOW), Ok(0));
    assert_eq!((config.pending_guardian, config.guardian_at), (Address::default(), 0));
    refused(config.propose_guardian(GUARDIAN, u64::MAX), E::Overflow);
}

#[test]
fn a_pause_is_by_operation_and_lapses() {
    let mut config = config();
    config.set_pause(PAUSE_ORDERS, NOW + MAX_PAUSE, NOW).unwrap();
    refused(config.require_running(PAUSE_ORDERS, NOW + MAX_PAUSE - 1), E::Paused);
    config.require_running(PAUSE_MATCHING, NOW).unwrap();
    config.require_running(PAUSE_ORDERS, NOW + MAX_PAUSE).unwrap();
    config.set_pause(0, 0, NOW).unwrap();
    config.require_running(PAUSE_ORDERS | PAUSE_MATCHING, NOW).unwrap();
    refused(config.set_pause(4, NOW, NOW), E::PauseMaskInvalid);
    refused(config.set_pause(1, NOW + MAX_PAUSE + 1, NOW), E::PauseTooLong);
}

// -- orders ---------------------------------------------------------------------------------------

#[test]
fn every_state_and_action() {
    use {OrderAction::*, OrderStatus::*};
    for (state, action, to) in [
        (Open, Match, Some(Open)),
        (Open, Cancel, Some(Cancelled)),
        (Open, Settle, Some(Open)),
        (Cancelled, Match, None),
        (Cancelled, Cancel, None),
        (Cancelled, Settle, Some(Cancelled)),
    ] {
        match to {
            Some(to) => assert_eq!(state.next(action), Ok(to), "{state:?} {action:?}"),
            None => refused(state.next(action), E::OrderClosed),
        }
    }
    refused(Order { status: 2, ..placed(terms()) }.cancel(), E::InvariantViolated);
}

#[test]
fn opening_puts_down_a_place_for_each_device() {
    let mut order = Order::zeroed();
    assert_eq!(order.open(terms(), &params(), NOW), Ok(3 * PLACE));
    assert_eq!(money(&order), [3 * PLACE, 3 * PLACE, 0, 0, 0, 0]);
    assert_eq!((order.open, order.match_until, order.renter_fee_bps), (3, NOW + 1_200, 25));
    assert_eq!((order.accept_window, order.settlement_lag, order.supplier_fee_bps), (600, 2 * HOUR, 25));
    // One rate in USDC, rounded up once; a fee on a single base unit is one.
    assert_eq!(placed(Terms { currency: 1, ..terms() }).place(), Ok(PRINCIPAL + 900));
    let least = Terms { price: 1, hours: 1, processors: 1, ..terms() };
    assert_eq!(placed(least).place(), Ok(2));
    let free = Params { renter_fee_bps: 0, ..params() };
    assert_eq!(Order::zeroed().open(least, &free, NOW), Ok(3));
}

#[test]
fn opening_at_the_end_of_64_bits() {
    let one = Terms { devices: 1, hours: 1, processors: 1, ..terms() };
    let most = u64::MAX / 401 * 400;
    Order::zeroed().open(Terms { price: most, ..one }, &params(), NOW).unwrap();
    for (price, hours, processors, devices) in [
        (u64::MAX, 1, 1, 1),
        (u64::MAX, 1, 2, 1),
        (u64::MAX / 8, 9, 1, 1),
        (most, 1, 1, 2),
        (u64::MAX / MAX_DEVICES as u64, 1, 1, MAX_DEVICES),
    ] {
        let dear = Terms { price, hours, processors, devices, ..one };
        refused(Order::zeroed().open(dear, &params(), NOW), E::Overflow);
    }
    refused(Order::zeroed().open(one, &params(), u64::MAX), E::Overflow);
}

#[test]
fn devices_are_taken_until_time_or_places_are_over() {
    let mut order = placed(terms());
    for taken in 1..=3 {
        assert_eq!(order.take_device(CH, NOW + 1_199), Ok(PLACE));
        assert_eq!(money(&order), [3 * PLACE, (3 - taken) * PLACE, taken * PLACE, 0, 0, 0]);
    }
    refused(order.take_device(CH, NOW), E::OrderFull);
    refused(placed(terms()).take_device(CH, NOW + 1_200), E::MatchingOver);
    assert!(placed(terms()).takes_devices(NOW + 1_199) && !placed(terms()).takes_devices(NOW + 1_200));
    let mut full = placed(Terms { devices: 1, ..terms() });
    full.take_device(CH, NOW).unwrap();
    assert!(!full.takes_devices(NOW));
    refused(full.cancel(), E::NothingToCancel);
}

#[test]
fn countries_that_an_order_allows() {
    let mut order = placed(countries(&[CH, DE]));
    refused(placed(countries(&[CH, DE])).take_device(*b"FR", NOW), E::WrongCountry);
    order.take_device(DE, NOW).unwrap();
    order.take_device(CH, NOW).unwrap();
    // Together, the first decides until no lease is left.
    let together = || {
        let mut order = placed(Terms { colocated: 1, ..terms() });
        order.take_device(DE, NOW).unwrap();
        order
    };
    refused(together().take_device(CH, NOW), E::WrongCountry);
    let mut order = together();
    order.reopen(PLACE, true).unwrap();
    order.forget_lease().unwrap();
    order.take_device(CH, NOW).unwrap();
    assert_eq!(order.country, CH);
}

#[test]
fn a_cancelled_order_takes_no_more_and_keeps_its_leases() {
    let mut order = busy();
    assert_eq!(order.cancel(), Ok(2));
    assert_eq!(order.give_back(NOW), Ok(2 * PLACE));
    order.accept(60).unwrap();
    assert_eq!(money(&order), [3 * PLACE, 60, PLACE - 60, 0, 0, 2 * PLACE]);
    refused(order.cancel(), E::OrderClosed);
    refused(order.take_device(CH, NOW), E::OrderClosed);
}

#[test]
fn money_of_a_lease_through_its_life() {
    let mut order = placed(Terms { devices: 1, ..terms() });
    order.take_device(CH, NOW).unwrap();
    order.accept(50).unwrap();
    assert_eq!((money(&order), order.served), ([PLACE, 50, PLACE - 50, 0, 0, 0], 1));
    order.extend(4_010).unwrap();
    assert_eq!(money(&order), [PLACE + 4_010, 50, PLACE - 50 + 4_010, 0, 0, 0]);
    order.pay(PLACE - 150, 90).unwrap();
    assert_eq!(money(&order), [PLACE + 4_010, 50, 4_020, PLACE - 150, 90, 0]);
    order.pay(0, 20).unwrap();
    order.release(4_000).unwrap();
    assert_eq!(money(&order), [PLACE + 4_010, 4_050, 0, PLACE - 150, 110, 0]);
    assert_eq!((order.give_back(NOW), order.give_back(NOW)), (Ok(4_050), Ok(0)));
    refused(order.close_reason(NOW), E::OrderBusy);
    order.forget_lease().unwrap();
    assert_eq!(order.close_reason(NOW), Ok(CloseReason::Served));
}

#[test]
fn what_devices_that_may_come_need_is_not_given_back() {
    let mut order = placed(terms());
    assert_eq!(order.give_back(NOW + 1_199), Ok(0));
    order.take_device(CH, NOW).unwrap();
    order.reopen(PLACE, true).unwrap();
    assert_eq!((order.open, order.give_back(NOW)), (3, Ok(0)));
    order.take_device(CH, NOW).unwrap();
    order.reopen(PLACE, false).unwrap();
    assert_eq!((order.open, order.give_back(NOW)), (2, Ok(PLACE)));
    assert_eq!(order.give_back(NOW + 1_200), Ok(2 * PLACE));
}

#[test]
fn why_an_order_closes() {
    let mut order = placed(terms());
    refused(order.close_reason(NOW + 1_199), E::OrderBusy);
    assert_eq!(order.close_reason(NOW + 1_200), Ok(CloseReason::Unserved));
    order.cancel().unwrap();
    assert_eq!(order.close_reason(NOW), Ok(CloseReason::Cancelled));
    order.served = 1;
    assert_eq!(order.close_reason(NOW), Ok(CloseReason::Served));
    refused(Order { leases: 1, ..order }.close_reason(NOW), E::OrderBusy);
    order.held = 1;
    refused(order.close_reason(NOW), E::OrderBusy);
}

#[test]
fn more_than_there_is_never_leaves() {
    refused(busy().pay(PLACE + 1, 0), E::InvariantViolated);
    refused(busy().pay(PLACE, 1), E::InvariantViolated);
    refused(busy().release(PLACE + 1), E::InvariantViolated);
    refused(busy().accept(PLACE + 1), E::InvariantViolated);
    refused(placed(terms()).forget_lease(), E::InvariantViolated);
    refused(busy().extend(u64::MAX), E::Overflow);
    refused(busy().extend(u64::MAX - 3 * PLACE + 1), E::Overflow);
    busy().extend(u64::MAX - 3 * PLACE).unwrap();
    refused(Order { transactions: u64::MAX, ..busy() }.transaction(), E::Overflow);
    refused(Order { version: 0, ..busy() }.invariant(), E::UnknownVersion);
    refused(Order { open: 4, ..busy() }.invariant(), E::InvariantViolated);
    refused(Order { free: 0, ..busy() }.invariant(), E::InvariantViolated);
    refused(Order { free: u64::MAX, ..busy() }.invariant(), E::InvariantViolated);
}

// -- faults ---------------------------------------------------------------------------------------

fn operators(revision: u32, threshold: u8) -> StakingConfig {
    let mut config = StakingConfig { revision, ..StakingConfig::zeroed() };
    config.params.threshold = threshold;
    config
}

#[test]
fn votes_count_once_and_for_one_list_and_lease() {
    let mut fault = Fault { lease_start: NOW, ..Fault::zeroed() };
    assert_eq!(fault.vote(&operators(0, 3), 0, NOW), Ok(false));
    refused(fault.vote(&operators(0, 3), 0, NOW), E::AlreadyVoted);
    assert_eq!(fault.vote(&operators(0, 3), 2, NOW), Ok(false));
    // Another list of operators: everybody votes anew.
    assert_eq!(fault.vote(&operators(1, 2), 0, NOW), Ok(false));
    assert_eq!(fault.vote(&operators(1, 2), MAX_OPERATORS as usize - 1, NOW), Ok(true));
    refused(fault.vote(&operators(1, 2), 1, NOW), E::FaultDecided);
    refused(fault.vote(&operators(2, 2), 1, NOW), E::FaultDecided);
    // A later lease of the same address is another matter.
    assert_eq!(fault.vote(&operators(1, 2), 0, NOW + 1), Ok(false));
    assert_eq!(fault.vote(&operators(1, 2), 1, NOW + 1), Ok(true));
    refused(Fault::zeroed().vote(&operators(0, 1), 16, 0), E::NotOperator);
}
