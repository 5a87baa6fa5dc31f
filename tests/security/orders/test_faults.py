"""Attacks with votes on faults, and with the guardian's hold."""

from __future__ import annotations

import pytest

from keeper.clients import orders as client
from keeper.clients import staking
from keeper.economy.orders import EndReason
from tests.programs.world import DAY, HOUR, World
from tests.security.bumps import other_bumps
from tests.security.orders import stages
from tests.security.orders.stages import (
    EVIDENCE,
    FEE,
    LONG,
    OTHER_EVIDENCE,
    RATE,
    RUNNING,
    WAITING,
    accept,
    device,
    end,
    extend,
    fault,
    fee,
    hold,
    lease,
    moved,
    order,
    put,
    refund,
    settle,
    stage,
    vote,
    where,
)
from tests.security.outcomes import refused
from tests.security.people import OPERATORS, address, do
from tests.security.prefunded import AMOUNTS, assert_created

ADMIN, MALLORY, GUARDIAN = (address(name) for name in ("admin", "mallory", "guardian"))
WEEK = 7 * DAY


def at(seconds: int) -> World:
    """So many seconds into carol's lease."""
    world = stages.matching()
    world.chain.advance(seconds)
    return world


def quorum(world: World, good_hours: int, worker: str = RUNNING) -> None:
    """Two operators of three vote; no token moves."""
    assert moved(world, vote(world, 0, good_hours, worker)) == {}
    assert moved(world, vote(world, 1, good_hours, worker)) == {}


def new_operators(world: World, *names: str, threshold: int = 2) -> None:
    """Another list, after its notice."""
    terms = staking.Params(tuple(map(address, names)), threshold)
    do(world, staking.propose_params(ADMIN, terms))
    world.chain.advance(WEEK)
    do(world, staking.apply_params())


# -- who votes -----------------------------------------------------------------------------------


def test_one_operator_counts_once() -> None:
    world = stages.matching()
    again = vote(world)
    assert refused(world, again, again) == "AlreadyVoted"
    do(world, again)
    assert refused(world, again) == "AlreadyVoted"
    assert lease(world).reason == EndReason.NONE


def test_half_of_them_decide_nothing() -> None:
    world = stages.serving()
    found = fault(world, where(RUNNING))
    assert (found.votes, found.decided) == (0b1, False)
    assert (lease(world).stop - lease(world).start, lease(world).held) == (10 * HOUR, 10 * RATE + FEE)


def test_votes_on_different_facts_do_not_add_up() -> None:
    """Other evidence, or other hours: each is a vote of its own."""
    world = stages.serving()
    do(world, vote(world, 1, evidence=OTHER_EVIDENCE), vote(world, 2, good_hours=2))
    assert lease(world).reason == EndReason.NONE
    do(world, vote(world, 2))
    assert lease(world).reason == EndReason.FAULT


def test_a_carried_vote_is_closed() -> None:
    world = stages.serving()
    do(world, vote(world, 1))
    assert refused(world, vote(world, 2)) == "FaultDecided"
    assert refused(world, vote(world, 1)) == "FaultDecided"


def long_lease() -> World:
    """A lease that outlasts a change of the operators."""
    world = stages.ready()
    stages.open_order(world, hours=600, devices=1)
    stages.run(world, RUNNING)
    return world


def test_who_stays_an_operator_keeps_its_vote() -> None:
    """A change of the list, timed between two votes, voids nothing that those who stay have said."""
    world = long_lease()
    do(world, vote(world, 0, 30))
    new_operators(world, OPERATORS[0], OPERATORS[1], "bob")
    assert refused(world, vote(world, 2, 30)) == "NotOperator"
    assert refused(world, vote(world, 0, 30)) == "AlreadyVoted"
    do(world, vote(world, 1, 30))
    found = fault(world, where(RUNNING), good_hours=30)
    assert (found.votes, found.revision, found.decided) == (0b11, 1, True)


def test_who_is_replaced_loses_its_vote() -> None:
    """Whoever comes in its place votes for itself."""
    world = long_lease()
    do(world, vote(world, 2, 30))
    new_operators(world, OPERATORS[0], OPERATORS[1], "bob")
    do(world, vote(world, 1, 30))
    found = fault(world, where(RUNNING), good_hours=30)
    assert (found.votes, found.decided) == (0b10, False)
    do(world, client.vote_fault(address("bob"), lease(world), EVIDENCE, 30))
    assert fault(world, where(RUNNING), good_hours=30).decided


