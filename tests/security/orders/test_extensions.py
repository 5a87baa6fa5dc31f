"""Attacks by extending: hours that a supplier never agreed to, or that bind its stake against its will.

``BEFORE`` is what was forced on the programs of before, as it was measured there.
"""

from __future__ import annotations

import pytest

from keeper.clients import staking
from tests.programs.world import DAY, HOUR, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    ASK_IO,
    RATE,
    RUNNING,
    device,
    end,
    extend,
    fee,
    lease,
    moved,
    refund,
    settle,
)
from tests.security.orders.test_squatting import change
from tests.security.outcomes import refused
from tests.security.people import address, do

DAYS_BEFORE = 29
"""For so long a renter bound a stake in a lease's last second; it could have been a year."""


def late(**changed: object) -> World:
    """The last second of carol's lease, whose supplier changed its terms meanwhile."""
    world = stages.matching()
    if changed:
        do(world, change(world, RUNNING, **changed))
    world.chain.warp_to(lease(world).stop - 1)
    return world


def test_a_device_that_is_not_for_lease_any_more_is_not_kept() -> None:
    """Its supplier wants it back: with the last hour it has it, and its stake with it."""
    world = late(ask_io=0)
    for hours in (1, 24, 7 * 24 - 1):
        assert refused(world, extend(world, hours)) == "NotLet"
    world.chain.advance(1)
    do(world, end(world, "mallory"), staking.unstake(device(world, RUNNING)))


def test_the_workers_own_word_is_enough() -> None:
    """The machine takes itself off the market, without its owner's key."""
    world = late()
    do(world, staking.pause_device(device(world, RUNNING)))
    assert refused(world, extend(world)) == "NotLet"


@pytest.mark.parametrize(
    ("ask", "error"), [(ASK_IO + 1, "AskTooHigh"), (ASK_IO, None), (1, None), (2**64 - 1, "Overflow")]
)
def test_an_ask_above_the_rate_is_a_no(ask: int, error: str | None) -> None:
    world = late(ask_io=ask)
    assert refused(world, extend(world)) == error


def test_only_the_leases_own_currency_counts() -> None:
    world = late(ask_usdc=0)
    assert refused(world, extend(world)) is None


@pytest.mark.parametrize(
    ("left", "hours", "error"),
    [
        (1, 7 * 24, "ExtensionTooLong"),
        (HOUR, 7 * 24 - 1, None),
        (HOUR, 7 * 24, "ExtensionTooLong"),
        (HOUR - 1, 7 * 24 - 1, None),
        (HOUR + 1, 7 * 24 - 1, "ExtensionTooLong"),
        (10 * HOUR, 7 * 24 - 10, None),
        (10 * HOUR, 7 * 24 - 9, "ExtensionTooLong"),
    ],
)
def test_a_week_is_the_most_to_the_second(left: int, hours: int, error: str | None) -> None:
    """So much notice a supplier gives who takes its device off the market."""
    world = stages.matching()
    world.chain.warp_to(lease(world).stop - left)
    assert refused(world, extend(world, hours)) == error
    if error is None:
        assert lease(world).stop - world.chain.now() <= 7 * DAY < DAYS_BEFORE * DAY


def test_time_after_time_it_is_a_week_at_most() -> None:
    world = stages.matching()
    for _ in range(3):
        world.chain.advance(HOUR)
        do(world, settle(world))
        hours = (7 * DAY - (lease(world).stop - world.chain.now())) // HOUR
        do(world, extend(world, hours))
        assert refused(world, extend(world, 1)) == "ExtensionTooLong"


def test_a_lease_of_a_year_can_be_longer_than_a_week() -> None:
    """What was ordered is what the supplier accepted: only more of it is bounded."""
    world = stages.ready()
    stages.give_usdc(world, "mallory", 200_000 * stages.USDC)
    stages.open_order(world, "mallory", terms=stages.IN_USDC, devices=1, hours=8_000)
    stages.run(world, RUNNING, "mallory")
    assert refused(world, extend(world, 1, RUNNING, "mallory")) == "ExtensionTooLong"


def test_hours_that_were_added_are_the_suppliers_pay() -> None:
    world = stages.matching()
    more = moved(world, extend(world, 5))["vault"]
    assert more == 5 * RATE + fee(15 * RATE) - fee(10 * RATE)
    world.chain.advance(20 * HOUR)
    assert moved(world, settle(world))["alice"] == 15 * RATE - fee(15 * RATE)
    do(world, end(world, "mallory"))
    assert moved(world, refund(world))["carol"] > 0
    assert address("alice") == lease(world).payout
