//! Orders: opened, matched, cancelled, given back, closed; the places that open again.

use {
    crate::fixtures::*,
    anchor_lang::bytemuck::Zeroable,
    ionet_common::calendar::{DAY, HOUR},
    orders::{
        constants::*,
        errors::OrdersError as E,
        state::{
            Cancelled, CloseReason, EndReason, Ending, Lease, Matcher, Order, OrderAction, OrderStatus,
            Params, Party, Payment, Terms,
        },
    },
};

/// With one device matched.
fn busy() -> (Order, Lease) {
    let mut order = placed(terms());
    let lease = matched(&mut order, NOW);
    (order, lease)
}

/// With one device that runs.
fn running() -> (Order, Lease) {
    let (mut order, mut lease) = busy();
    try_accept(&mut order, &mut lease, NOW).unwrap();
    (order, lease)
}

/// Ends the lease as the program does; returns what was charged and cancelled with it.
fn end(order: &mut Order, lease: &mut Lease, party: Party, now: u64) -> (u64, Option<Cancelled>) {
    let ending = lease.end(party, order.settlement_lag, false, now).unwrap();
    order.end_lease(&ending, now).unwrap()
}

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
    refused(Order { status: 2, ..placed(terms()) }.give_back(NOW), E::InvariantViolated);
}

#[test]
fn opening_puts_down_a_place_for_each_device() {
    let mut order = Order::zeroed();
    refused(Order::zeroed().open(terms(), 3 * PLACE - 1, &params(), NOW), E::DepositAboveLimit);
    assert_eq!(order.open(terms(), 3 * PLACE, &params(), NOW), Ok(3 * PLACE));
    assert_eq!(money(&order), [3 * PLACE, 3 * PLACE, 0, 0, 0, 0]);
    assert_eq!((order.version, order.open, order.renter_fee_bps), (ACCOUNT_VERSION, 3, 25));
    assert_eq!((order.created_at, order.exclusive_until, order.match_until), (NOW, NOW + 300, NOW + 1_200));
    assert_eq!((order.match_window, order.accept_window), (1_200, 600));
    assert_eq!((order.settlement_lag, order.supplier_fee_bps), (LAG, 25));
    // One rate in USDC and for the urgency, rounded up once; a fee on a single base unit is one.
    assert_eq!(placed(Terms { currency: 1, ..terms() }).place(), Ok(PRINCIPAL + 900));
    assert_eq!(placed(Terms { currency: 1, urgency: 2, ..terms() }).place(), Ok(PRINCIPAL + 2_100));
    let least = Terms { price: 1, hours: 1, processors: 1, ..terms() };
    assert_eq!(placed(least).place(), Ok(2));
    let free = Params { renter_fee_bps: 0, ..params() };
    assert_eq!(Order::zeroed().open(least, u64::MAX, &free, NOW), Ok(3));
}

#[test]
fn opening_at_the_end_of_64_bits() {
    let one = Terms { devices: 1, hours: 1, processors: 1, ..terms() };
    let most = u64::MAX / 401 * 400;
    Order::zeroed().open(Terms { price: most, ..one }, u64::MAX, &params(), NOW).unwrap();
    for (price, hours, processors, devices) in [
        (u64::MAX, 1, 1, 1),
        (u64::MAX, 1, 2, 1),
        (u64::MAX / 8, 9, 1, 1),
        (most, 1, 1, 2),
        (u64::MAX / MAX_DEVICES as u64, 1, 1, MAX_DEVICES),
    ] {
        let dear = Terms { price, hours, processors, devices, ..one };
        refused(Order::zeroed().open(dear, u64::MAX, &params(), NOW), E::Overflow);
    }
    refused(Order::zeroed().open(one, u64::MAX, &params(), u64::MAX), E::Overflow);
    refused(Order::zeroed().open(one, u64::MAX, &params(), u64::MAX - 1_199), E::Overflow);
    Order::zeroed().open(one, u64::MAX, &params(), u64::MAX - 1_200).unwrap();
}

#[test]
fn devices_are_taken_until_time_or_places_are_over() {
    let mut order = placed(terms());
    for taken in 1..=3 {
        let lease = matched(&mut order, NOW + 1_199);
        assert_eq!((lease.held, lease.accept_until), (COST, NOW + 1_799));
        assert_eq!(money(&order), [3 * PLACE, 3 * PLACE - taken * COST, taken * COST, 0, 0, 0]);
        assert_eq!((order.open, order.leases), (3 - taken as u16, taken as u16));
    }
    let operator = Matcher::Operator;
    refused(try_match(&mut order, PRICE, CH, operator, NOW), E::OrderFull);
    for late in [1_200, 1_201, DAY] {
        refused(try_match(&mut placed(terms()), PRICE, CH, operator, NOW + late), E::MatchingOver);
    }
    assert!(placed(terms()).takes_devices(NOW + 1_199) && !placed(terms()).takes_devices(NOW + 1_200));
    let mut full = placed(Terms { devices: 1, ..terms() });
    matched(&mut full, NOW);
    assert!(!full.takes_devices(NOW));
    refused(full.cancel(NOW), E::NothingToCancel);
}

