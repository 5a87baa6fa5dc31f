"""Attacks by ending early: what a renter pays for what was not served, what orders that nobody means cost.

``BEFORE`` is what was burned on the programs of before, as it was measured there.
"""

from __future__ import annotations

import pytest

from keeper.clients import orders as client
from keeper.economy.orders import EndReason
from tests.programs.world import HOUR, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    FREE,
    PLACE,
    RATE,
    RUNNING,
    USDC,
    WAITING,
    WINDOW,
    cancel,
    create,
    end,
    fee,
    give_usdc,
    lease,
    match,
    moved,
    open_order,
    order,
    refund,
    settle,
)
from tests.security.outcomes import refused
from tests.security.people import do

CANCELLED_BEFORE = 0
"""What an order cost that was cancelled between snapshot and match, however large."""
BURNED_BEFORE = 2_365_200_000
"""Base units of USDC: the fee on a year's hours at 12 USDC, of a lease that was ended in its first second."""
YEAR = 8_760
HOURLY = 4 * USDC
"""What a device costs in USDC for an hour."""
PLACE_HOUR = 4 * stages.TERMS.price
"""What an hour of a place costs at carol's highest price."""


def ended(world: World, seconds: int, hours: int, bps: int = 225) -> tuple[int, int]:
    """End a lease of so many hours after so many seconds; what the supplier earned and the fee on it."""
    give_usdc(world, "mallory", 200_000 * USDC)
    open_order(world, "mallory", terms=stages.IN_USDC, devices=1, hours=hours, price=USDC)
    stages.run(world, RUNNING, "mallory")
    world.chain.advance(seconds)
    do(world, end(world, "mallory", RUNNING, "mallory"))
    world.chain.advance(3 * HOUR)
    changes = moved(world, settle(world, RUNNING, "mallory"))
    earned = -changes["vault usdc"] - order(world, "mallory").fees + fee(lease_paid(world))
    assert earned == lease_paid(world)
    return earned, order(world, "mallory").fees - fee(earned)


def lease_paid(world: World) -> int:
    """What of the principal was paid."""
    return lease(world, RUNNING, "mallory").paid


@pytest.mark.parametrize(
    ("seconds", "hours", "served", "charged"),
    [
        # In its first second: an hour's pay, and the fee on that and a day.
        (0, YEAR, 1, 25),
        (HOUR, YEAR, 1, 25),
        (10 * HOUR, YEAR, 10, 34),
        # With less than a day to go, the fee is on what was ordered and no more.
        (0, 10, 1, 10),
        (0, 25, 1, 25),
        (0, 26, 1, 25),
        (5 * HOUR, 29, 5, 29),
        (5 * HOUR, 30, 5, 29),
    ],
)
def test_an_early_end_costs_the_fee_on_a_day_at_most(
    seconds: int, hours: int, served: int, charged: int
) -> None:
    earned, burned = ended(stages.ready(), seconds, hours)
    assert earned == HOURLY * served
    assert burned == fee(HOURLY * charged, 225)
    assert burned < BURNED_BEFORE // 100


def test_the_last_day_is_charged_to_the_second() -> None:
    """A day and a second before its end, and a day before it: the fee is whole from then on."""
    for left, whole in ((25 * HOUR, False), (24 * HOUR + 1, False), (24 * HOUR, True), (1, True)):
        world = stages.ready()
        _, burned = ended(world, 30 * HOUR - left, 30)
        assert (burned == fee(30 * HOURLY, 225)) == whole
        assert burned == fee(min(30 * HOURLY, lease_paid(world) + 24 * HOURLY), 225)


def test_extending_and_ending_burns_no_more() -> None:
    """Hours that were added and not served count like those of the order."""
    world = stages.matching()
    do(world, stages.extend(world, 100), end(world, "carol"))
    assert lease(world).held == RATE + fee(25 * RATE)


# -- what is given up before it ran --------------------------------------------------------------


