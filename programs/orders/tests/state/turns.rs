//! Who may match an order, and when.

use {
    crate::{fixtures::*, terms::countries},
    orders::{
        constants::*,
        errors::OrdersError as E,
        state::{Matcher, Order, Terms},
    },
    staking::constants::{MAX_OPERATORS, TICK},
};

/// Opened a second before a tick; that tick.
fn opened() -> (Order, u32) {
    let tick = NOW / TICK + 1;
    (Order { created_at: tick * TICK - 1, ..placed(terms()) }, tick as u32)
}

#[test]
fn in_each_tick_operators_come_one_after_another() {
    for operators in 1..=MAX_OPERATORS as usize {
        for ahead in 0..operators as u32 {
            let (order, first) = opened();
            let tick = first + ahead;
            let leads = tick as usize % operators;
            for operator in 0..operators {
                let place = (operator + operators - leads) % operators;
                let turn = tick as u64 * TICK + FIRST + TURN * place as u64;
                let end = tick as u64 * TICK + REACH;
                refused(order.require_turn(tick, operator, operators, turn - 1), E::NotYourTurn);
                order.require_turn(tick, operator, operators, turn).unwrap();
                order.require_turn(tick, operator, operators, end).unwrap();
                refused(order.require_turn(tick, operator, operators, end + 1), E::NotYourTurn);
                assert!(turn < end, "the last operator has a turn, too");
            }
        }
    }
}

#[test]
fn only_ticks_after_the_opening() {
    let (mut order, tick) = opened();
    let at = tick as u64 * TICK;
    order.require_turn(tick, tick as usize % 3, 3, at + FIRST).unwrap();
    refused(order.require_turn(tick - 1, (tick - 1) as usize % 3, 3, at), E::TickTooEarly);
    refused(order.require_turn(0, 0, 3, at), E::TickTooEarly);
    refused(order.require_turn(tick, 0, 0, at + FIRST), E::NotMatcher);
    // The last tick there is is long after now.
    refused(order.require_turn(u32::MAX, 0, 3, at + FIRST), E::NotYourTurn);
    order.created_at = at;
    refused(order.require_turn(tick, tick as usize % 3, 3, at + FIRST), E::TickTooEarly);
}

#[test]
fn suppliers_come_after_the_operators_time() {
    let order = placed(terms());
    assert_eq!(order.exclusive_until, NOW + 300);
    refused(order.require_open_to_suppliers(NOW + 299), E::ExclusiveTime);
    for at in [300, 301, 1_199] {
        order.require_open_to_suppliers(NOW + at).unwrap();
    }
    let gang = placed(Terms { min_devices: 2, ..terms() });
    refused(gang.require_open_to_suppliers(NOW + 300), E::OperatorsOnly);
}

#[test]
fn operators_alone_choose_where_an_order_is_together() {
    let mut order = placed(Terms { colocated: 1, ..terms() });
    refused(order.require_open_to_suppliers(NOW + 300), E::OperatorsOnly);
    try_match(&mut order, PRICE, DE, Matcher::Operator, NOW + 300).unwrap();
    order.require_open_to_suppliers(NOW + 300).unwrap();
    refused(try_match(&mut order, PRICE, CH, Matcher::Supplier, NOW + 300), E::WrongCountry);
    try_match(&mut order, PRICE, DE, Matcher::Supplier, NOW + 300).unwrap();
    assert_eq!(order.country, DE);
}

#[test]
fn a_suppliers_match_is_accepted_at_once() {
    let mut order = placed(terms());
    let by_operator = try_match(&mut order, PRICE, CH, Matcher::Operator, NOW + 400).unwrap();
    let by_supplier = try_match(&mut order, PRICE, CH, Matcher::Supplier, NOW + 400).unwrap();
    assert_eq!((by_operator.accept_until, by_supplier.accept_until), (NOW + 1_000, NOW + 401));
}

#[test]
fn countries_that_an_order_allows() {
    let take = |order: &mut Order, country| try_match(order, PRICE, country, Matcher::Operator, NOW);
    let mut order = placed(countries(&[CH, DE]));
    refused(take(&mut order.clone(), *b"FR"), E::WrongCountry);
    take(&mut order, DE).unwrap();
    take(&mut order, CH).unwrap();
    // Together, the first decides until no lease is left.
    let mut order = placed(Terms { colocated: 1, ..terms() });
    let mut lease = take(&mut order, DE).unwrap();
    refused(take(&mut order.clone(), CH), E::WrongCountry);
    let ending = lease.end(orders::state::Party::Supplier, LAG, false, NOW).unwrap();
    order.end_lease(&ending, NOW).unwrap();
    refused(take(&mut order.clone(), CH), E::WrongCountry);
    order.forget_lease().unwrap();
    take(&mut order, CH).unwrap();
    assert_eq!(order.country, CH);
    // Apart, it is nobody's business.
    let mut order = placed(terms());
    take(&mut order, DE).unwrap();
    assert_eq!(order.country, [0; 2]);
}
