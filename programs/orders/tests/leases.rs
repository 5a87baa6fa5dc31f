//! A lease's transitions: where each leads, its refusals, the seconds on both sides of every deadline, and that
//! the sums don't depend on when it is settled.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
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

const NOW: u64 = 1_720_000_000;
const LAG: u64 = 2 * HOUR;
const HOURS: u32 = 10;
/// Odd, so that every second is rounded.
const RATE: u64 = 7_999_999;
const PRINCIPAL: u64 = RATE * HOURS as u64;
/// The renter's, on all of it.
const FEE: u64 = 200_000;
const WHOLE: u64 = PRINCIPAL + FEE;
const REST: u64 = 1_234;
const TOKENS: Address = Address::new_from_array([5; 32]);
const BPS: u16 = 25;
const NOTHING: Payment = Payment { amount: 0, fee: 0, net: 0, renter_fee: 0 };

#[track_caller]
fn refused<T>(result: Result<T>, error: E) {
    let found = result.err().expect("it succeeded");
    assert_eq!(found, ProgramError::from(error));
}

/// Matched at [`NOW`].
fn matched() -> Lease {
    Lease {
        version: ACCOUNT_VERSION,
        hours: HOURS,
        rate: RATE,
        matched_at: NOW,
        accept_until: NOW + 600,
        held: WHOLE + REST,
        renter_fee_bps: BPS,
        ..Lease::zeroed()
    }
}

/// Accepted at [`NOW`].
fn running() -> Lease {
    let mut lease = matched();
    assert_eq!(lease.accept(&TOKENS, NOW), Ok(REST));
    lease
}

/// Ended by `party` at `at`.
fn ended(party: Party, at: u64) -> Lease {
    let mut lease = running();
    lease.end(party, LAG, at).unwrap();
    lease
}

// -- the table ------------------------------------------------------------------------------------