@pytest.mark.parametrize("urgency", [0, 1, 2])
def test_cancelling_early_costs_the_fee_on_an_hour_of_each_open_place(urgency: int) -> None:
    """An order as large as a class, cancelled between snapshot and match, is free no more."""
    world = stages.ready()
    do(world, create(urgency=urgency))
    opened = order(world)
    bps = opened.renter_fee_bps
    charged = fee(3 * PLACE_HOUR, bps)
    assert moved(world, cancel(world)) == {}
    found = order(world)
    assert (found.fees, found.fees_due, found.free) == (charged, charged, opened.deposit - charged)
    assert charged > CANCELLED_BEFORE
    assert moved(world, stages.close(world)) == {
        "vault": -opened.deposit,
        "carol": opened.deposit - charged,
        "fees": charged,
    }


def test_cancelling_is_free_from_the_end_of_matching_on() -> None:
    world = stages.opened()
    world.chain.warp_to(order(world).match_until - 1)
    early = order(world).cancel_fee(world.chain.now())
    assert early == fee(3 * PLACE_HOUR)
    world.chain.advance(1)
    assert order(world).cancel_fee(world.chain.now()) == 0
    do(world, cancel(world))
    assert order(world).fees == 0
    assert moved(world, stages.close(world)) == {"vault": -3 * PLACE, "carol": 3 * PLACE}


def test_cancelling_in_the_last_second_costs_what_it_does_in_the_first() -> None:
    for second in (0, WINDOW - 1):
        world = stages.ready()
        do(world, create())
        world.chain.advance(second)
        do(world, cancel(world))
        assert order(world).fees == fee(3 * PLACE_HOUR)


def test_what_nobody_took_in_time_goes_back_whole() -> None:
    world = stages.opened()
    world.chain.warp_to(order(world).match_until)
    assert moved(world, refund(world)) == {"vault": -3 * PLACE, "carol": 3 * PLACE}


def test_places_that_are_taken_cost_nothing_to_cancel() -> None:
    world = stages.matching()
    do(world, cancel(world))
    assert order(world).fees == fee(PLACE_HOUR)


def test_withdrawing_a_lease_that_waits_costs_the_fee_on_an_hour() -> None:
    """A renter that takes devices out of the market and gives them back pays for each."""
    world = stages.matching()
    before = order(world)
    do(world, end(world, "carol", WAITING))
    after, one = order(world), lease(world, WAITING)
    charged = fee(PLACE_HOUR)
    assert one.reason == EndReason.WITHDRAWN
    assert (after.fees, after.open, after.served) == (charged, before.open, before.served)
    assert after.free - before.free == 10 * RATE + fee(10 * RATE) - charged
    # The network has it with the next settlement, whosever lease that is.
    do(world, client.close_lease(one))
    world.chain.advance(3 * HOUR)
    assert moved(world, settle(world))["fees"] == 2 * fee(RATE) + charged


def test_a_fee_takes_no_more_than_is_free() -> None:
    """A renter whose highest price is far above the network's has given the rest back before."""
    world = stages.ready()
    open_order(world, devices=1, hours=1, price=1_000 * stages.ASK_IO)
    do(world, match(world, FREE))
    do(world, refund(world), end(world, "carol", FREE))
    found = order(world)
    assert found.free == 0
    assert found.fees == found.fees_due == RATE + fee(RATE) < fee(1_000 * RATE)
    world.chain.warp_to(found.match_until)
    do(world, client.close_lease(lease(world, FREE)), stages.close(world))


def test_nobody_pays_for_what_a_supplier_leaves() -> None:
    """Declined, lapsed, broken off: whatever it is, the renter's money is whole."""
    for story in ("declined", "lapsed", "broken off"):
        world = stages.opened()
        do(world, match(world, FREE))
        if story == "lapsed":
            world.chain.advance(stages.ACCEPT)
        if story == "broken off":
            do(world, stages.accept(world, FREE))
        do(world, end(world, "mallory" if story == "lapsed" else "alice", FREE))
        found = order(world)
        assert (found.fees, found.free, found.open) == (0, found.deposit, 3)


def test_who_ends_a_lease_in_its_first_hour_pays_an_hour_and_the_fee_on_a_day() -> None:
    """The most that an honest renter pays for what was not served; in IO the tail is 0.06 hours' price."""
    world = stages.matching()
    do(world, end(world, "carol"))
    lost = lease(world).held
    assert lost == RATE + fee(10 * RATE) <= RATE + fee(25 * RATE)


def test_a_waiting_fee_keeps_no_order_open() -> None:
    """Its fees leave with it."""
    world = stages.opened()
    do(world, cancel(world))
    assert refused(world, stages.close(world)) is None
