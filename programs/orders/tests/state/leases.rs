//! A lease's transitions: where each leads, its refusals, the seconds on both sides of every deadline, and that
//! the sums don't depend on when it is settled.

use {
    crate::fixtures::*,
    ionet_common::{
        calendar::{DAY, HOUR},
        math::fee,
    },
    orders::{
        constants::*,
        errors::OrdersError as E,
        state::{earned, with_fee, EndReason, Lease, LeaseAction, LeaseStatus, Party, Payment},
    },
    staking::state::LeaseOutcome,
};

const HOURS: u32 = 100;
/// Odd, so that every second is rounded.
const RATE: u64 = 7_999_999;
const PRINCIPAL: u64 = RATE * HOURS as u64;
/// The renter's, on all of it.
const FEE: u64 = 2_000_000;
const WHOLE: u64 = PRINCIPAL + FEE;
const END: u64 = HOURS as u64 * HOUR;

/// Matched at [`NOW`].
fn matched() -> Lease {
    lease_of(RATE, HOURS, BPS)
}

/// Accepted at [`NOW`].
fn running() -> Lease {
    run(matched(), NOW)
}

/// Ended by `party` at `at`.
fn ended(party: Party, at: u64) -> Lease {
    let mut lease = running();
    lease.end(party, LAG, false, at).unwrap();
    lease
}

/// A settlement's figures: amount, its fee, the supplier's, the renter's fee.
fn settle(lease: &mut Lease, lag: u64, now: u64) -> [u64; 4] {
    figures(lease.settle(lag, BPS, now).unwrap())
}

/// The renter's fee on what is earned in `seconds`, and on at most a day more.
fn fee_of_an_early_end(seconds: u64) -> u64 {
    fee((earned(RATE, seconds).unwrap() + 24 * RATE).min(PRINCIPAL), BPS).unwrap()
}

// -- the table ------------------------------------------------------------------------------------

#[test]
fn every_state_and_action() {
    use {LeaseAction::*, LeaseStatus::*};
    let actions = [Accept, Start, Extend, Drop, Finish, Fault, Settle];
    let table = [
        (Matched, [Some(Accepted), None, None, Some(Ended), None, None, None]),
        (Accepted, [None, Some(Running), None, Some(Ended), None, None, None]),
        (Running, [None, None, Some(Running), None, Some(Ended), Some(Ended), Some(Running)]),
        (Ended, [None, None, None, None, None, Some(Ended), Some(Ended)]),
    ];
    for (state, row) in table {
        for (action, to) in actions.into_iter().zip(row) {
            match to {
                Some(to) => assert_eq!(state.next(action), Ok(to), "{state:?} {action:?}"),
                None => refused(state.next(action), E::LeaseState),
            }
        }
    }
}

#[test]
fn what_a_state_refuses() {
    let stop = running().stop;
    refused(matched().extend(1, u64::MAX, NOW), E::LeaseState);
    refused(matched().fault(0, LAG, NOW), E::LeaseState);
    refused(matched().settle(LAG, BPS, NOW), E::LeaseState);
    refused(matched().hold(NOW + HOUR, NOW), E::LeaseState);
    refused(matched().begin(NOW), E::LeaseState);
    refused(matched().require_done(), E::LeaseState);
    refused(running().accept(&TOKENS, NOW), E::LeaseState);
    refused(running().require_done(), E::LeaseState);
    let over = || ended(Party::Renter, stop - 1);
    refused(over().accept(&TOKENS, NOW), E::LeaseState);
    refused(over().extend(1, u64::MAX, NOW), E::LeaseState);
    refused(over().end(Party::Renter, LAG, false, stop), E::LeaseState);
    refused(Lease { status: 4, ..running() }.settle(LAG, BPS, NOW), E::InvariantViolated);
    for status in 0..=3 {
        let lease = Lease { status, ..running() };
        assert_eq!(lease.starts(NOW), status == LeaseStatus::Accepted as u8);
        assert!(!lease.starts(0));
    }
}