#[test]
fn a_match_takes_what_the_lease_costs_and_never_more_than_is_free() {
    let mut order = placed(Terms { devices: 1, ..terms() });
    for (price, money) in [(1, 41), (800, COST), (1_000, PLACE)] {
        let mut order = order;
        let lease = try_match(&mut order, price, CH, Matcher::Operator, NOW).unwrap();
        assert_eq!((order.held, order.free), (money, PLACE - money));
        assert_eq!((lease.held, lease.rate), (money, price * 4));
    }
    // What was above a lease's price went back; its place, open again, has only that price.
    let mut lease = matched(&mut order, NOW);
    assert_eq!(order.give_back(NOW), Ok(PLACE - COST));
    end(&mut order, &mut lease, Party::Supplier, NOW);
    assert_eq!((order.open, order.free, order.give_back(NOW)), (1, COST, Ok(0)));
    refused(try_match(&mut order.clone(), PRICE + 1, CH, Matcher::Operator, NOW), E::NotFunded);
    matched(&mut order, NOW);
    assert_eq!(order.free, 0);
}

// -- cancelled ------------------------------------------------------------------------------------

#[test]
fn cancelling_in_time_costs_the_fee_on_an_hour_of_each_open_place() {
    let mut order = placed(terms());
    assert_eq!(order.cancel(NOW + 1_199), Ok(Cancelled { open: 3, charged: 3 * HOUR_FEE }));
    assert_eq!(money(&order), [3 * PLACE, 3 * (PLACE - HOUR_FEE), 0, 0, 3 * HOUR_FEE, 0]);
    assert_eq!((order.fees_due, order.give_back(NOW)), (3 * HOUR_FEE, Ok(3 * (PLACE - HOUR_FEE))));
    refused(order.cancel(NOW), E::OrderClosed);
    // The urgency's fee is in it, and what is open at the end of the matching goes back whole.
    let mut urgent = placed(Terms { urgency: 2, ..terms() });
    assert_eq!(urgent.cancel(NOW), Ok(Cancelled { open: 3, charged: 390 }));
    for at in [1_200, 1_201, DAY] {
        let mut late = placed(terms());
        assert_eq!(late.cancel(NOW + at), Ok(Cancelled { open: 3, charged: 0 }));
        assert_eq!((late.fees_due, late.give_back(NOW)), (0, Ok(3 * PLACE)));
    }
}

#[test]
fn a_charge_takes_no_more_than_is_free() {
    let mut order = placed(Terms { devices: 1, hours: 1, ..terms() });
    let mut lease = try_match(&mut order, 1, CH, Matcher::Operator, NOW).unwrap();
    order.give_back(NOW).unwrap();
    end(&mut order, &mut lease, Party::Supplier, NOW);
    assert_eq!(order.free, 5);
    assert_eq!(order.cancel(NOW), Ok(Cancelled { open: 1, charged: 5 }));
    assert_eq!((order.free, order.fees_due), (0, 5));
}

#[test]
fn a_cancelled_order_takes_no_more_and_keeps_its_leases() {
    let (mut order, mut lease) = busy();
    order.cancel(NOW + 1_200).unwrap();
    assert_eq!(order.give_back(NOW), Ok(3 * PLACE - COST));
    try_accept(&mut order, &mut lease, NOW).unwrap();
    assert_eq!(money(&order), [3 * PLACE, 0, COST, 0, 0, 3 * PLACE - COST]);
    refused(order.cancel(NOW), E::OrderClosed);
    refused(try_match(&mut order, PRICE, CH, Matcher::Operator, NOW), E::OrderClosed);
    // What runs goes on, and can be extended.
    order.clone().extend(1).unwrap();
    // Nothing opens again in it.
    end(&mut order, &mut lease, Party::Supplier, NOW + 5);
    assert_eq!((order.open, order.match_until, order.free), (0, NOW + 1_200, COST));
}

#[test]
fn withdrawing_a_lease_costs_the_fee_on_an_hour_of_it() {
    let (mut order, mut lease) = busy();
    assert_eq!(end(&mut order, &mut lease, Party::Renter, NOW + 599), (HOUR_FEE, None));
    assert_eq!((order.open, order.match_until), (2, NOW + 1_200));
    assert_eq!(money(&order), [3 * PLACE, 3 * PLACE - HOUR_FEE, 0, 0, HOUR_FEE, 0]);
    // Once the worker let it lapse, it is the worker's doing.
    let (mut order, mut lease) = busy();
    assert_eq!(end(&mut order, &mut lease, Party::Renter, NOW + 600), (0, None));
    assert_eq!((order.open, order.fees), (3, 0));
}

