"""Attacks on places that open again after the order's matching was over, and their money had gone back.

``BEFORE`` is what each attack took on the programs of before, as it was measured there.
"""

from __future__ import annotations

import pytest

from keeper.clients import orders as client
from tests.programs.world import World
from tests.security.orders import stages
from tests.security.orders.stages import (
    FREE,
    IN_USDC,
    MINUTE,
    OTHER_RUNNING,
    OTHER_WAITING,
    RUNNING,
    USDC,
    WAITING,
    WINDOW,
    accept,
    cancel,
    close,
    end,
    fee,
    lease,
    match,
    moved,
    open_order,
    order,
    refund,
    take,
)
from tests.security.outcomes import refused
from tests.security.people import do

BROUGHT_BACK = {"places": 499, "back of 8.18 USDC": 0}
"""An order of 500 places of which one was served: all came back with it, without money, and cancelling cost
all that was left."""
FREE_CANCEL_BEFORE = {"as signed": 0, "after a break-off in front of it": 8_180_000}
"""What a renter of 200 places paid for cancelling once its matching was over."""
TAKEN_BEFORE = 2
"""Leases that places without money took out of what the renter had ended itself."""


def served(places: int, hours: int = 2, workers: tuple[str, ...] = (RUNNING,)) -> World:
    """Some places of mallory's order are served; its matching is over, the others' money has gone back."""
    world = stages.ready()
    opened = open_order(world, "mallory", terms=IN_USDC, devices=places, hours=hours, price=USDC)
    for worker in workers:
        do(world, match(world, worker, "mallory"), accept_later(world, worker))
    world.chain.warp_to(opened.match_until)
    do(world, refund(world, "mallory"))
    return world


def accept_later(world: World, worker: str):
    """The worker accepts in the same transaction."""
    return stages.accept_later(world, worker, "mallory")


def place_hour(world: World) -> int:
    """The fee on an hour of a place of mallory's."""
    return fee(4 * USDC, order(world, "mallory").renter_fee_bps)


@pytest.mark.parametrize("places", [2, 50, 500])
def test_a_break_off_after_the_matching_brings_one_place_back(places: int) -> None:
    """Its own, with its own money. Cancelling it costs the fee on an hour of that one alone."""
    world = served(places)
    before = order(world, "mallory")
    assert (before.open, before.free, before.taken) == (places - 1, 0, 1)
    world.chain.advance(5 * MINUTE)
    do(world, end(world, "alice", RUNNING, "mallory"))
    after = order(world, "mallory")
    assert (after.open, after.free, after.taken) == (1, before.held, 0)
    assert after.match_until == world.chain.now() + WINDOW
    do(world, cancel(world, "mallory"))
    charged = order(world, "mallory").fees
    assert charged == place_hour(world)
    do(world, client.close_lease(lease(world, RUNNING, "mallory")))
    back = moved(world, close(world, "mallory"))["mallory usdc"]
    assert (back, before.held) == (8_180_000 - charged, 8_180_000)
    assert back > BROUGHT_BACK["back of 8.18 USDC"]


def test_nobody_makes_a_free_cancel_dear() -> None:
    """A break-off in front of it costs the fee on an hour of its own place, and the device is barred."""
    found = {}
    for case in FREE_CANCEL_BEFORE:
        world = served(200)
        signed = cancel(world, "mallory")
        if case != "as signed":
            do(world, end(world, "alice", RUNNING, "mallory"))
            assert stages.device(world, RUNNING).strikes == 1
        do(world, signed)
        found[case] = order(world, "mallory").fees
    assert found == {"as signed": 0, "after a break-off in front of it": place_hour(world)}
    assert place_hour(world) < FREE_CANCEL_BEFORE["after a break-off in front of it"] // 25


def test_places_without_money_take_no_money_of_others() -> None:
    """The renter ends two leases itself: what is free goes back, but for the one place that opened again."""
    world = served(6, 100, (RUNNING, WAITING, OTHER_RUNNING))
    world.chain.advance(MINUTE)
    do(world, end(world, "alice", RUNNING, "mallory"))
    for worker in (WAITING, OTHER_RUNNING):
        do(world, end(world, "mallory", worker, "mallory"))
    found = order(world, "mallory")
    assert (found.open, found.taken) == (1, 2)
    place = found.place
    assert place == 409 * USDC < found.free
    assert moved(world, refund(world, "mallory"))["mallory usdc"] == found.free - place
    do(world, *take(world, FREE, "mallory"))
    assert refused(world, *take(world, OTHER_WAITING, "mallory")) == "OrderFull"
    assert order(world, "mallory").open == 0 < TAKEN_BEFORE


@pytest.mark.parametrize("second", [0, -1])
def test_the_end_of_the_matching_to_the_second(second: int) -> None:
    """A second earlier nothing is over, every place has its money, and all of them are matched on."""
    world = stages.ready()
    opened = open_order(world, devices=3)
    do(world, match(world, RUNNING))
    do(world, accept(world, RUNNING))
    world.chain.warp_to(opened.match_until + second)
    do(world, end(world, "alice"))
    assert order(world).open == (3 if second else 1)
    assert order(world).free == 3 * stages.PLACE
