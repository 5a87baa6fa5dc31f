"""Attacks on extending, ending and cancelling: who, when, and whose the money is then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.clients import orders as client
from keeper.clients import staking
from keeper.clients.orders import Params
from keeper.economy.orders import MAX_HOURS, Currency, EndReason
from tests.programs.world import DAY, HOUR, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    EXCLUSIVE,
    FEE,
    FREE,
    HOUR_FEE,
    OPERATOR,
    OTHER_RUNNING,
    PLACE,
    RATE,
    RUNNING,
    SURPLUS,
    WAITING,
    WHOLE,
    WINDOW,
    accept,
    cancel,
    create,
    device,
    end,
    extend,
    fee,
    io,
    lease,
    match,
    moved,
    order,
    purses,
    put,
    refund,
    settle,
    stage,
)
from tests.security.outcomes import refused
from tests.security.people import address, do

MALLORY = address("mallory")


def at(seconds: int) -> World:
    """So many seconds into carol's lease."""
    world = stages.matching()
    world.chain.advance(seconds)
    return world


def cut(world: World, caller: str) -> int:
    """End carol's lease; returns the seconds that are paid. The rest is hers again, and no token moves."""
    before, one = order(world), lease(world)
    assert moved(world, end(world, caller)) == {}
    after, ended = order(world), lease(world)
    assert after.free - before.free == one.held - ended.held == before.held - after.held
    pay = RATE * (ended.stop - ended.start) // HOUR
    # The renter's fee is whole, unless the supplier broke off.
    due = fee(pay) if ended.reason == EndReason.SUPPLIER else FEE
    assert ended.held + ended.paid + ended.fees == pay + due
    assert device(world, RUNNING).lease == staking.NOBODY
    return ended.stop - ended.start


# -- extending -----------------------------------------------------------------------------------


def test_extending_ends_with_the_lease() -> None:
    world = at(10 * HOUR - 1)
    late = extend(world, 3)
    more = 3 * RATE + fee(13 * RATE) - FEE
    assert moved(world, late) == {"carol": -more, "vault": more}
    assert (lease(world).hours, lease(world).stop - lease(world).start) == (13, 13 * HOUR)
    for seconds in (10 * HOUR, 10 * HOUR + 1, 100 * DAY):
        assert refused(at(seconds), late) == "LeaseOver"


def test_extending_what_has_ended() -> None:
    world = stages.serving()
    do(world, end(world, "carol"))
    assert refused(world, extend(world)) == "LeaseState"
    assert refused(world, extend(world, worker=WAITING)) == "LeaseState"


def test_extending_what_nobody_accepted() -> None:
    assert refused(stage("matching"), extend(stage("matching"), worker=WAITING)) == "LeaseState"


@pytest.mark.parametrize("name", ["alice", "mallory", "bob", "admin"])
def test_nobody_else_extends(name: str) -> None:
    """Not even with one's own money."""
    call = put(extend(stage("serving")), renter=address(name), renter_tokens=io(name))
    assert refused(stage("serving"), call) == "NotRenter"


@pytest.mark.parametrize(
    ("hours", "error"),
    [
        (0, "HoursInvalid"),
        (MAX_HOURS - 10 + 1, "HoursInvalid"),
        (2**32 - 1, "Overflow"),
        (2**32 - 11, "HoursInvalid"),
        (MAX_HOURS - 10, "ExtensionTooLong"),
    ],
)
def test_hours_that_can_not_be_added(hours: int, error: str) -> None:
    assert refused(stage("serving"), extend(stage("serving"), hours)) == error


def test_extending_twice_in_one_transaction_needs_the_hours_between() -> None:
    world = stages.serving()
    order, one = stages.order(world), lease(world)
    first, second = (
        client.extend_lease(stages.config(world), order, each, 1, max_amount=stages.NO_LIMIT)
        for each in (one, replace(one, hours=11))
    )
    assert refused(world, first, first) == "NotAsExpected"
    changes = moved(world, first, second)
    assert changes["carol"] == -2 * (RATE + fee(RATE))
    assert lease(world).hours == 12


# -- ending --------------------------------------------------------------------------------------