def test_other_parameters_void_no_vote() -> None:
    """Nor does applying them again and again."""
    world = long_lease()
    do(world, vote(world, 0, 30))
    for _ in range(2):
        new_operators(world, *OPERATORS)
    do(world, vote(world, 1, 30))
    assert fault(world, where(RUNNING), good_hours=30).decided


def test_a_lower_threshold_lets_one_who_voted_decide() -> None:
    """Enough votes are there already: one of them says so again."""
    world = stages.ready()
    new_operators(world, *OPERATORS, threshold=3)
    stages.open_order(world, hours=300, devices=1)
    stages.run(world, RUNNING)
    do(world, vote(world, 0, 30), vote(world, 1, 30))
    assert lease(world).reason == EndReason.NONE
    new_operators(world, *OPERATORS, threshold=2)
    do(world, vote(world, 0, 30))
    assert lease(world).reason == EndReason.FAULT


def test_a_higher_threshold_counts_for_votes_that_are_there() -> None:
    world = long_lease()
    new_operators(world, *OPERATORS, threshold=3)
    quorum(world, 100)
    assert lease(world).reason == EndReason.NONE
    do(world, vote(world, 2, 100))
    assert lease(world).reason == EndReason.FAULT


# -- what a vote takes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "good_hours", "paid"),
    [
        (HOUR // 2, 0, 0),
        (2 * HOUR, 0, 0),
        (2 * HOUR, 1, HOUR),
        (2 * HOUR, 2, 2 * HOUR),
        (3 * HOUR - 1, 0, 0),
        # The first hour is due by now.
        (3 * HOUR, 0, HOUR),
        (4 * HOUR + 5, 0, 2 * HOUR + 5),
        (4 * HOUR + 5, 2, 2 * HOUR + 5),
        (4 * HOUR + 5, 3, 3 * HOUR),
        (11 * HOUR, 9, 9 * HOUR),
        (12 * HOUR - 1, 0, 10 * HOUR - 1),
    ],
)
def test_what_was_due_when_it_was_carried_is_kept(seconds: int, good_hours: int, paid: int) -> None:
    """The rest is the renter's: operators with stolen keys take two hours' pay at most."""
    world = at(seconds)
    before, one = order(world), lease(world)
    quorum(world, good_hours)
    ended, after = lease(world), order(world)
    assert (ended.reason, ended.stop - ended.start) == (EndReason.FAULT, paid)
    amount = RATE * paid // HOUR
    # The renter pays the fee on what was earned.
    left = amount + fee(amount)
    assert ended.held == left
    assert after.free - before.free == one.held - left == 10 * RATE + FEE - left
    assert device(world, RUNNING).lease == staking.NOBODY
    world.chain.advance(20 * HOUR)
    wanted = {"vault": -left, "alice": amount - fee(amount), "fees": 2 * fee(amount)}
    assert moved(world, settle(world)) == (wanted if amount else {})
    do(world, client.close_lease(lease(world)))
    record = device(world, RUNNING)
    assert (record.hired_seconds, record.leases_done, record.leases_failed) == (paid, 0, 1)