#[test]
fn the_invariant() {
    refused(Lease { rate: 0, ..running() }.invariant(), E::PriceInvalid);
    refused(Lease { hours: 0, ..running() }.invariant(), E::HoursInvalid);
    refused(Lease { hours: MAX_HOURS + 1, ..running() }.invariant(), E::HoursInvalid);
    for lease in [matched(), running()] {
        refused(Lease { held: WHOLE - 1, ..lease }.invariant(), E::InvariantViolated);
        refused(Lease { held: WHOLE + 1, ..lease }.invariant(), E::InvariantViolated);
    }
    refused(Lease { paid: 1, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { fees: 1, ..running() }.invariant(), E::InvariantViolated);
    // Principal and fee add up each alone: neither makes up for the other.
    refused(Lease { held: 0, paid: WHOLE, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { held: 0, fees: WHOLE, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { renter_fee_bps: BPS + 1, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { stop: NOW - 1, ..running() }.invariant(), E::InvariantViolated);
    let mut dropped = matched();
    dropped.end(Party::Renter, LAG, false, NOW).unwrap();
    refused(Lease { held: 1, ..dropped }.invariant(), E::InvariantViolated);
}

// -- acceptance -----------------------------------------------------------------------------------

#[test]
fn accepted_to_the_last_second() {
    let mut lease = matched();
    lease.accept(&TOKENS, NOW + 599).unwrap();
    assert_eq!((lease.accepted_at, lease.start, lease.stop), (NOW + 599, 0, 0));
    assert!(lease.starts(NOW + 599));
    lease.begin(NOW + 599).unwrap();
    assert_eq!((lease.start, lease.stop), (NOW + 599, NOW + 599 + END));
    assert_eq!((lease.held, lease.fees, lease.payout_tokens), (WHOLE, 0, TOKENS));
    for late in [600, 601, DAY] {
        refused(matched().accept(&TOKENS, NOW + late), E::AcceptanceOver);
    }
}

#[test]
fn hours_begin_with_the_later_of_acceptance_and_filling() {
    for (filled_at, start) in [(NOW, NOW + 5), (NOW + 5, NOW + 5), (NOW + 6, NOW + 6)] {
        let mut lease = matched();
        lease.accept(&TOKENS, NOW + 5).unwrap();
        lease.begin(filled_at).unwrap();
        assert_eq!((lease.start, lease.stop), (start, start + END));
    }
}

#[test]
fn dropped_before_it_runs() {
    for (party, at, reason) in [
        (Party::Renter, NOW + 599, EndReason::Withdrawn),
        (Party::Supplier, NOW + 599, EndReason::Declined),
        (Party::Renter, NOW + 600, EndReason::Lapsed),
        (Party::Supplier, NOW + 600, EndReason::Lapsed),
        (Party::Stranger, NOW + 600, EndReason::Lapsed),
    ] {
        let mut lease = matched();
        let ending = lease.end(party, LAG, false, at).unwrap();
        assert_eq!((ending.reason, ending.released, ending.seconds), (reason, WHOLE, 0));
        assert_eq!((ending.outcome(), ending.accepted), (LeaseOutcome::None, false));
        let withdrawn = reason == EndReason::Withdrawn;
        assert_eq!((ending.reopens(), ending.strikes(false)), (!withdrawn, !withdrawn));
        // That matching was stopped kept nobody from staying.
        assert_eq!(ending.strikes(true), reason == EndReason::Declined);
        assert_eq!((lease.status, lease.reason), (LeaseStatus::Ended as u8, reason as u8));
        assert_eq!((lease.held, lease.ended_at, lease.require_done()), (0, at, Ok(())));
        // Nothing can be attested, paid or held of what never ran.
        assert_eq!(settle(&mut lease, LAG, at + DAY), [0; 4]);
        refused(lease.hold(at + 1, at), E::NothingUnpaid);
        refused(lease.fault(0, LAG, at), E::LeaseState);
    }
    refused(matched().end(Party::Stranger, LAG, false, NOW + 599), E::NotParty);
}

// -- extension ------------------------------------------------------------------------------------

#[test]
fn extended_while_it_runs() {
    let mut lease = running();
    let stop = lease.stop;
    // The fee on 103 hours is 2,059,999.7425, on 100 it was 1,999,999.75: each is rounded up once.
    assert_eq!(lease.extend(3, u64::MAX, stop - 1), Ok(3 * RATE + 60_000));
    assert_eq!((lease.hours, lease.stop), (HOURS + 3, stop + 3 * HOUR));
    assert_eq!((lease.held, lease.fees), (WHOLE + 3 * RATE + 60_000, 0));
    // Hour by hour it costs the same.
    let mut slowly = running();
    let each: u64 = (0..3).map(|_| slowly.extend(1, u64::MAX, NOW).unwrap()).sum();
    assert_eq!((each, slowly.held), (3 * RATE + 60_000, lease.held));
    for late in [stop, stop + 1, stop + DAY] {
        refused(running().extend(1, u64::MAX, late), E::LeaseOver);
    }
    refused(running().extend(0, u64::MAX, NOW), E::HoursInvalid);
    refused(running().extend(MAX_HOURS - HOURS + 1, u64::MAX, stop - 1), E::HoursInvalid);
    refused(running().extend(u32::MAX, u64::MAX, NOW), E::Overflow);
    let half = u64::MAX / 2;
    let dear = |renter_fee_bps| Lease { renter_fee_bps, held: half, ..run(lease_of(half, 1, 0), NOW) };
    refused(dear(0).extend(3, u64::MAX, NOW), E::Overflow);
    assert_eq!(dear(0).extend(1, u64::MAX, NOW), Ok(half));
    // The principal fits, with its fee it doesn't.
    refused(dear(1).extend(1, u64::MAX, NOW), E::Overflow);
}

#[test]
fn extended_for_no_more_than_the_limit() {
    for (hours, cost) in [(1, RATE + 20_000), (3, 3 * RATE + 60_000)] {
        assert_eq!(running().extend(hours, cost, NOW), Ok(cost));
        for less in [0, cost - 1] {
            refused(running().extend(hours, less, NOW), E::ExtensionAboveLimit);
        }
    }
    // The fee of 0.25 % on 1 to 40 hours of 10 is 1, on 41 it is 2.
    let small = || run(lease_of(10, 1, BPS), NOW);
    assert_eq!(small().extend(39, 390, NOW), Ok(390));
    refused(small().extend(40, 400, NOW), E::ExtensionAboveLimit);
    assert_eq!(small().extend(40, 401, NOW), Ok(401));
}

#[test]
fn what_is_signed_twice_is_extended_once() {
    let mut lease = running();
    for other in [0, HOURS - 1, HOURS + 1] {
        refused(lease.require_hours(other), E::NotAsExpected);
    }
    lease.require_hours(HOURS).unwrap();
    lease.extend(3, u64::MAX, NOW).unwrap();
    refused(lease.require_hours(HOURS), E::NotAsExpected);
    lease.require_hours(HOURS + 3).unwrap();
}

#[test]
fn an_extended_lease_ends_within_seven_days() {
    let week = 7 * 24;
    let mut lease = running();
    lease.extend(week as u32 - HOURS, u64::MAX, NOW).unwrap();
    assert_eq!(lease.stop, NOW + MAX_EXTENSION);
    refused(lease.clone().extend(1, u64::MAX, NOW + HOUR - 1), E::ExtensionTooLong);
    lease.extend(1, u64::MAX, NOW + HOUR).unwrap();
    // A lease that was longer from the start isn't shortened, nor made longer.
    let long = || run(lease_of(RATE, 1_000, BPS), NOW);
    refused(long().extend(1, u64::MAX, NOW), E::ExtensionTooLong);
    long().extend(1, u64::MAX, NOW + (1_001 - week) * HOUR).unwrap();
    // A year is the most, hour by hour.
    let mut almost = run(lease_of(RATE, MAX_HOURS - 1, BPS), NOW);
    almost.extend(1, u64::MAX, almost.stop - 1).unwrap();
    assert_eq!(almost.hours, MAX_HOURS);
    let year = run(lease_of(RATE, MAX_HOURS, BPS), NOW);
    refused(year.clone().extend(1, u64::MAX, year.stop - 1), E::HoursInvalid);
}

// -- what is due ----------------------------------------------------------------------------------

#[test]
fn due_by_the_second_behind_the_clock() {
    let lease = running();
    let (start, stop) = (lease.start, lease.stop);
    for (lag, now, until) in [
        (LAG, start, start),
        (LAG, start + HOUR + LAG - 1, start),
        (LAG, start + HOUR + LAG, start + HOUR),
        (LAG, start + HOUR + LAG + 1, start + HOUR + 1),
        (LAG, stop + LAG - 1, stop - 1),
        (LAG, stop + LAG, stop),
        (LAG, u64::MAX, stop),
        (0, start + HOUR - 1, start),
        (0, start + HOUR, start + HOUR),
        (0, stop, stop),
        (MAX_SETTLEMENT_LAG, start + 5 * HOUR, start),
        (u64::MAX, u64::MAX, start),
    ] {
        assert_eq!(lease.due_until(lag, now), until, "lag {lag}, {} after the start", now - start);
    }
}

#[test]
fn a_hold_stops_the_clock_and_lets_it_go_on() {
    let mut lease = running();
    let (start, at) = (lease.start, lease.start + 5 * HOUR);
    refused(running().hold(at, at), E::HoldInvalid);
    refused(running().hold(at - 1, at), E::HoldInvalid);
    for until in [at + 1, at + MAX_HOLD - 1] {
        assert_eq!(running().hold(until, at), Ok(true));
    }
    refused(running().hold(at + MAX_HOLD + 1, at), E::HoldInvalid);
    refused(running().hold(u64::MAX, u64::MAX), E::Overflow);
    assert_eq!(lease.hold(at + MAX_HOLD, at), Ok(true));
    for now in [at, at + HOUR, at + MAX_HOLD - 1] {
        assert_eq!(lease.due_until(LAG, now), start + 3 * HOUR);
    }
    assert_eq!(lease.due_until(LAG, at + MAX_HOLD), lease.stop);
    // Later it is only shortened, and not again once it is over.
    refused(lease.hold(at + MAX_HOLD, at), E::HoldInvalid);
    assert_eq!(lease.hold(at + 2 * HOUR, at + HOUR), Ok(false));
    assert_eq!(lease.hold_from, at);
    assert_eq!(lease.due_until(LAG, at + 2 * HOUR - 1), start + 3 * HOUR);
    assert_eq!(lease.due_until(LAG, at + 2 * HOUR), start + 5 * HOUR);
    for over in [2 * HOUR, 2 * HOUR + 1, DAY] {
        refused(lease.hold(at + HOUR, at + over), E::HoldInvalid);
    }
    assert_eq!(lease.hold(0, at + HOUR), Ok(false));
    refused(lease.hold(at + DAY, at + HOUR), E::HoldInvalid);
}

// -- ends -----------------------------------------------------------------------------------------

/// Seconds that are paid when `party` ends it `at` seconds after its start, with nothing due before.
fn served(party: Party, at: u64) -> u64 {
    let mut lease = running();
    let ending = lease.end(party, u64::MAX, false, NOW + at).unwrap();
    let seconds = lease.stop - lease.start;
    let worth = earned(RATE, seconds).unwrap();
    let due = match ending.reason {
        EndReason::Supplier => fee(worth, BPS).unwrap(),
        EndReason::Renter => fee_of_an_early_end(seconds),
        _ => FEE,
    };
    assert_eq!((lease.held, lease.renter_fee()), (worth + due, Ok(due)));
    assert_eq!((lease.held + ending.released, ending.seconds), (WHOLE, seconds));
    assert_eq!((lease.status, lease.ended_at), (LeaseStatus::Ended as u8, NOW + at));
    seconds
}

#[test]
fn a_renter_pays_the_first_hour_and_then_by_the_second() {
    for (at, seconds) in [
        (0, HOUR),
        (HOUR - 1, HOUR),
        (HOUR, HOUR),
        (HOUR + 1, HOUR + 1),
        (END - 1, END - 1),
        (END, END),
        (u64::MAX - NOW, END),
    ] {
        assert_eq!(served(Party::Renter, at), seconds, "after {at}");
    }
    assert_eq!(ended(Party::Renter, NOW).reason, EndReason::Renter as u8);
}

#[test]
fn a_renter_that_ends_early_pays_the_fee_on_at_most_a_day_more() {
    for (at, hours) in [(0, 25), (HOUR, 25), (2 * HOUR, 26), (76 * HOUR, 100), (99 * HOUR, 100)] {
        let lease = ended(Party::Renter, NOW + at);
        assert_eq!(lease.renter_fee(), Ok(fee(RATE * hours, BPS).unwrap()), "after {at}");
    }
    // A second before there is a day left it is less than all.
    assert!(ended(Party::Renter, NOW + 76 * HOUR - 400).renter_fee().unwrap() < FEE);
    // It is never more than what the lease would have cost, and no overflow keeps anybody in.
    let dear = u64::MAX / 10_100 * 10_000;
    let mut lease = run(lease_of(dear, 1, 100), NOW);
    lease.end(Party::Renter, LAG, false, NOW).unwrap();
    assert_eq!(lease.renter_fee(), Ok(fee(dear, 100).unwrap()));
    let mut lease = run(lease_of(u64::MAX / 2, 1, 10_000), NOW);
    lease.end(Party::Renter, LAG, false, NOW).unwrap();
    assert_eq!(lease.renter_fee(), Ok(u64::MAX / 2));
}

#[test]
fn a_supplier_gets_nothing_for_the_hour_that_it_breaks_off_in() {
    for (at, seconds) in [
        (0, 0),
        (HOUR - 1, 0),
        (HOUR, HOUR),
        (2 * HOUR - 1, HOUR),
        (2 * HOUR, 2 * HOUR),
        (END - 1, END - HOUR),
        (END, END),
    ] {
        assert_eq!(served(Party::Supplier, at), seconds, "after {at}");
    }
    assert_eq!(ended(Party::Supplier, NOW).reason, EndReason::Supplier as u8);
}

#[test]
fn anybody_ends_what_is_over() {
    let stop = running().stop;
    refused(running().end(Party::Stranger, LAG, false, stop - 1), E::NotParty);
    for party in [Party::Stranger, Party::Renter, Party::Supplier] {
        let lease = ended(party, stop);
        assert_eq!((lease.reason, lease.held), (EndReason::Completed as u8, WHOLE));
    }
}

#[test]
fn what_was_due_is_never_taken_back() {
    // Without a lag a supplier is owed every second that it served, whether it was paid or not.
    let at = NOW + 3 * HOUR + 1_801;
    let total = earned(RATE, 3 * HOUR + 1_801).unwrap();
    for paid in [false, true] {
        let mut lease = running();
        if paid {
            lease.settle(0, BPS, at).unwrap();
        }
        let charged = fee(total, BPS).unwrap();
        assert_eq!(lease.end(Party::Supplier, 0, false, at).unwrap().released, WHOLE - total - charged);
        assert_eq!((lease.stop, lease.held + lease.paid + lease.fees), (at, total + charged));
        assert_eq!(lease.held == 0, paid);
        refused(lease.fault(0, 0, at), E::FaultInvalid);
    }
}

#[test]
fn a_fault_leaves_good_hours_and_what_was_due() {
    let at = NOW + 6 * HOUR + 7;
    for (good, lag, seconds) in [
        (0, LAG, 4 * HOUR + 7),
        (4, LAG, 4 * HOUR + 7),
        (5, LAG, 5 * HOUR),
        (6, LAG, 6 * HOUR),
        (0, DAY, 0),
        (1, DAY, HOUR),
    ] {
        let mut lease = running();
        let left = with_fee(earned(RATE, seconds).unwrap(), BPS).unwrap();
        let ending = lease.fault(good, lag, at).unwrap();
        assert_eq!((ending.reason, ending.released), (EndReason::Fault, WHOLE - left));
        assert_eq!((ending.seconds, ending.strikes(false)), (seconds, seconds == 0));
        assert_eq!(ending.strikes(true), ending.strikes(false));
        assert_eq!((lease.status, lease.reason), (LeaseStatus::Ended as u8, EndReason::Fault as u8));
        assert_eq!((lease.stop - NOW, lease.held), (seconds, left));
    }
    refused(running().fault(7, LAG, at), E::FaultInvalid);
    refused(running().fault(u32::MAX, LAG, at), E::FaultInvalid);
    refused(running().fault(HOURS, LAG, NOW + END), E::FaultInvalid);
}

#[test]
fn a_fault_after_an_end_in_good_faith() {
    let at = NOW + 6 * HOUR + 7;
    let worth = |hours: u64| with_fee(earned(RATE, hours * HOUR).unwrap(), BPS).unwrap();
    refused(ended(Party::Renter, at).fault(7, LAG, at), E::FaultInvalid);
    let mut lease = ended(Party::Renter, at);
    assert_eq!(lease.held, earned(RATE, 6 * HOUR + 7).unwrap() + fee_of_an_early_end(6 * HOUR + 7));
    assert!(!lease.failed());
    // Of the fee that an end by the renter keeps, a fault leaves only that on what was earned.
    let before = lease.held;
    assert_eq!(lease.fault(5, LAG, at + 60).unwrap().released, before - worth(5));
    assert_eq!((lease.stop, lease.ended_at, lease.reason), (NOW + 5 * HOUR, at, EndReason::Fault as u8));
    assert!(lease.failed());
    // Another fault counts when it takes back more.
    refused(lease.fault(5, LAG, at + 60), E::FaultInvalid);
    lease.fault(0, LAG, at + 60).unwrap();
    assert_eq!(lease.stop, at + 60 - LAG);
    // Once the lag is over nothing can be taken back.
    refused(ended(Party::Renter, at).fault(0, LAG, at + LAG), E::FaultInvalid);
}

#[test]
fn outcomes() {
    let stop = running().stop;
    for (party, at, seconds, outcome) in [
        (Party::Stranger, stop, END, LeaseOutcome::Done),
        (Party::Renter, NOW + 5, HOUR, LeaseOutcome::Done),
        (Party::Supplier, NOW + 2 * HOUR + 1, 2 * HOUR, LeaseOutcome::Failed),
        (Party::Supplier, NOW + 5, 0, LeaseOutcome::Failed),
    ] {
        let mut lease = running();
        let ending = lease.end(party, LAG, false, at).unwrap();
        assert_eq!((ending.seconds, ending.outcome()), (seconds, outcome));
        assert_eq!(lease.failed(), outcome == LeaseOutcome::Failed);
        if seconds > 0 {
            refused(lease.require_done(), E::LeaseNotPaid);
            lease.settle(LAG, BPS, stop + LAG).unwrap();
        }
        assert_eq!((lease.held, lease.require_done()), (0, Ok(())));
    }
    let ending = running().fault(1, DAY, NOW + 2 * HOUR).unwrap();
    assert_eq!((ending.seconds, ending.outcome()), (HOUR, LeaseOutcome::Failed));
}

// -- settlement -----------------------------------------------------------------------------------

#[test]
fn settling_twice_in_a_second_pays_once() {
    let (mut lease, now) = (running(), NOW + 5 * HOUR + LAG + 1);
    let due = earned(RATE, 5 * HOUR + 1).unwrap();
    let cut = fee(due, BPS).unwrap();
    let paid = lease.settle(LAG, BPS, now).unwrap();
    let until = NOW + 5 * HOUR + 1;
    assert_eq!(paid, Payment { amount: due, fee: cut, net: due - cut, renter_fee: cut, until });
    assert_eq!(settle(&mut lease, LAG, now), [0; 4]);
    assert_eq!((lease.paid, lease.fees, lease.held), (due, cut, WHOLE - due - cut));
    let nothing = Payment { amount: 0, fee: 0, net: 0, renter_fee: 0, until };
    assert!(nothing.is_nothing() && !paid.is_nothing());
    assert!(!Payment { renter_fee: 1, ..nothing }.is_nothing());
    assert!(!Payment { amount: 1, ..nothing }.is_nothing());
}

#[test]
fn the_rest_of_the_renters_fee_comes_with_the_last_second() {
    let at = NOW + 4 * HOUR + 1;
    let due = earned(RATE, 4 * HOUR + 1).unwrap();
    let part = fee(due, BPS).unwrap();
    let all = fee_of_an_early_end(4 * HOUR + 1);
    let mut lease = ended(Party::Renter, at);
    // The second before the last one is due, only the fee on what is paid is charged.
    let before = lease.settle(LAG, BPS, at + LAG - 1).unwrap();
    assert_eq!(lease.fees, before.renter_fee);
    assert_eq!(before.renter_fee, fee(before.amount, BPS).unwrap());
    refused(lease.require_done(), E::LeaseNotPaid);
    let last = lease.settle(LAG, BPS, at + LAG).unwrap();
    assert_eq!((before.amount + last.amount, before.renter_fee + last.renter_fee), (due, all));
    assert_eq!((lease.held, lease.fees), (0, all));
    assert_eq!(settle(&mut lease, LAG, u64::MAX), [0; 4]);
    lease.require_done().unwrap();
    // Ended when everything is paid already, nothing but the rest is due, and may be held for no dispute.
    let mut lease = running();
    assert_eq!(lease.settle(0, BPS, at).unwrap().renter_fee, part);
    let ending = lease.end(Party::Renter, 0, false, at).unwrap();
    assert_eq!(ending.released, WHOLE - due - all);
    assert_eq!(lease.held, all - part);
    refused(lease.require_done(), E::LeaseNotPaid);
    refused(lease.fault(0, 0, at), E::FaultInvalid);
    assert_eq!(settle(&mut lease, 0, at), [0, 0, 0, all - part]);
    assert_eq!(settle(&mut lease, 0, at), [0; 4]);
    refused(lease.hold(at + 1, at), E::NothingUnpaid);
    lease.require_done().unwrap();
}

#[test]
fn a_single_base_unit_can_be_held_back() {
    let mut lease = run(lease_of(1, 1, 0), NOW);
    assert_eq!((lease.held, lease.hold(NOW + 1, NOW)), (1, Ok(true)));
}

#[test]
fn a_supplier_that_never_serves_burns_no_fee() {
    for at in [0, 1, HOUR - 1] {
        let mut lease = running();
        let more = lease.extend(5, u64::MAX, NOW).unwrap();
        assert_eq!(lease.end(Party::Supplier, LAG, false, NOW + at).unwrap().released, WHOLE + more);
        assert_eq!((lease.held, settle(&mut lease, LAG, u64::MAX)), (0, [0; 4]));
        assert_eq!((lease.fees, lease.renter_fee()), (0, Ok(0)));
        lease.require_done().unwrap();
    }
}

#[test]
fn a_lease_that_earns_no_whole_unit_in_a_second_keeps_its_fee_for_a_fault() {
    // At one unit an hour everything is paid long before the last second is due; the rest of the fee isn't.
    let mut dear = run(lease_of(1, 10, 10_000), NOW);
    dear.end(Party::Renter, LAG, false, NOW + HOUR + 1).unwrap();
    let early = dear.settle(LAG, BPS, NOW + HOUR + LAG).unwrap();
    assert_eq!(figures(early), [1, 1, 0, 1]);
    assert_eq!((dear.paid, dear.held), (1, 9));
    let mut faulty = dear;
    assert_eq!(faulty.fault(1, LAG, NOW + HOUR + LAG).unwrap().released, 9);
    assert_eq!(faulty.held, 0);
    assert_eq!(settle(&mut dear, LAG, NOW + HOUR + LAG + 1), [0, 0, 0, 9]);
}

#[test]
fn no_pattern_of_settlements_changes_a_sum() {
    let mut spread = Spread(1);
    for _ in 0..2_000 {
        let rate = 1 + (spread.next() >> (14 + spread.next() % 50));
        let hours = 1 + spread.below(48) as u32;
        let bps = spread.one_of(&[0, 1, 25, 33, MAX_SUPPLIER_FEE_BPS]);
        let renter_bps = spread.one_of(&[0, 1, 25, 225, MAX_RENTER_FEE_BPS + MAX_USDC_FEE_BPS]);
        let lag = spread.one_of(&[0, 1, LAG, MAX_SETTLEMENT_LAG]);
        let party = spread.one_of(&[Party::Renter, Party::Supplier]);
        let ends = NOW + 1 + spread.below(hours as u64 * HOUR);
        let mut times: Vec<u64> = (0..spread.below(20)).map(|_| NOW + spread.below(50 * HOUR)).collect();
        times.sort_unstable();
        let lived = |times: &[u64]| {
            let mut lease = run(lease_of(rate, hours, renter_bps), NOW);
            let (before, after) = times.split_at(times.partition_point(|at| *at < ends));
            let mut sum = [0; 4];
            for at in before {
                add(&mut sum, lease.settle(lag, bps, *at).unwrap());
                assert_eq!(lease.fees, fee(lease.paid, renter_bps).unwrap());
            }
            lease.end(party, lag, false, ends).unwrap();
            for at in after.iter().chain([&(NOW + 100 * HOUR)]) {
                add(&mut sum, lease.settle(lag, bps, *at).unwrap());
            }
            assert_eq!((lease.held, lease.paid), (0, sum[0]));
            assert_eq!((sum[1], sum[3]), (fee(lease.paid, bps).unwrap(), lease.fees));
            let all = rate * hours as u64;
            let on = match lease.reason {
                reason if reason == EndReason::Completed as u8 => all,
                reason if reason == EndReason::Renter as u8 => all.min(lease.paid + 24 * rate),
                _ => lease.paid,
            };
            assert_eq!(lease.fees, fee(on, renter_bps).unwrap());
            (sum, lease.stop)
        };
        assert_eq!(lived(&times), lived(&[]));
    }
}

fn add(sum: &mut [u64; 4], payment: Payment) {
    assert_eq!(payment.amount, payment.net + payment.fee);
    for (sum, each) in sum.iter_mut().zip(figures(payment)) {
        *sum += each;
    }
}

#[test]
fn figures_at_the_end_of_64_bits() {
    // The dearest lease that fits: a year at 2^64 / 8760 an hour, with the highest fee on it.
    let most = MAX_RENTER_FEE_BPS + MAX_USDC_FEE_BPS + MAX_URGENCY_FEE_BPS;
    for renter_fee_bps in [0, most] {
        let rate = u64::MAX / (10_000 + renter_fee_bps as u64) * 10_000 / MAX_HOURS as u64;
        let principal = rate * MAX_HOURS as u64;
        let held = with_fee(principal, renter_fee_bps).unwrap();
        assert!(held > u64::MAX - 2 * 11_100 * MAX_HOURS as u64);
        let mut lease = run(lease_of(rate, MAX_HOURS, renter_fee_bps), NOW);
        let half = NOW + MAX_HOURS as u64 * HOUR / 2;
        let mut sum = [0; 4];
        add(&mut sum, lease.settle(0, MAX_SUPPLIER_FEE_BPS, half).unwrap());
        let mut broken = lease;
        let fees = fee(sum[0] + 24 * rate, renter_fee_bps).unwrap();
        assert_eq!(broken.end(Party::Renter, 0, false, half).unwrap().released, held - sum[0] - fees);
        refused(broken.end(Party::Renter, 0, false, half), E::LeaseState);
        add(&mut sum, lease.settle(0, MAX_SUPPLIER_FEE_BPS, u64::MAX).unwrap());
        assert_eq!([sum[0], sum[1]], [principal, fee(principal, MAX_SUPPLIER_FEE_BPS).unwrap()]);
        // What the renter's fee is rounded to comes with the end.
        lease.end(Party::Stranger, 0, false, u64::MAX).unwrap();
        add(&mut sum, lease.settle(0, MAX_SUPPLIER_FEE_BPS, u64::MAX).unwrap());
        assert_eq!(sum[3], held - principal);
    }
    // A clock near its end is refused where a deadline would pass it.
    let mut late = Lease { accept_until: u64::MAX, ..matched() };
    late.accept(&TOKENS, u64::MAX - HOUR).unwrap();
    refused(late.begin(u64::MAX - HOUR), E::Overflow);
}
