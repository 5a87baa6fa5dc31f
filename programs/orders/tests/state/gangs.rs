//! Gangs: all or nothing.

use {
    crate::fixtures::*,
    ionet_common::calendar::HOUR,
    orders::{
        errors::OrdersError as E,
        state::{Cancelled, CloseReason, EndReason, Lease, LeaseStatus, Matcher, Order, Party, Terms},
    },
    staking::state::LeaseOutcome,
};

/// Two of three at least, two of them matched at [`NOW`].
fn gang() -> (Order, [Lease; 2]) {
    let mut order = placed(Terms { min_devices: 2, ..terms() });
    let leases = [NOW, NOW].map(|at| matched(&mut order, at));
    (order, leases)
}

fn status(lease: &Lease) -> u8 {
    lease.status
}

#[test]
fn nothing_runs_before_enough_have_accepted() {
    let (mut order, [mut first, mut second]) = gang();
    assert_eq!((order.gang_until, first.accept_until), (NOW + 600, NOW + 600));
    try_accept(&mut order, &mut first, NOW + 10).unwrap();
    assert_eq!((first.status, first.start, first.stop), (LeaseStatus::Accepted as u8, 0, 0));
    assert_eq!((first.accepted_at, order.served, order.filled_at), (NOW + 10, 1, 0));
    // Nothing is due, and nothing can be extended, held or attested.
    touch(&order, &mut first).unwrap();
    refused(first.clone().settle(LAG, BPS, NOW + HOUR), E::LeaseState);
    refused(first.clone().extend(1, u64::MAX, NOW + 20), E::LeaseState);
    refused(first.clone().hold(NOW + HOUR, NOW), E::LeaseState);
    refused(first.clone().fault(0, LAG, NOW + 20), E::LeaseState);
    refused(first.clone().accept(&TOKENS, NOW + 20), E::LeaseState);
    refused(first.require_done(), E::LeaseState);
    // With the second it is filled; the first begins when it is touched, as of then.
    try_accept(&mut order, &mut second, NOW + 40).unwrap();
    assert_eq!((order.filled_at, second.start, status(&second)), (NOW + 40, NOW + 40, 1));
    assert!(first.starts(order.filled_at) && !second.starts(order.filled_at));
    touch(&order, &mut first).unwrap();
    assert_eq!((first.status, first.start, first.stop), (1, NOW + 40, NOW + 40 + 10 * HOUR));
    assert_eq!(first.held, COST);
    refused(first.begin(order.filled_at), E::LeaseState);
}

#[test]
fn a_third_that_comes_later_begins_when_it_accepts() {
    let (mut order, [mut first, mut second]) = gang();
    try_accept(&mut order, &mut first, NOW).unwrap();
    try_accept(&mut order, &mut second, NOW + 599).unwrap();
    let mut third = matched(&mut order, NOW + 1_000);
    assert_eq!(third.accept_until, NOW + 1_600);
    try_accept(&mut order, &mut third, NOW + 1_500).unwrap();
    assert_eq!((third.start, order.filled_at, order.served), (NOW + 1_500, NOW + 599, 3));
    // One that is filled stays so: what opens again in it needs no others.
    let ending = third.end(Party::Supplier, LAG, false, NOW + 1_501).unwrap();
    order.end_lease(&ending, NOW + 1_501).unwrap();
    assert_eq!((order.open, order.served, ending.accepted), (1, 3, false));
    let mut fourth = matched(&mut order, NOW + 1_600);
    try_accept(&mut order, &mut fourth, NOW + 1_601).unwrap();
    assert_eq!(status(&fourth), LeaseStatus::Running as u8);
}

#[test]
fn an_order_without_a_gang_is_filled_by_its_first() {
    let mut order = placed(terms());
    let mut leases = [matched(&mut order, NOW), matched(&mut order, NOW + 1)];
    assert_eq!((order.gang_until, leases[1].accept_until), (0, NOW + 601));
    for (lease, at) in leases.iter_mut().zip([NOW + 5, NOW + 9]) {
        try_accept(&mut order, lease, at).unwrap();
        assert_eq!((lease.status, lease.start, order.filled_at), (1, at, NOW + 5));
    }
}