@pytest.mark.parametrize(("seconds", "good_hours"), [(HOUR // 2, 1), (4 * HOUR, 5), (4 * HOUR, 2**32 - 1)])
def test_hours_that_have_not_been_are_not_good(seconds: int, good_hours: int) -> None:
    world = at(seconds)
    do(world, vote(world, 0, good_hours))
    assert refused(world, vote(world, 1, good_hours)) == "FaultInvalid"
    assert lease(world).reason == EndReason.NONE


def test_a_vote_that_leaves_nothing_to_take() -> None:
    """All that was earned is due, paid or not."""
    world = at(12 * HOUR)
    do(world, vote(world, 0, 0))
    assert refused(world, vote(world, 1, 0)) == "FaultInvalid"
    do(world, settle(world), end(world, "mallory"))
    assert refused(world, vote(world, 1, 0)) == "FaultInvalid"
    assert (lease(world).paid, lease(world).reason) == (10 * RATE, EndReason.COMPLETED)


def test_a_fault_in_a_lease_that_nobody_accepted() -> None:
    world = stages.matching()
    assert refused(world, vote(world, worker=WAITING)) == "LeaseState"
    do(world, end(world, "bob", WAITING))
    assert refused(world, vote(world, worker=WAITING)) == "LeaseState"


def test_an_end_in_bad_faith_is_found_within_the_lag() -> None:
    """The supplier ends after hours it didn't serve: they are not paid yet, and operators take them back."""
    world = at(6 * HOUR - stages.MINUTE)
    stages.open_order(world, "mallory", 2, stages.IN_USDC)
    do(world, end(world, "alice"), settle(world))
    assert (lease(world).paid, lease(world).held) == (4 * RATE, 2 * RATE + fee(2 * RATE))
    do(world, stages.match(world, RUNNING, "mallory", 2))
    before = order(world).free
    quorum(world, 5)
    ended = lease(world)
    assert (ended.reason, ended.paid, ended.held) == (EndReason.FAULT, 4 * RATE, RATE + fee(RATE))
    assert order(world).free - before == RATE + fee(RATE)
    assert device(world, RUNNING).lease == where(RUNNING, "mallory", 2), "another has it by now"
    # A second finding can only take more.
    do(world, vote(world, 0, 6))
    assert refused(world, vote(world, 1, 6)) == "FaultInvalid"
    quorum(world, 4)
    assert lease(world).held == 0


def test_a_fault_after_the_renters_end_takes_back_the_fee_on_what_was_not_served() -> None:
    """An end by the renter keeps the fee on all ten hours; a supplier that didn't serve must not burn it."""
    world = at(6 * HOUR)
    do(world, end(world, "carol"), settle(world))
    assert (lease(world).paid, lease(world).fees) == (4 * RATE, fee(4 * RATE))
    assert lease(world).held == 2 * RATE + FEE - fee(4 * RATE)
    before = order(world).free
    quorum(world, 5)
    assert lease(world).held == RATE + fee(RATE)
    assert order(world).free - before == RATE + FEE - fee(5 * RATE)
    world.chain.advance(2 * HOUR)
    assert moved(world, settle(world))["fees"] == 2 * fee(RATE)
    do(world, client.close_lease(lease(world)))
    assert order(world).fees == 2 * fee(5 * RATE)


def test_a_fault_comes_too_late_for_a_fee_that_is_charged() -> None:
    """The rest of it goes with the last second's pay, which no fault finds any more."""
    world = at(6 * HOUR)
    do(world, end(world, "carol"))
    world.chain.advance(2 * HOUR)
    do(world, settle(world), vote(world, 0, 5))
    assert (lease(world).fees, lease(world).held) == (FEE, 0)
    assert refused(world, vote(world, 1, 5)) == "FaultInvalid"


def test_a_fault_ends_what_the_parties_can_do() -> None:
    world = at(2 * HOUR)
    quorum(world, 1)
    for call in (extend(world), end(world, "carol"), end(world, "alice"), accept(world, RUNNING)):
        assert refused(world, call) == "LeaseState"


def test_another_leases_fault() -> None:
    """Votes are bound to lease, evidence and hours by their address."""
    world = stages.serving()
    other = client.fault_address(where(stages.OTHER_RUNNING, "mallory"), EVIDENCE, 1)
    assert refused(world, put(vote(world, 1), fault=other)) == "InvalidSeeds"
    swapped = put(vote(world, 1), lease=where(stages.OTHER_RUNNING, "mallory"))
    assert refused(world, swapped) == "WrongOrder"


@pytest.mark.parametrize("amount", AMOUNTS)
def test_lamports_in_advance_stop_no_vote(amount: str) -> None:
    where_ = client.fault_address(where(RUNNING), EVIDENCE, 1)
    world = stage("matching")
    assert_created(world, vote(world), where_, amount)


def test_a_fault_is_closed_after_its_lease() -> None:
    world = stages.done()
    theirs = fault(world, where(stages.OTHER_RUNNING, "mallory"))
    ours = client.close_fault(fault(world, where(RUNNING)))
    assert refused(world, ours) == "LeaseExists"
    lied = put(ours, lease=where(stages.OTHER_RUNNING, "mallory"))
    assert refused(world, lied) == "WrongAccount"
    stolen = put(client.close_fault(theirs), payer=MALLORY)
    assert refused(world, stolen) == "NotRentPayer"
    operator = address(OPERATORS[0])
    before = world.account(operator).lamports
    at_ = client.fault_address(theirs.lease, EVIDENCE, 1)
    rent = world.account(at_).lamports
    do(world, client.close_fault(theirs))
    assert world.account(operator).lamports - before == rent
    assert world.chain.get(at_) is None


# -- the guardian's hold -------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [WEEK + 1, 0, -1, 10_000 * DAY])
def test_a_hold_of_another_length(seconds: int) -> None:
    assert refused(stage("serving"), hold(stage("serving"), seconds)) == "HoldInvalid"


def test_a_hold_at_the_end_of_time() -> None:
    world = stage("serving")
    assert refused(world, client.hold_lease(GUARDIAN, lease(world), 2**64 - 1)) == "HoldInvalid"


def test_a_hold_comes_once_and_can_only_be_shortened() -> None:
    world = stages.serving()
    assert moved(world, hold(world, DAY)) == {}
    world.chain.advance(1)
    for seconds in (DAY - 1, DAY, WEEK):
        assert refused(world, hold(world, seconds)) == "HoldInvalid"
    do(world, hold(world, HOUR))
    assert lease(world).hold_until == world.chain.now() + HOUR
    world.chain.advance(HOUR)
    for seconds in (1, HOUR, WEEK):
        assert refused(world, hold(world, seconds)) == "HoldInvalid"
    assert device(world, RUNNING).disputes == 1


def test_what_was_due_before_a_hold_is_paid_in_it_and_the_rest_by_time_after_it() -> None:
    world = stages.serving()
    do(world, hold(world))
    world.chain.advance(WEEK - 1)
    changes = moved(world, settle(world))
    cut = fee(2 * RATE)
    assert changes == {"vault": -2 * RATE - cut, "alice": 2 * RATE - cut, "fees": 2 * cut}
    assert moved(world, settle(world)) == {}
    do(world, end(world, "mallory"))
    assert refused(world, client.close_lease(lease(world))) == "LeaseNotPaid"
    # Nobody has to do anything for its end.
    world.chain.advance(1)
    assert moved(world, settle(world))["vault"] == -8 * RATE - fee(8 * RATE)
    do(world, client.close_lease(lease(world)))
    record = device(world, RUNNING)
    assert (record.leases_done, record.disputes) == (1, 1)


def test_a_hold_lifted_at_once_pays_at_once() -> None:
    world = stages.serving()
    do(world, hold(world))
    world.chain.advance(3 * HOUR)
    assert moved(world, settle(world))["vault"] == -2 * RATE - fee(2 * RATE)
    do(world, client.hold_lease(GUARDIAN, lease(world), 0))
    assert moved(world, settle(world))["vault"] == -3 * RATE - fee(3 * RATE)


def test_a_held_lease_is_for_operators_to_judge() -> None:
    """The clock stands: a fault found a day later finds the money of everything after the hold's start."""
    world = stages.serving()
    do(world, hold(world))
    world.chain.advance(DAY)
    quorum(world, 3)
    ended = lease(world)
    assert (ended.stop - ended.start, ended.held) == (3 * HOUR, 3 * RATE + fee(3 * RATE))
    world.chain.advance(WEEK)
    assert moved(world, settle(world))["vault"] == -3 * RATE - fee(3 * RATE)


def test_a_hold_stops_neither_the_renter_nor_the_device() -> None:
    world = stages.serving()
    do(world, hold(world), extend(world), refund(world), end(world, "carol"))
    assert device(world, RUNNING).lease == staking.NOBODY
    assert moved(world, refund(world))["carol"] == 7 * RATE


def test_a_hold_on_what_is_paid_or_waits() -> None:
    world = stages.matching()
    assert refused(world, hold(world, worker=WAITING)) == "LeaseState"
    world.chain.advance(LONG * 10)
    do(world, settle(world))
    assert refused(world, hold(world)) == "NothingUnpaid"
    do(world, end(world, "mallory"))
    assert refused(world, hold(world)) == "NothingUnpaid"


def test_a_hold_on_one_lease_holds_no_other() -> None:
    world = stages.matching()
    do(world, accept(world, WAITING), hold(world))
    world.chain.advance(20 * HOUR)
    assert moved(world, settle(world)) == {}
    assert moved(world, settle(world, WAITING))["bob"] == 10 * RATE - fee(10 * RATE)


def test_no_second_fault_for_the_same_evidence() -> None:
    """A first vote's account has one address: at another bump it would have votes of its own."""
    world = stages.stage("matching")
    call = stages.vote(world)
    seeds = (b"fault", bytes(where(RUNNING)), EVIDENCE, (1).to_bytes(4, "little"))
    for other in other_bumps(seeds, client.PROGRAM.address):
        assert refused(world, put(call, fault=other)) == "InvalidSeeds"