#[test]
fn every_state_and_action() {
    use {LeaseAction::*, LeaseStatus::*};
    let actions = [Accept, Extend, Drop, Finish, Fault, Settle];
    let table = [
        (Matched, [Some(Running), None, Some(Ended), None, None, None]),
        (Running, [None, Some(Running), None, Some(Ended), Some(Ended), Some(Running)]),
        (Ended, [None, None, None, None, Some(Ended), Some(Ended)]),
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
    refused(matched().extend(1, NOW), E::LeaseState);
    refused(matched().fault(0, LAG, NOW), E::LeaseState);
    refused(matched().settle(LAG, BPS, NOW), E::LeaseState);
    refused(matched().hold(NOW + HOUR, NOW), E::LeaseState);
    refused(matched().outcome(), E::LeaseState);
    refused(running().accept(&TOKENS, NOW), E::LeaseState);
    refused(running().outcome(), E::LeaseState);
    let over = || ended(Party::Renter, stop - 1);
    refused(over().accept(&TOKENS, NOW), E::LeaseState);
    refused(over().extend(1, NOW), E::LeaseState);
    refused(over().end(Party::Renter, LAG, stop), E::LeaseState);
    refused(Lease { status: 3, ..running() }.settle(LAG, BPS, NOW), E::InvariantViolated);
}

#[test]
fn size_and_invariant() {
    // What came later is taken out of the 64 bytes that were reserved.
    assert_eq!(core::mem::size_of::<Lease>(), 8 + 10 * 8 + 7 * 32 + 64);
    refused(Lease { version: 2, ..running() }.invariant(), E::UnknownVersion);
    refused(Lease { rate: 0, ..running() }.invariant(), E::PriceInvalid);
    refused(Lease { hours: 0, ..running() }.invariant(), E::HoursInvalid);
    refused(Lease { hours: MAX_HOURS + 1, ..running() }.invariant(), E::HoursInvalid);
    refused(Lease { held: WHOLE - 1, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { held: WHOLE + 1, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { paid: 1, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { fees: 1, ..running() }.invariant(), E::InvariantViolated);
    // Principal and fee add up each alone: neither makes up for the other.
    refused(Lease { held: 0, paid: WHOLE, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { held: 0, fees: WHOLE, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { renter_fee_bps: BPS + 1, ..running() }.invariant(), E::InvariantViolated);
    refused(Lease { stop: NOW - 1, ..running() }.invariant(), E::InvariantViolated);
}

// -- acceptance -----------------------------------------------------------------------------------

#[test]
fn accepted_to_the_last_second() {
    let mut lease = matched();
    assert_eq!(lease.accept(&TOKENS, NOW + 599), Ok(REST));
    assert_eq!((lease.start, lease.stop), (NOW + 599, NOW + 599 + HOURS as u64 * HOUR));
    assert_eq!((lease.held, lease.fees, lease.payout_tokens), (WHOLE, 0, TOKENS));
    refused(matched().accept(&TOKENS, NOW + 600), E::AcceptanceOver);
    // Nothing may be left above principal and fee, but never less.
    assert_eq!(Lease { held: WHOLE, ..matched() }.accept(&TOKENS, NOW), Ok(0));
    refused(Lease { held: WHOLE - 1, ..matched() }.accept(&TOKENS, NOW), E::InvariantViolated);
}

#[test]
fn dropped_before_it_is_accepted() {
    let place = matched().held;
    for (party, at, reason) in [
        (Party::Renter, NOW + 599, EndReason::Withdrawn),
        (Party::Supplier, NOW + 599, EndReason::Declined),
        (Party::Renter, NOW + 600, EndReason::Lapsed),
        (Party::Supplier, NOW + 600, EndReason::Lapsed),
        (Party::Stranger, NOW + 600, EndReason::Lapsed),
    ] {
        let mut lease = matched();
        assert_eq!(lease.end(party, LAG, at), Ok(place));
        assert_eq!((lease.status, lease.reason), (LeaseStatus::Ended as u8, reason as u8));
        assert_eq!((lease.held, lease.ended_at, lease.outcome()), (0, at, Ok(None)));
        // Nothing can be attested, paid or held of what never ran.
        assert_eq!(lease.settle(LAG, BPS, at + DAY), Ok(NOTHING));
        refused(lease.hold(at + 1, at), E::NothingUnpaid);
        refused(lease.fault(0, LAG, at), E::LeaseState);
    }
    refused(matched().end(Party::Stranger, LAG, NOW + 599), E::NotParty);
}

// -- extension ------------------------------------------------------------------------------------

#[test]
fn extended_while_it_runs() {
    let mut lease = running();
    let stop = lease.stop;
    // The fee on 13 hours is 259,999.9675, on 10 it was 199,999.975: each is rounded up once.
    assert_eq!(lease.extend(3, stop - 1), Ok(3 * RATE + 60_000));
    assert_eq!((lease.hours, lease.stop), (HOURS + 3, stop + 3 * HOUR));
    assert_eq!((lease.held, lease.fees), (WHOLE + 3 * RATE + 60_000, 0));
    // Hour by hour it costs the same.
    let mut slowly = running();
    let each: u64 = (0..3).map(|_| slowly.extend(1, NOW).unwrap()).sum();
    assert_eq!((each, slowly.held), (3 * RATE + 60_000, lease.held));
    refused(running().extend(1, stop), E::LeaseOver);
    refused(running().extend(0, NOW), E::HoursInvalid);
    refused(running().extend(MAX_HOURS - HOURS + 1, NOW), E::HoursInvalid);
    running().extend(MAX_HOURS - HOURS, NOW).unwrap();
    refused(running().extend(u32::MAX, NOW), E::Overflow);
    let half = u64::MAX / 2;
    let dear = |renter_fee_bps| Lease {
        rate: half,
        hours: 1,
        held: half,
        stop: NOW + HOUR,
        renter_fee_bps,
        ..running()
    };
    refused(dear(0).extend(3, NOW), E::Overflow);
    assert_eq!(dear(0).extend(1, NOW), Ok(half));
    // The principal fits, with its fee it doesn't.
    refused(dear(1).extend(1, NOW), E::Overflow);
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
    refused(lease.hold(at + HOUR, at + 2 * HOUR), E::HoldInvalid);
    assert_eq!(lease.hold(0, at + HOUR), Ok(false));
    refused(lease.hold(at + DAY, at + HOUR), E::HoldInvalid);
}

// -- ends -----------------------------------------------------------------------------------------

/// Seconds that are paid when `party` ends it `at` seconds after its start, with nothing due before.
fn served(party: Party, at: u64) -> u64 {
    let mut lease = running();
    let released = lease.end(party, u64::MAX, NOW + at).unwrap();
    let seconds = lease.stop - lease.start;
    let worth = earned(RATE, seconds).unwrap();
    // The renter's fee is whole, unless the supplier broke off.
    let failed = lease.reason == EndReason::Supplier as u8;
    let due = if failed { fee(worth, BPS).unwrap() } else { FEE };
    assert_eq!((lease.held, lease.renter_fee()), (worth + due, Ok(due)));
    assert_eq!(lease.held + released, WHOLE);
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
        (10 * HOUR - 1, 10 * HOUR - 1),
        (10 * HOUR, 10 * HOUR),
        (u64::MAX - NOW, 10 * HOUR),
    ] {
        assert_eq!(served(Party::Renter, at), seconds, "after {at}");
    }
    assert_eq!(ended(Party::Renter, NOW).reason, EndReason::Renter as u8);
}

#[test]
fn a_supplier_gets_nothing_for_the_hour_that_it_breaks_off_in() {
    for (at, seconds) in [
        (0, 0),
        (HOUR - 1, 0),
        (HOUR, HOUR),
        (2 * HOUR - 1, HOUR),
        (2 * HOUR, 2 * HOUR),
        (10 * HOUR - 1, 9 * HOUR),
        (10 * HOUR, 10 * HOUR),
    ] {
        assert_eq!(served(Party::Supplier, at), seconds, "after {at}");
    }
    assert_eq!(ended(Party::Supplier, NOW).reason, EndReason::Supplier as u8);
}

#[test]
fn anybody_ends_what_is_over() {
    let stop = running().stop;
    refused(running().end(Party::Stranger, LAG, stop - 1), E::NotParty);
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
        assert_eq!(lease.end(Party::Supplier, 0, at), Ok(WHOLE - total - charged));
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
        assert_eq!(lease.fault(good, lag, at), Ok(WHOLE - left));
        assert_eq!((lease.status, lease.reason), (LeaseStatus::Ended as u8, EndReason::Fault as u8));
        assert_eq!((lease.stop - NOW, lease.held), (seconds, left));
    }
    refused(running().fault(7, LAG, at), E::FaultInvalid);
    refused(running().fault(u32::MAX, LAG, at), E::FaultInvalid);
    refused(running().fault(10, LAG, NOW + 10 * HOUR), E::FaultInvalid);
}

#[test]
fn a_fault_after_an_end_in_good_faith() {
    let at = NOW + 6 * HOUR + 7;
    let worth = |hours: u64| with_fee(earned(RATE, hours * HOUR).unwrap(), BPS).unwrap();
    refused(ended(Party::Renter, at).fault(7, LAG, at), E::FaultInvalid);
    let mut lease = ended(Party::Renter, at);
    assert_eq!(lease.held, earned(RATE, 6 * HOUR + 7).unwrap() + FEE);
    // Of the fee that an end by the renter keeps, a fault leaves only that on what was earned.
    let before = lease.held;
    assert_eq!(lease.fault(5, LAG, at + 60), Ok(before - worth(5)));
    assert_eq!((lease.stop, lease.ended_at, lease.reason), (NOW + 5 * HOUR, at, EndReason::Fault as u8));
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
    let mut faulty = running();
    faulty.fault(1, DAY, NOW + 2 * HOUR).unwrap();
    for (mut lease, seconds, outcome) in [
        (ended(Party::Stranger, stop), HOURS as u64 * HOUR, LeaseOutcome::Done),
        (ended(Party::Renter, NOW + 5), HOUR, LeaseOutcome::Done),
        (ended(Party::Supplier, NOW + 2 * HOUR + 1), 2 * HOUR, LeaseOutcome::Failed),
        (faulty, HOUR, LeaseOutcome::Failed),
    ] {
        refused(lease.outcome(), E::LeaseNotPaid);
        lease.settle(LAG, BPS, stop + LAG).unwrap();
        assert_eq!((lease.held, lease.outcome()), (0, Ok(Some((seconds, outcome)))));
    }
    // Broken off in its first hour it is owed nothing, and failed.
    assert_eq!(ended(Party::Supplier, NOW + 5).outcome(), Ok(Some((0, LeaseOutcome::Failed))));
}

// -- settlement -----------------------------------------------------------------------------------

#[test]
fn settling_twice_in_a_second_pays_once() {
    let (mut lease, now) = (running(), NOW + 5 * HOUR + LAG + 1);
    let due = earned(RATE, 5 * HOUR + 1).unwrap();
    let cut = fee(due, BPS).unwrap();
    let paid = Payment { amount: due, fee: cut, net: due - cut, renter_fee: cut };
    assert_eq!(lease.settle(LAG, BPS, now), Ok(paid));
    assert_eq!(lease.settle(LAG, BPS, now), Ok(NOTHING));
    assert_eq!((lease.paid, lease.fees, lease.held), (due, cut, WHOLE - due - cut));
    assert!(NOTHING.is_nothing() && !paid.is_nothing());
}

#[test]
fn the_rest_of_the_renters_fee_comes_with_the_last_second() {
    let at = NOW + 4 * HOUR + 1;
    let due = earned(RATE, 4 * HOUR + 1).unwrap();
    let part = fee(due, BPS).unwrap();
    let mut lease = ended(Party::Renter, at);
    // The second before the last one is due, only the fee on what is paid is charged.
    let before = lease.settle(LAG, BPS, at + LAG - 1).unwrap();
    assert_eq!(lease.fees, before.renter_fee);
    assert_eq!(before.renter_fee, fee(before.amount, BPS).unwrap());
    refused(lease.outcome(), E::LeaseNotPaid);
    let last = lease.settle(LAG, BPS, at + LAG).unwrap();
    assert_eq!((before.amount + last.amount, before.renter_fee + last.renter_fee), (due, FEE));
    assert_eq!((lease.held, lease.fees), (0, FEE));
    assert_eq!(lease.settle(LAG, BPS, u64::MAX), Ok(NOTHING));
    lease.outcome().unwrap();
    // Ended when everything is paid already, nothing but the rest is due, and may be held for no dispute.
    let mut lease = running();
    assert_eq!(lease.settle(0, BPS, at).unwrap().renter_fee, part);
    assert_eq!(lease.end(Party::Renter, 0, at), Ok(PRINCIPAL - due));
    assert_eq!(lease.held, FEE - part);
    refused(lease.outcome(), E::LeaseNotPaid);
    refused(lease.fault(0, 0, at), E::FaultInvalid);
    assert_eq!(lease.settle(0, BPS, at), Ok(Payment { renter_fee: FEE - part, ..NOTHING }));
    assert_eq!(lease.settle(0, BPS, at), Ok(NOTHING));
    refused(lease.hold(at + 1, at), E::NothingUnpaid);
    lease.outcome().unwrap();
}

#[test]
fn a_supplier_that_never_serves_burns_no_fee() {
    for at in [0, 1, HOUR - 1] {
        let mut lease = running();
        let more = lease.extend(5, NOW).unwrap();
        assert_eq!(lease.end(Party::Supplier, LAG, NOW + at), Ok(WHOLE + more));
        assert_eq!((lease.held, lease.settle(LAG, BPS, u64::MAX)), (0, Ok(NOTHING)));
        assert_eq!((lease.fees, lease.renter_fee()), (0, Ok(0)));
        lease.outcome().unwrap();
    }
}

#[test]
fn a_lease_that_earns_no_whole_unit_in_a_second_keeps_its_fee_for_a_fault() {
    // At one unit an hour everything is paid long before the last second is due; the rest of the fee isn't.
    let mut lease = Lease { rate: 1, held: HOURS as u64 + 1, ..matched() };
    lease.accept(&TOKENS, NOW).unwrap();
    let mut dear = Lease { renter_fee_bps: 10_000, held: 2 * HOURS as u64, ..lease };
    dear.end(Party::Renter, LAG, NOW + HOUR + 1).unwrap();
    let early = Payment { amount: 1, fee: 1, net: 0, renter_fee: 1 };
    assert_eq!(dear.settle(LAG, BPS, NOW + HOUR + LAG), Ok(early));
    assert_eq!((dear.paid, dear.held), (1, 9));
    let mut faulty = dear;
    assert_eq!(faulty.fault(1, LAG, NOW + HOUR + LAG), Ok(9));
    assert_eq!(faulty.held, 0);
    assert_eq!(dear.settle(LAG, BPS, NOW + HOUR + LAG + 1), Ok(Payment { renter_fee: 9, ..NOTHING }));
}

/// Splitmix64: the same spread of inputs in every run.
struct Spread(u64);

impl Spread {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn one_of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.next() as usize % some.len()]
    }
}

#[test]
fn no_pattern_of_settlements_changes_a_sum() {
    let mut spread = Spread(1);
    for _ in 0..2_000 {
        let rate = 1 + (spread.next() >> (14 + spread.next() % 50));
        let hours = 1 + (spread.next() % 48) as u32;
        let bps = spread.one_of(&[0, 1, 25, 33, MAX_SUPPLIER_FEE_BPS]);
        let renter_bps = spread.one_of(&[0, 1, 25, 225, MAX_RENTER_FEE_BPS + MAX_USDC_FEE_BPS]);
        let lag = spread.one_of(&[0, 1, LAG, MAX_SETTLEMENT_LAG]);
        let party = spread.one_of(&[Party::Renter, Party::Supplier]);
        let ends = NOW + 1 + spread.next() % (hours as u64 * HOUR);
        let mut times: Vec<u64> =
            (0..spread.next() % 20).map(|_| NOW + spread.next() % (50 * HOUR)).collect();
        times.sort_unstable();
        let lived = |times: &[u64]| {
            let held = with_fee(rate * hours as u64, renter_bps).unwrap();
            let mut lease = Lease { rate, hours, held, renter_fee_bps: renter_bps, ..matched() };
            lease.accept(&TOKENS, NOW).unwrap();
            let (before, after) = times.split_at(times.partition_point(|at| *at < ends));
            let mut sum = (0, 0, 0);
            for at in before {
                add(&mut sum, lease.settle(lag, bps, *at).unwrap());
                assert_eq!(lease.fees, fee(lease.paid, renter_bps).unwrap());
            }
            lease.end(party, lag, ends).unwrap();
            for at in after.iter().chain([&(NOW + 100 * HOUR)]) {
                add(&mut sum, lease.settle(lag, bps, *at).unwrap());
            }
            assert_eq!((lease.held, lease.paid), (0, sum.0));
            assert_eq!(sum.1, fee(lease.paid, bps).unwrap());
            let whole = party == Party::Renter;
            let served = if whole { rate * hours as u64 } else { lease.paid };
            assert_eq!((sum.2, lease.fees), (fee(served, renter_bps).unwrap(), sum.2));
            (sum, lease.stop)
        };
        assert_eq!(lived(&times), lived(&[]));
    }
}

fn add(sum: &mut (u64, u64, u64), payment: Payment) {
    assert_eq!(payment.amount, payment.net + payment.fee);
    *sum = (sum.0 + payment.amount, sum.1 + payment.fee, sum.2 + payment.renter_fee);
}

#[test]
fn figures_at_the_end_of_64_bits() {
    // The dearest lease that fits: a year at 2^64 / 8760 an hour, with the highest fee on it.
    let most = MAX_RENTER_FEE_BPS + MAX_USDC_FEE_BPS;
    for renter_fee_bps in [0, most] {
        let rate = u64::MAX / (10_000 + renter_fee_bps as u64) * 10_000 / MAX_HOURS as u64;
        let principal = rate * MAX_HOURS as u64;
        let held = with_fee(principal, renter_fee_bps).unwrap();
        assert!(held > u64::MAX - 2 * 10_600 * MAX_HOURS as u64);
        let mut lease = Lease { rate, hours: MAX_HOURS, held, renter_fee_bps, ..matched() };
        lease.accept(&TOKENS, NOW).unwrap();
        let half = NOW + MAX_HOURS as u64 * HOUR / 2;
        let mut sum = (0, 0, 0);
        add(&mut sum, lease.settle(0, MAX_SUPPLIER_FEE_BPS, half).unwrap());
        let mut broken = lease;
        assert_eq!(broken.end(Party::Renter, 0, half), Ok(principal - sum.0));
        assert_eq!(broken.end(Party::Renter, 0, half).err(), Some(E::LeaseState.into()));
        add(&mut sum, lease.settle(0, MAX_SUPPLIER_FEE_BPS, u64::MAX).unwrap());
        let fees = (fee(principal, MAX_SUPPLIER_FEE_BPS).unwrap(), held - principal);
        assert_eq!(sum, (principal, fees.0, fees.1));
    }
    // A clock near its end is refused where a deadline would pass it.
    let mut late = Lease { accept_until: u64::MAX, ..matched() };
    refused(late.accept(&TOKENS, u64::MAX - HOUR), E::Overflow);
}