#[test]
fn a_gang_has_one_window_and_every_worker_half_of_it() {
    let mut order = placed(Terms { min_devices: 2, ..terms() });
    matched(&mut order, NOW + 100);
    let late = matched(&mut order.clone(), NOW + 400);
    assert_eq!((order.gang_until, late.accept_until), (NOW + 700, NOW + 700));
    for at in [NOW + 401, NOW + 699, NOW + 700, NOW + 701, NOW + 1_199] {
        refused(try_match(&mut order.clone(), PRICE, CH, Matcher::Operator, at), E::GangOver);
    }
    // The shortest window there is.
    let mut order = placed(Terms { min_devices: 2, ..terms() });
    order.accept_window = 1;
    matched(&mut order, NOW);
    matched(&mut order, NOW);
    refused(try_match(&mut order, PRICE, CH, Matcher::Operator, NOW + 1), E::GangOver);
    let mut late = placed(Terms { min_devices: 2, ..terms() });
    late.match_until = u64::MAX;
    refused(try_match(&mut late, PRICE, CH, Matcher::Operator, u64::MAX - 599), E::Overflow);
}

#[test]
fn a_gang_that_is_not_filled_blames_who_did_not_accept() {
    let (mut order, [mut first, mut second]) = gang();
    try_accept(&mut order, &mut first, NOW).unwrap();
    refused(second.clone().accept(&TOKENS, NOW + 600), E::AcceptanceOver);
    refused(first.clone().end(Party::Stranger, LAG, false, NOW + 599), E::NotParty);
    for party in [Party::Stranger, Party::Renter, Party::Supplier] {
        let ending = first.clone().end(party, LAG, false, NOW + 600).unwrap();
        assert_eq!((ending.reason, ending.outcome()), (EndReason::Unfilled, LeaseOutcome::None));
        assert!(ending.reopens() && !ending.strikes(false) && ending.accepted);
        let ending = second.clone().end(party, LAG, false, NOW + 600).unwrap();
        assert_eq!((ending.reason, ending.outcome()), (EndReason::Lapsed, LeaseOutcome::None));
        assert!(ending.reopens() && ending.strikes(false) && !ending.accepted);
    }
    for lease in [&mut first, &mut second] {
        let ending = lease.end(Party::Stranger, LAG, false, NOW + 600).unwrap();
        assert_eq!(order.end_lease(&ending, NOW + 600), Ok((0, None)));
        lease.require_done().unwrap();
    }
    assert_eq!((order.open, order.served, order.match_until), (3, 0, NOW + 1_800));
    assert_eq!((order.free, order.held), (3 * PLACE, 0));
    // It is tried again once its leases are closed.
    order.forget_lease().unwrap();
    refused(try_match(&mut order.clone(), PRICE, CH, Matcher::Operator, NOW + 700), E::GangOver);
    assert_eq!(order.gang_until, NOW + 600);
    order.forget_lease().unwrap();
    assert_eq!(order.gang_until, 0);
    matched(&mut order, NOW + 700);
    assert_eq!(order.gang_until, NOW + 1_300);
}