// -- open again -----------------------------------------------------------------------------------

#[test]
fn a_place_that_was_never_served_a_whole_hour_is_open_again() {
    // Past the end of the matching the two that nobody took stay over.
    for (party, accepted, at, reason, open) in [
        (Party::Stranger, false, 600, EndReason::Lapsed, 3),
        (Party::Supplier, false, 599, EndReason::Declined, 3),
        (Party::Supplier, true, HOUR - 1, EndReason::Supplier, 1),
    ] {
        let (mut order, mut lease) = if accepted { running() } else { busy() };
        let ending = lease.end(party, LAG, false, NOW + at).unwrap();
        assert_eq!((ending.reason, ending.seconds, ending.released), (reason, 0, COST));
        assert!(ending.reopens() && ending.strikes(false));
        assert_eq!(order.end_lease(&ending, NOW + at), Ok((0, None)));
        assert_eq!((order.open, order.match_until), (open, NOW + at + 1_200));
        assert_eq!((order.free, order.held, order.leases), (3 * PLACE, 0, 1));
        assert!(order.takes_devices(NOW + at + 1_199) && !order.takes_devices(NOW + at + 1_200));
        refused(order.close_reason(NOW + at + 1_199), E::OrderBusy);
    }
    // Its matching never ends sooner for that.
    let (mut order, mut lease) = busy();
    order.match_until = NOW + 9_000;
    end(&mut order, &mut lease, Party::Supplier, NOW);
    assert_eq!(order.match_until, NOW + 9_000);
}

#[test]
fn a_place_that_opens_again_late_brings_back_no_other() {
    let (mut order, mut lease) = running();
    assert_eq!((order.taken, order.give_back(NOW + 1_200)), (1, Ok(3 * PLACE - COST)));
    end(&mut order, &mut lease, Party::Supplier, NOW + 1_500);
    assert_eq!((order.open, order.taken, order.match_until), (1, 0, NOW + 2_700));
    assert_eq!((order.free, order.give_back(NOW + 1_500)), (COST, Ok(0)));
    // Changing one's mind costs the fee on this one alone.
    let mut given_up = order;
    assert_eq!(given_up.cancel(NOW + 1_501), Ok(Cancelled { open: 1, charged: HOUR_FEE }));
    // Another takes its place, and no further one anybody's money.
    matched(&mut order, NOW + 1_501);
    order.extend(PLACE).unwrap();
    order.release(PLACE).unwrap();
    refused(try_match(&mut order, PRICE, CH, Matcher::Operator, NOW + 1_502), E::OrderFull);
    // In the last second of the matching those that are open stay so.
    for (at, open) in [(1_199, 3), (1_200, 1)] {
        let (mut order, mut lease) = running();
        end(&mut order, &mut lease, Party::Supplier, NOW + at);
        assert_eq!((order.open, order.taken), (open, 0));
    }
}

#[test]
fn a_place_that_was_served_or_is_not_wanted_stays_taken() {
    for (party, at, seconds) in
        [(Party::Supplier, HOUR, HOUR), (Party::Renter, 1, HOUR), (Party::Stranger, 10 * HOUR, 10 * HOUR)]
    {
        let (mut order, mut lease) = running();
        let ending = lease.end(party, LAG, false, NOW + at).unwrap();
        assert_eq!((ending.seconds, ending.reopens(), ending.strikes(false)), (seconds, false, false));
        order.end_lease(&ending, NOW + at).unwrap();
        assert_eq!((order.open, order.match_until, order.fees), (2, NOW + 1_200, 0));
    }
}

#[test]
fn a_fault_in_the_first_hour_opens_the_place_again() {
    for (good, lag, again) in [(0, LAG, true), (1, LAG, false), (0, 0, false)] {
        let (mut order, mut lease) = running();
        order.match_until = NOW + DAY;
        let ending = lease.fault(good, lag, NOW + HOUR).unwrap();
        assert_eq!((ending.reason, ending.strikes(false)), (EndReason::Fault, again));
        order.end_lease(&ending, NOW + HOUR).unwrap();
        assert_eq!((order.open, order.taken), if again { (3, 0) } else { (2, 1) }, "{good} good hours");
    }
}

// -- money ----------------------------------------------------------------------------------------

fn payment(net: u64, fee: u64, renter_fee: u64) -> Payment {
    Payment { amount: net + fee, fee, net, renter_fee, until: NOW }
}

