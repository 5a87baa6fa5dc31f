//! Accounts whose books are wrong, by whatever fault: every transition refuses to go on with them. And figures that
//! would be right only past 64 bits.

use {
    crate::fixtures::*,
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::calendar::HOUR,
    orders::{
        errors::OrdersError as E,
        state::{Config, EndReason, Ending, Lease, Matcher, Order, Params, Parked, Party, Payment, Terms},
    },
};

const RATE: u64 = 8_000;
const HOURS: u32 = 10;
const WHOLE: u64 = 80_200;
const FEE: u64 = 200;

/// Runs since [`NOW`].
fn running() -> Lease {
    run(lease_of(RATE, HOURS, BPS), NOW)
}

/// What happens to a lease while it runs, each at a time at which it is allowed.
fn acts(lease: Lease) -> [Result<()>; 6] {
    let late = NOW + 5 * HOUR;
    [
        lease.clone().extend(1, u64::MAX, late).map(drop),
        lease.clone().settle(LAG, BPS, late).map(drop),
        lease.clone().hold(late + HOUR, late).map(drop),
        lease.clone().end(Party::Renter, LAG, false, late).map(drop),
        lease.clone().end(Party::Stranger, LAG, false, NOW + 10 * HOUR).map(drop),
        lease.clone().fault(4, LAG, late).map(drop),
    ]
}

#[test]
fn a_lease_that_holds_too_little_goes_nowhere() {
    for act in acts(running()) {
        act.unwrap();
    }
    for act in acts(Lease { held: 1, ..running() }) {
        refused(act, E::InvariantViolated);
    }
    refused(Lease { held: 1, ..lease_of(RATE, HOURS, BPS) }.accept(&TOKENS, NOW), E::InvariantViolated);
}

#[test]
fn a_lease_that_holds_too_much_pays_nothing() {
    // Its end alone gives back what is too much, as far as its order has it.
    for act in acts(Lease { held: WHOLE + 1, ..running() }).into_iter().take(3) {
        refused(act, E::InvariantViolated);
    }
}

#[test]
fn a_lease_that_costs_nothing_goes_nowhere() {
    let free = || Lease { rate: 0, held: 0, ..lease_of(RATE, HOURS, BPS) };
    refused(free().end(Party::Renter, LAG, false, NOW), E::PriceInvalid);
    for party in [Party::Renter, Party::Supplier] {
        let mut lease = Lease { rate: 0, held: 0, ..running() };
        refused(lease.end(party, LAG, false, NOW + HOUR), E::PriceInvalid);
    }
}