#[test]
fn who_leaves_a_gang_that_is_never_filled_is_not_to_blame() {
    let mut order = placed(Terms { min_devices: 3, ..terms() });
    let [mut first, second] = [NOW, NOW].map(|at| matched(&mut order, at));
    try_accept(&mut order, &mut first, NOW).unwrap();
    // As long as the third may come, whoever leaves breaks its word.
    assert!(!order.is_stranded(NOW + 1_199) && order.is_stranded(NOW + 1_201));
    let mut cancelled = order;
    cancelled.cancel(NOW + 1).unwrap();
    // Cancelled by its renter, or by time: the third never comes.
    for (order, at) in [(cancelled, NOW + 2), (order, NOW + 1_200)] {
        assert!(order.is_stranded(at));
        let charged = if at == NOW + 2 { HOUR_FEE } else { 0 };
        for lease in [first, second] {
            for (party, at) in [(Party::Supplier, at), (Party::Stranger, at + 600), (Party::Renter, at + 600)]
            {
                let accept_until = at.max(lease.accept_until);
                let (mut order, mut lease) = (order, Lease { accept_until, ..lease });
                let at = if party == Party::Supplier { at - 1 } else { at };
                let ending = lease.end(party, LAG, true, at).unwrap();
                assert_eq!((ending.reason, ending.strikes(false)), (EndReason::Unfilled, false));
                assert_eq!(lease.reason, EndReason::Unfilled as u8);
                assert_eq!(order.end_lease(&ending, at.max(NOW + 2)), Ok((charged, None)));
            }
        }
    }
    // Whoever is ended first, once their time is over, excuses nobody: all three waited, and the silent one is why.
    let mut order = placed(Terms { devices: 4, min_devices: 3, ..terms() });
    let mut leases = [NOW; 3].map(|at| matched(&mut order, at));
    for lease in &mut leases[..2] {
        try_accept(&mut order, lease, NOW).unwrap();
    }
    order.cancel(NOW + 1).unwrap();
    for (lease, reason) in
        leases.iter_mut().zip([EndReason::Unfilled, EndReason::Unfilled, EndReason::Lapsed])
    {
        assert!(!order.is_stranded(NOW + 600));
        let ending = lease.end(Party::Stranger, LAG, false, NOW + 600).unwrap();
        assert_eq!((ending.reason, ending.strikes(false)), (reason, reason == EndReason::Lapsed));
        order.end_lease(&ending, NOW + 600).unwrap();
    }
    // Who leaves in time leaves the others without a gang.
    let mut order = placed(Terms { devices: 4, min_devices: 3, ..terms() });
    let mut leases = [NOW; 3].map(|at| matched(&mut order, at));
    order.cancel(NOW + 1).unwrap();
    let ending = leases[0].end(Party::Supplier, LAG, order.is_stranded(NOW + 2), NOW + 2).unwrap();
    assert_eq!((ending.reason, ending.strikes(false)), (EndReason::Declined, true));
    order.end_lease(&ending, NOW + 2).unwrap();
    assert!(order.is_stranded(NOW + 2));
    // One that those who wait can still fill is not stranded, and one that was filled never is.
    let mut enough = placed(Terms { min_devices: 2, ..terms() });
    let mut leases = [NOW, NOW].map(|at| matched(&mut enough, at));
    let mut crowded = enough;
    matched(&mut crowded, NOW);
    assert!(crowded.taken > crowded.terms.min_devices && !crowded.is_stranded(NOW + 1_200));
    enough.cancel(NOW + 1).unwrap();
    assert!(!enough.is_stranded(NOW + 1_200));
    for lease in &mut leases {
        try_accept(&mut enough, lease, NOW + 2).unwrap();
    }
    enough.taken = 0;
    assert!(!enough.is_stranded(NOW + 1_200));
    assert!(!placed(terms()).is_stranded(NOW + 1_200), "no gang");
}

#[test]
fn a_gang_whose_places_are_over_is_not_tried_with_too_few() {
    // Two of three come in the last second of the matching, and wait past it for the third.
    let mut order = placed(Terms { min_devices: 3, ..terms() });
    let mut leases = [NOW + 1_199; 2].map(|at| matched(&mut order, at));
    for lease in &mut leases {
        try_accept(&mut order, lease, NOW + 1_199).unwrap();
    }
    assert_eq!(order.give_back(NOW + 1_200), Ok(3 * PLACE - 2 * COST));
    for lease in &mut leases {
        let ending = lease.end(Party::Stranger, LAG, true, NOW + 1_799).unwrap();
        assert_eq!(order.end_lease(&ending, NOW + 1_799), Ok((0, None)));
        assert_eq!((order.open, order.match_until), (0, NOW + 1_200));
    }
    assert_eq!((order.taken, order.give_back(NOW + 1_799)), (0, Ok(2 * COST)));
    // Of four, three came: without the fourth's place they may try again.
    let mut order = placed(Terms { devices: 4, min_devices: 3, ..terms() });
    let mut leases = [NOW + 1_199; 3].map(|at| matched(&mut order, at));
    for lease in &mut leases {
        let ending = lease.end(Party::Stranger, LAG, false, NOW + 1_799).unwrap();
        order.end_lease(&ending, NOW + 1_799).unwrap();
    }
    assert_eq!((order.open, order.taken, order.match_until), (3, 0, NOW + 2_999));
}