@pytest.mark.parametrize("currency", list(Currency), ids=lambda each: each.name)
def test_a_supplier_that_never_serves_burns_no_fee(currency: Currency) -> None:
    """Matched by itself, accepted, ended and closed in one transaction, order after order.

    Every base unit is the renter's again, and only the device's record has changed.
    """
    world = stages.ready()
    before = purses(world)
    terms = stages.TERMS if currency == Currency.IO else stages.IN_USDC
    for number in range(1, 4):
        do(world, create(number=number, terms=terms))
        world.chain.advance(EXCLUSIVE)
        opened, settings = order(world, number=number), stages.config(world)
        one = stages.to_be(world, RUNNING, number=number)
        attack = (
            *stages.take(world, RUNNING, number=number),
            client.settle(settings, opened, one),
            client.end_lease(one.supplier, one),
            client.settle(settings, opened, one),
            client.close_lease(one),
        )
        assert moved(world, *attack) == {}
        later = world.chain.now()
        assert order(world, number=number) == replace(
            opened, served=1, filled_at=later, match_until=later + WINDOW
        )
        world.chain.warp_to(device(world, RUNNING).barred_until)
        do(world, stages.close(world, number=number))
    assert purses(world) == before
    assert device(world, RUNNING).leases_failed == 3


def test_a_supplier_that_never_serves_burns_no_fee_on_an_extension() -> None:
    world = stages.matching()
    before = purses(world)
    more = MAX_HOURS // 100 * RATE
    paid_in = moved(world, extend(world, MAX_HOURS // 100))
    assert paid_in == {"carol": -more - fee(more), "vault": more + fee(more)}
    assert moved(world, settle(world), end(world, "alice"), settle(world)) == {}
    do(world, client.close_lease(lease(world)))
    assert (order(world).fees, order(world).paid) == (0, 0)
    # Its place is open again: what it needs stays, what came in for more hours is hers.
    back = moved(world, refund(world))
    assert back == {"carol": more + fee(more) + SURPLUS, "vault": -back["carol"]}
    assert purses(world)["fees"] == before["fees"]


def test_breaking_off_leaves_the_fee_on_whole_hours_alone() -> None:
    """Extended before it: what the fee on all hours is above that on two is the renter's again."""
    world = at(2 * HOUR + HOUR // 2)
    do(world, extend(world, 5))
    assert cut(world, "alice") == 2 * HOUR
    assert lease(world).held == 2 * RATE + fee(2 * RATE)
    world.chain.advance(2 * HOUR)
    assert moved(world, settle(world)) == {
        "vault": -2 * RATE - fee(2 * RATE),
        "alice": 2 * RATE - fee(2 * RATE),
        "fees": 2 * fee(2 * RATE),
    }
    do(world, client.close_lease(lease(world)))
    assert order(world).fees == 2 * fee(2 * RATE), "the renter's and the supplier's"


@pytest.mark.parametrize("name", ["mallory", "bob", OPERATOR, "admin", "guardian", WAITING])
def test_a_stranger_ends_nothing_before_its_time(name: str) -> None:
    world = at(10 * HOUR - 1)
    assert refused(world, end(world, name)) == "NotParty"
    world.chain.advance(1)
    assert cut(world, name) == 10 * HOUR
    assert lease(world).reason == EndReason.COMPLETED


@pytest.mark.parametrize(
    ("seconds", "paid"),
    [
        (0, HOUR),
        (1, HOUR),
        (HOUR - 1, HOUR),
        (HOUR, HOUR),
        (HOUR + 1, HOUR + 1),
        (5 * HOUR + 7, 5 * HOUR + 7),
        (10 * HOUR - 1, 10 * HOUR - 1),
        (10 * HOUR, 10 * HOUR),
        (20 * HOUR, 10 * HOUR),
    ],
)
def test_a_renter_pays_the_first_hour_and_then_by_the_second(seconds: int, paid: int) -> None:
    world = at(seconds)
    assert cut(world, "carol") == paid
    world.chain.advance(20 * HOUR)
    amount = RATE * paid // HOUR
    assert moved(world, settle(world)) == {
        "vault": -amount - FEE,
        "alice": amount - fee(amount),
        "fees": fee(amount) + FEE,
    }


@pytest.mark.parametrize(
    ("seconds", "paid"),
    [
        (0, 0),
        (HOUR - 1, 0),
        (HOUR, HOUR),
        (2 * HOUR - 1, HOUR),
        (5 * HOUR + 7, 5 * HOUR),
        (10 * HOUR - 1, 9 * HOUR),
        (10 * HOUR, 10 * HOUR),
    ],
)
def test_a_supplier_is_paid_for_whole_hours(seconds: int, paid: int) -> None:
    world = at(seconds)
    assert cut(world, "alice") == paid
    world.chain.advance(20 * HOUR)
    do(world, settle(world), client.close_lease(lease(world)))
    record = device(world, RUNNING)
    done = seconds == 10 * HOUR
    assert (record.hired_seconds, record.leases_done, record.leases_failed) == (paid, done, not done)


@pytest.mark.parametrize("consent", [False, True])
def test_the_workers_key_ends_what_runs_only_where_its_supplier_lets_it(consent: bool) -> None:
    """It lies on the machine that is rented: whoever reads it there could end the lease as the supplier."""
    world = at(5 * HOUR)
    one = device(world, RUNNING)
    terms = {name: getattr(one, name) for name in ("tier", "country", "ask_io", "ask_usdc")}
    do(world, staking.change_device(one, **terms, worker_may_end=consent))
    if consent:
        assert cut(world, RUNNING) == 5 * HOUR
    else:
        assert refused(world, end(world, RUNNING)) == "NotParty"
        world.chain.advance(5 * HOUR)
        assert cut(world, RUNNING) == 10 * HOUR, "as anybody"


def test_nobody_ends_a_lease_twice() -> None:
    """A supplier can't have the hours that the renter cut, nor the renter those that were earned."""
    world = at(5 * HOUR)
    do(world, end(world, "carol"))
    for name in ("carol", "alice", RUNNING, "mallory"):
        assert refused(world, end(world, name)) == "LeaseState"
    world.chain.advance(100 * DAY)
    assert refused(world, end(world, "mallory")) == "LeaseState"
    world = at(5 * HOUR)
    assert refused(world, end(world, "alice"), end(world, "carol")) == "LeaseState"


@pytest.mark.parametrize("settled", [True, False])
def test_what_was_due_is_never_taken_back(settled: bool) -> None:
    """Without a lag the hour that a supplier breaks off in is due already, settled or not."""
    world = stages.ready(Params(settlement_lag=0))
    do(world, create())
    stages.run(world, RUNNING)
    world.chain.advance(5 * HOUR + HOUR // 2)
    due = RATE * 11 // 2
    if settled:
        do(world, settle(world))
        assert lease(world).paid == due
    assert cut(world, "alice") == 5 * HOUR + HOUR // 2
    do(world, settle(world))
    assert (lease(world).paid, lease(world).held) == (due, 0)


def test_the_device_of_another_lease_stays() -> None:
    world = stage("serving")
    other = staking.device_address(address(OTHER_RUNNING))
    assert refused(world, put(end(world, "carol"), device=other)) == "WrongDevice"
    swapped = put(end(world, "carol"), order=client.order_address(MALLORY, 1))
    assert refused(world, swapped) == "WrongOrder"
    # Mallory is the renter of another order.
    assert refused(world, put(end(world, "mallory"), order=client.order_address(MALLORY, 1))) == "WrongOrder"


# -- cancelling ----------------------------------------------------------------------------------


def test_cancelling_while_a_match_waits() -> None:
    """The place that waits may still be served; declined, it is the renter's and nobody's to match."""
    world = stages.matching()
    do(world, cancel(world))
    assert order(world).open == 0
    assert moved(world, refund(world))["carol"] == PLACE + 2 * SURPLUS - HOUR_FEE
    do(world, end(world, "bob", WAITING), client.close_lease(lease(world, WAITING)))
    for worker in (FREE, WAITING):
        assert refused(world, match(world, worker)) == "OrderClosed"
    assert moved(world, refund(world)) == {"vault": -WHOLE, "carol": WHOLE}
    served = stages.matching()
    do(served, cancel(served))
    do(served, accept(served, WAITING))
    assert lease(served, WAITING).held == 10 * RATE + FEE


def test_nothing_is_left_to_cancel() -> None:
    world = stages.matching()
    do(world, match(world, FREE))
    assert refused(world, cancel(world)) == "NothingToCancel"
