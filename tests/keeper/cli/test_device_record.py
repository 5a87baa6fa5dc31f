"""``ionet device show``: what a device's reputation follows from, by its leases' events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keeper.clients import orders, staking
from keeper.market.reputation import Reputation
from keeper.terminal.records import NEWEST
from tests.keeper.cli.test_market import words
from tests.programs.orders.world import HOUR, TERMS, OrdersWorld
from tests.programs.world import key

ON = ("--chain", "test.chain")
DEVICE = staking.device_address(key("one").pubkey())


@pytest.fixture
def world() -> OrdersWorld:
    """A device that is free, and a renter."""
    world = OrdersWorld.ready()
    world.renter("renter")
    world.let("one", world.supplier("supplier"))
    world.chain.advance(60)
    return world


def leased(world: OrdersWorld, number: int, seconds: int, *, breaks: bool = False) -> None:
    """A lease of so many seconds, ended by its supplier or else by its renter."""
    order = world.order(key("renter"), number, devices=1)
    world.match(order, "one")
    world.accept(order, "one")
    world.chain.advance(seconds)
    who = key("supplier" if breaks else "renter")
    world.do(orders.end_lease(who.pubkey(), world.lease(order, "one")), signers=[who])


def shown(world: OrdersWorld, ionet, *more: str) -> dict:
    world.chain.save(Path("test.chain"))
    code, out, err = ionet("device", "show", DEVICE, *ON, "--json", *more)
    assert (code, err) == (0, "")
    return json.loads(out)["record"]


def test_a_new_device_weighs_as_a_new_one(ionet, world: OrdersWorld) -> None:
    new = Reputation()
    expected = {"good": 0, "bad": 0, "bound": new.bound, "weight": new.weight, "leases": []}
    assert shown(world, ionet) == expected
    assert "its waiting weighs 85.84 %" in words(ionet("device", "show", DEVICE, *ON)[1])


def test_a_record_is_shown_with_each_of_its_leases(ionet, world: OrdersWorld) -> None:
    leased(world, 1, TERMS.hours * HOUR)
    ended = world.chain.now()
    world.chain.advance(HOUR)
    leased(world, 2, 6 * HOUR, breaks=True)
    found = shown(world, ionet)
    first, second = found["leases"]
    assert first == {
        "number": 1,
        "ended_at": ended,
        "served": 10 * HOUR,
        "fee_seconds": 10 * HOUR,
        "failed": False,
        "disputed": False,
        "good": 416,
        "bad": 0,
    }
    assert (second["number"], second["failed"], second["good"], second["bad"]) == (2, True, 250, 1_000)
    # What it comes to fades at each midnight, all together.
    assert found["bad"] == 1_000 and 640 < found["good"] <= 666
    said = words(ionet("device", "show", DEVICE, *ON)[1])
    assert "and 1.000 failures, each of which weighs 8 days" in said
    assert "6.0 6.0 0.250 1.000 failed" in said and "10.0 10.0 0.416 0.000 served" in said
    assert f"its waiting weighs {found['weight'] / 100:.2f} %" in said


def test_only_the_newest_leases_are_listed_for_people(ionet, world: OrdersWorld) -> None:
    for number in range(1, NEWEST + 2):
        leased(world, number, 2 * HOUR)
        world.chain.advance(TERMS.hours)
    assert len(shown(world, ionet)["leases"]) == NEWEST + 1
    assert f"Its last {NEWEST} of {NEWEST + 1} leases" in words(ionet("device", "show", DEVICE, *ON)[1])


def test_nothing_is_read_that_was_not_asked_for(ionet, world: OrdersWorld) -> None:
    assert shown(world, ionet, "--no-record") is None
    said = words(ionet("device", "show", DEVICE, *ON, "--no-record")[1])
    assert "What its waiting weighs by its record: --record reads all of its leases." in said