#[test]
fn a_gang_is_matched_only_while_its_money_is_enough_for_all_that_it_waits_for() {
    let mut order = placed(Terms { min_devices: 3, ..terms() });
    order.refunded = order.free - 3 * COST + 1;
    order.free = 3 * COST - 1;
    refused(try_match(&mut order.clone(), PRICE, CH, Matcher::Operator, NOW), E::NotFunded);
    (order.free, order.refunded) = (order.free + 1, order.refunded - 1);
    for left in [2, 1, 0] {
        matched(&mut order, NOW);
        assert_eq!((order.free, order.taken), (left * COST, 3 - left as u16));
    }
    // Beyond the least that it needs each one has its own money.
    let mut more = placed(Terms { devices: 4, min_devices: 2, ..terms() });
    for _ in 0..2 {
        matched(&mut more, NOW);
    }
    more.refunded = more.free - COST;
    more.free = COST;
    let short = Order { free: COST - 1, refunded: more.refunded + 1, ..more };
    refused(try_match(&mut short.clone(), PRICE, CH, Matcher::Operator, NOW), E::NotFunded);
    matched(&mut more, NOW);
    // There may be more of them than it waits for.
    let mut many = placed(Terms { devices: 4, min_devices: 2, ..terms() });
    for _ in 0..4 {
        matched(&mut many, NOW);
    }
    assert_eq!((many.open, many.taken, many.filled_at), (0, 4, 0));
    // A price at which all of it is past 64 bits.
    let dear = u64::MAX / 40 / 2;
    refused(
        try_match(&mut placed(Terms { min_devices: 3, ..terms() }), dear, CH, Matcher::Operator, NOW),
        E::NotFunded,
    );
}

#[test]
fn a_filled_gangs_window_means_nothing_any_more() {
    let (mut order, mut leases) = gang();
    for lease in &mut leases {
        try_accept(&mut order, lease, NOW).unwrap();
    }
    for lease in &mut leases {
        touch(&order, lease).unwrap();
        let ending = lease.end(Party::Renter, LAG, false, NOW + HOUR).unwrap();
        order.end_lease(&ending, NOW + HOUR).unwrap();
        order.forget_lease().unwrap();
    }
    assert_eq!((order.leases, order.gang_until), (0, NOW + 600));
    matched(&mut order, NOW + 1_199);
}

#[test]
fn a_supplier_that_breaks_its_word_before_the_gang_runs() {
    let (mut order, [mut first, _]) = gang();
    try_accept(&mut order, &mut first, NOW).unwrap();
    let ending = first.end(Party::Supplier, LAG, false, NOW + 1).unwrap();
    assert_eq!((ending.reason, ending.outcome()), (EndReason::Declined, LeaseOutcome::None));
    assert!(ending.reopens() && ending.strikes(false) && ending.accepted);
    assert_eq!(order.end_lease(&ending, NOW + 1), Ok((0, None)));
    assert_eq!((order.served, order.open, order.filled_at), (0, 2, 0));
}