#[test]
fn money_of_a_lease_through_its_life() {
    let (mut order, _) = running();
    let deposit = 3 * PLACE;
    order.extend(4_010).unwrap();
    assert_eq!(money(&order), [deposit + 4_010, deposit - COST, COST + 4_010, 0, 0, 0]);
    order.pay(&payment(20_000, 60, 50)).unwrap();
    assert_eq!(money(&order), [deposit + 4_010, deposit - COST, COST + 4_010 - 20_110, 20_000, 110, 0]);
    assert_eq!((order.fees_due, order.take_fees(), order.take_fees()), (110, 110, 0));
    order.pay(&payment(0, 0, 20)).unwrap();
    assert_eq!((order.fees, order.fees_due), (130, 20));
    order.release(order.held).unwrap();
    assert_eq!(money(&order), [deposit + 4_010, deposit + 4_010 - 20_130, 0, 20_000, 130, 0]);
}

#[test]
fn what_devices_that_may_come_need_is_not_given_back() {
    let mut order = placed(terms());
    assert_eq!(order.give_back(NOW + 1_199), Ok(0));
    let mut lease = matched(&mut order, NOW);
    assert_eq!(order.give_back(NOW), Ok(PLACE - COST));
    end(&mut order, &mut lease, Party::Renter, NOW);
    assert_eq!((order.open, order.give_back(NOW)), (2, Ok(COST - HOUR_FEE)));
    assert_eq!(order.give_back(NOW + 1_200), Ok(2 * PLACE));
    assert_eq!(order.give_back(NOW + 1_200), Ok(0));
}

#[test]
fn why_an_order_closes() {
    let mut order = placed(terms());
    refused(order.close_reason(NOW + 1_199), E::OrderBusy);
    assert_eq!(order.close_reason(NOW + 1_200), Ok(CloseReason::Unserved));
    order.cancel(NOW).unwrap();
    refused(order.close_reason(NOW), E::FeesBlocked);
    assert_eq!(order.take_fees(), 3 * HOUR_FEE);
    assert_eq!(order.close_reason(NOW), Ok(CloseReason::Cancelled));
    order.served = 1;
    assert_eq!(order.close_reason(NOW), Ok(CloseReason::Served));
    refused(Order { leases: 1, ..order }.close_reason(NOW), E::OrderBusy);
    order.held = 1;
    refused(order.close_reason(NOW), E::OrderBusy);
}

#[test]
fn more_than_there_is_never_leaves() {
    let (order, _) = busy();
    let again = || order;
    refused(again().pay(&payment(COST + 1, 0, 0)), E::InvariantViolated);
    refused(again().pay(&payment(COST, 0, 1)), E::InvariantViolated);
    refused(again().pay(&payment(COST, 1, 0)), E::InvariantViolated);
    again().pay(&payment(COST - 2, 1, 1)).unwrap();
    refused(again().release(COST + 1), E::InvariantViolated);
    refused(placed(terms()).forget_lease(), E::InvariantViolated);
    refused(again().extend(u64::MAX), E::Overflow);
    refused(again().extend(u64::MAX - 3 * PLACE + 1), E::Overflow);
    again().extend(u64::MAX - 3 * PLACE).unwrap();
    refused(Order { transactions: u64::MAX, ..again() }.transaction(), E::Overflow);
    let mut counted = Order { transactions: 5, ..again() };
    assert_eq!([counted.transaction(), counted.transaction()], [Ok(5), Ok(6)]);
    refused(Order { open: 3, ..again() }.invariant(), E::InvariantViolated);
    refused(Order { open: u16::MAX, ..again() }.invariant(), E::Overflow);
    refused(Order { free: 0, ..again() }.invariant(), E::InvariantViolated);
    refused(Order { free: u64::MAX, ..again() }.invariant(), E::InvariantViolated);
    refused(Order { fees_due: 1, ..again() }.invariant(), E::InvariantViolated);
    let ending = Ending { reason: EndReason::Declined, released: COST, accepted: true, seconds: 0 };
    refused(again().end_lease(&ending, NOW), E::InvariantViolated);
    let ending = Ending { accepted: false, ..ending };
    refused(Order { open: 3, ..again() }.end_lease(&ending, NOW), E::InvariantViolated);
    refused(again().end_lease(&ending, u64::MAX), E::Overflow);
}

#[test]
fn more_leases_than_a_counter_holds_keep_nobody_from_accepting() {
    let (mut order, mut lease) = busy();
    order.served = u16::MAX;
    try_accept(&mut order, &mut lease, NOW).unwrap();
    assert_eq!(order.served, u16::MAX);
    let mut crowded = placed(terms());
    crowded.leases = u16::MAX;
    refused(try_match(&mut crowded, PRICE, CH, Matcher::Operator, NOW), E::Overflow);
}