#[test]
fn neither_principal_nor_fee_is_paid_beyond_what_it_is() {
    refused(Lease { paid: WHOLE - FEE + 1, held: FEE, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { fees: FEE + 1, held: WHOLE - FEE, ..running() }.invariant(), E::InvariantViolated);
    // More was charged than is due by now, though the books add up.
    let mut early = Lease { fees: 1, held: WHOLE - 1, ..running() };
    early.invariant().unwrap();
    refused(early.settle(LAG, BPS, NOW), E::InvariantViolated);
    // It would end before it began, and owe the fee on everything.
    refused(Lease { stop: NOW - 1, held: FEE, ..running() }.invariant(), E::InvariantViolated);
    let dear = Lease { rate: u64::MAX, hours: 1, stop: NOW + HOUR, held: 0, ..running() };
    refused(dear.invariant(), E::Overflow);
}

#[test]
fn a_clock_that_goes_back_takes_nothing_back() {
    // Counted from the start, nothing is served yet.
    let ending = running().end(Party::Renter, LAG, false, NOW - 1).unwrap();
    assert_eq!((ending.reason, ending.seconds), (EndReason::Renter, HOUR));
    let ending = running().end(Party::Supplier, LAG, false, NOW - 1).unwrap();
    assert_eq!((ending.reason, ending.seconds), (EndReason::Supplier, 0));
    let mut lease = running();
    let paid = lease.settle(LAG, BPS, NOW + 5 * HOUR).unwrap();
    assert_eq!(paid.until, NOW + 3 * HOUR);
    refused(lease.settle(LAG, BPS, NOW + 5 * HOUR - 1), E::InvariantViolated);
    // Before a hold began, what was due is what the clock says.
    let mut held = running();
    held.hold(NOW + 9 * HOUR, NOW + 6 * HOUR).unwrap();
    assert_eq!(held.due_until(LAG, NOW + 5 * HOUR), NOW + 3 * HOUR);
}

#[test]
fn the_first_second_that_there_is() {
    let mut lease = Lease { matched_at: 1, accept_until: 601, ..lease_of(RATE, HOURS, BPS) };
    lease.accept(&TOKENS, 1).unwrap();
    assert!(lease.starts(1) && !lease.starts(0));
    lease.begin(1).unwrap();
    assert_eq!((lease.start, lease.stop), (1, 1 + 10 * HOUR));
    let mut faulty = lease;
    faulty.fault(2, LAG, 1 + 3 * HOUR).unwrap();
    assert_eq!(faulty.stop, 1 + 2 * HOUR);
    lease.hold(1 + HOUR, 1).unwrap();
    assert_eq!(lease.hold(1, 1), Ok(false));
    // The rest of the fee comes with the last second, as of any other lease.
    lease.end(Party::Renter, LAG, false, 1 + 2 * HOUR).unwrap();
    lease.settle(LAG, BPS, 1 + 4 * HOUR).unwrap();
    assert_eq!((lease.held, lease.fees), (0, FEE));
}

// -- orders ---------------------------------------------------------------------------------------

/// What may happen to an order of three devices, one of which is matched.
fn steps(order: Order) -> [Result<()>; 9] {
    let ending = Ending { reason: EndReason::Declined, released: COST, accepted: false, seconds: 0 };
    let payment = Payment { amount: 100, fee: 1, net: 99, renter_fee: 1, until: NOW };
    [
        try_match(&mut order.clone(), PRICE, CH, Matcher::Operator, NOW).map(drop),
        order.clone().cancel(NOW).map(drop),
        order.clone().accept(NOW),
        order.clone().extend(1),
        order.clone().end_lease(&ending, NOW).map(drop),
        order.clone().pay(&payment),
        order.clone().give_back(NOW).map(drop),
        order.clone().release(1),
        order.clone().forget_lease(),
    ]
}

fn busy() -> Order {
    let mut order = placed(terms());
    matched(&mut order, NOW);
    order
}

#[test]
fn an_order_whose_sums_are_wrong_goes_nowhere() {
    for step in steps(busy()) {
        step.unwrap();
    }
    for step in steps(Order { deposit: busy().deposit + 1, ..busy() }) {
        refused(step, E::InvariantViolated);
    }
    refused(
        Order { taken: 1, ..Order::zeroed() }.open(terms(), u64::MAX, &params(), NOW),
        E::InvariantViolated,
    );
    // A sum past 64 bits isn't the deposit because it comes to it again.
    let round = Order { free: u64::MAX, paid: busy().deposit - COST + 1, ..busy() };
    refused(round.invariant(), E::InvariantViolated);
}

#[test]
fn an_order_of_no_known_state_goes_nowhere() {
    let acted = steps(Order { status: 2, ..busy() });
    // A release and a lease that is forgotten are parts of what asks for the state.
    for step in acted.into_iter().take(7) {
        refused(step, E::InvariantViolated);
    }
}

#[test]
fn a_place_that_nobody_took_is_not_given_up() {
    let ending = Ending { reason: EndReason::Declined, released: COST, accepted: false, seconds: 0 };
    refused(Order { taken: 0, open: 1, ..busy() }.end_lease(&ending, NOW), E::InvariantViolated);
}

#[test]
fn a_deadline_past_the_end_of_the_clock_is_refused() {
    let mut late = placed(terms());
    late.match_until = u64::MAX;
    refused(try_match(&mut late, PRICE, CH, Matcher::Operator, u64::MAX - 599), E::Overflow);
    late.accept_window = 599;
    try_match(&mut late, PRICE, CH, Matcher::Operator, u64::MAX - 599).unwrap();
}

#[test]
fn more_than_64_bits_are_never_parked() {
    let mut parked = Parked::zeroed();
    parked.add(u64::MAX).unwrap();
    refused(parked.add(1), E::Overflow);
    assert_eq!(parked.amount, u64::MAX);
}

// -- parameters -----------------------------------------------------------------------------------

#[test]
fn a_config_whose_parameters_are_out_of_bounds_goes_nowhere() {
    let someone = Address::new_from_array([9; 32]);
    let broken = || {
        let mut config = Config { params: Params { match_window: 0, ..params() }, ..Config::zeroed() };
        (config.pending_admin, config.pending_guardian) = (someone, someone);
        (config.pending, config.pending_at) = (config.params, NOW);
        config
    };
    refused(broken().set_pause(0, 0, NOW), E::ParamsInvalid);
    refused(broken().propose(params(), NOW), E::ParamsInvalid);
    refused(broken().cancel(), E::ParamsInvalid);
    refused(broken().apply(NOW), E::ParamsInvalid);
    refused(broken().propose_admin(someone), E::ParamsInvalid);
    refused(broken().accept_admin(), E::ParamsInvalid);
    refused(broken().propose_guardian(someone, NOW), E::ParamsInvalid);
    refused(broken().accept_guardian(NOW), E::ParamsInvalid);
}

#[test]
fn terms_name_a_class() {
    let none = Terms { class_count: 0, classes: [0; 8], ..terms() };
    refused(none.check(), E::ClassesInvalid);
}