#[test]
fn a_renter_that_withdraws_from_a_gang_cancels_it_and_pays_for_each_place_once() {
    let (mut order, [mut first, mut second]) = gang();
    try_accept(&mut order, &mut first, NOW).unwrap();
    try_accept(&mut order.clone(), &mut second.clone(), NOW).unwrap();
    // The place that was open, and the lease that is withdrawn.
    let ending = second.end(Party::Renter, LAG, false, NOW + 1).unwrap();
    let charged = order.end_lease(&ending, NOW + 1);
    assert_eq!(charged, Ok((HOUR_FEE, Some(Cancelled { open: 1, charged: HOUR_FEE }))));
    assert_eq!((order.status, order.open, order.fees_due), (1, 0, 2 * HOUR_FEE));
    // The one that waited for the others in vain.
    let ending = first.end(Party::Stranger, LAG, false, NOW + 600).unwrap();
    assert_eq!(ending.reason, EndReason::Unfilled);
    assert_eq!(order.end_lease(&ending, NOW + 600), Ok((HOUR_FEE, None)));
    assert_eq!((order.open, order.served, order.fees_due), (0, 0, 3 * HOUR_FEE));
    assert_eq!(order.match_until, NOW + 1_200);
    for _ in 0..2 {
        order.forget_lease().unwrap();
    }
    order.take_fees();
    assert_eq!(order.close_reason(NOW + 600), Ok(CloseReason::Cancelled));
}

#[test]
fn an_accepted_lease_that_is_withdrawn_is_no_longer_counted() {
    let (mut order, [mut first, mut second]) = gang();
    try_accept(&mut order, &mut first, NOW).unwrap();
    let ending = first.end(Party::Renter, LAG, false, NOW + 1).unwrap();
    assert_eq!((ending.reason, ending.accepted), (EndReason::Withdrawn, true));
    order.end_lease(&ending, NOW + 1).unwrap();
    assert_eq!(order.served, 0);
    try_accept(&mut order, &mut second, NOW + 2).unwrap();
    assert_eq!((order.served, order.filled_at), (1, 0));
    // In a cancelled order nothing more is cancelled with a lease.
    let ending = second.end(Party::Renter, LAG, false, NOW + 3).unwrap();
    assert_eq!(order.end_lease(&ending, NOW + 3), Ok((HOUR_FEE, None)));
    assert_eq!(order.fees, 3 * HOUR_FEE);
}

#[test]
fn a_cancelled_gang_can_still_be_filled_by_those_that_are_matched() {
    let (mut order, [mut first, mut second]) = gang();
    order.cancel(NOW + 1).unwrap();
    try_accept(&mut order, &mut first, NOW + 2).unwrap();
    try_accept(&mut order, &mut second, NOW + 3).unwrap();
    assert_eq!((order.filled_at, second.start), (NOW + 3, NOW + 3));
    // From then on a renter ends it as any other lease.
    let ending = second.end(Party::Renter, LAG, false, NOW + 4).unwrap();
    assert_eq!((ending.reason, ending.seconds), (EndReason::Renter, HOUR));
    assert_eq!(order.end_lease(&ending, NOW + 4), Ok((0, None)));
}

#[test]
fn withdrawing_from_a_filled_gang_cancels_nothing() {
    let (mut order, [mut first, mut second]) = gang();
    let mut third = matched(&mut order, NOW);
    try_accept(&mut order, &mut first, NOW).unwrap();
    try_accept(&mut order, &mut second, NOW).unwrap();
    let ending = third.end(Party::Renter, LAG, false, NOW + 1).unwrap();
    assert_eq!(order.end_lease(&ending, NOW + 1), Ok((HOUR_FEE, None)));
    assert_eq!(order.status, 0);
}

#[test]
fn a_filled_gangs_place_opens_again_though_the_others_are_gone() {
    let mut order = placed(Terms { min_devices: 3, ..terms() });
    let mut leases = [NOW; 3].map(|at| matched(&mut order, at));
    for lease in &mut leases {
        try_accept(&mut order, lease, NOW).unwrap();
    }
    // All break off within their first hour, after the matching; each time only that one place is open.
    for (lease, taken) in leases.iter_mut().zip([2, 1, 0]) {
        touch(&order, lease).unwrap();
        let ending = lease.end(Party::Supplier, LAG, false, NOW + 3_000).unwrap();
        order.open = 0;
        order.end_lease(&ending, NOW + 3_000).unwrap();
        assert_eq!((order.open, order.taken), (1, taken));
        assert!(order.takes_devices(NOW + 3_001));
    }
}
