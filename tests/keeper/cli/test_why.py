"""``ionet market why``: why a device was taken in a tick or wasn't, and by whose word it passed its work."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.clients import staking
from keeper.economy.orders import TICK
from keeper.rewards.rows import Hour, Work
from tests.keeper.cli.test_market import words
from tests.keeper.cli.ticking import (
    DIR,
    ON,
    device_of,
    opened,
    over,
    publish,
    tick_of,
    world,
)
from tests.keeper.rewards.seen import publish_rows
from tests.keeper.rewards.tables import START, another, classes, rows
from tests.keeper.rewards.test_publication import EMITTED
from tests.programs.orders.world import HOUR, IO
from tests.programs.staking.world import GPU_CLASS
from tests.programs.world import key

__all__ = ["world"]


def test_why_a_device_was_taken_or_not(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    publish(world, tick)
    over(world, tick)
    for where in (DIR, ON):
        code, out, err = ionet("market", "why", device_of("one"), "--tick", tick, *where)
        assert code == 0, err
        assert "place 1 of 2 of its class and number of processors." in words(out)
        assert f"Order {order.address} took it, at 2.00000000 IO for a processor and hour." in words(out)
        code, out, err = ionet("market", "why", device_of("two"), "--tick", tick, *where)
        assert code == 0, err
        assert "place 2 of 2" in words(out)
        assert "No order took it: 1 of 1 open orders could have had it." in words(out)
        assert f"{order.address} 1 1 it took devices that come first, or cost less" in words(out)


@pytest.mark.parametrize("ends", ["served", "broken off"])
def test_what_a_weight_follows_from(ionet, world, ends):
    """By the chain alone: files have the weight, and not what became of leases."""
    order = opened(world, hours=24)
    world.run(order, "one")
    world.chain.advance(2 * HOUR if ends == "broken off" else 24 * HOUR)
    caller = key("supplier") if ends == "broken off" else world.payer
    assert world.end(order, "one", caller).error is None
    late = opened(world, 2)
    tick = tick_of(late)
    publish(world, tick)
    over(world, tick)
    terms = {
        "served": ("1.000", "0.000", {"good": 1_000, "bad": 0, "bound": 7_411, "weight": 8_705}),
        "broken off": ("0.083", "1.000", {"good": 83, "bad": 1_000, "bound": 3_108, "weight": 6_554}),
    }
    good, bad, record = terms[ends]
    code, out, err = ionet("market", "why", device_of("one"), "--tick", tick, *ON)
    assert code == 0, err
    assert f"{good} days of leases whose fees were paid, and {bad} failures" in words(out)
    assert f"its waiting weighs {record['weight'] / 100:.2f} %." in words(out)
    assert (
        json.loads(ionet("market", "why", device_of("one"), "--tick", tick, *ON, "--json")[1])["record"]
        == record
    )
    assert "Its record" not in ionet("market", "why", device_of("one"), "--tick", tick, *DIR)[1]


def test_orders_of_other_devices_are_counted_and_not_listed(ionet, world):
    other = opened(world, 1, processors=2)
    opened(world, 3, price=2 * IO - 1)
    mine = opened(world, 2, countries=("AT",))
    tick = tick_of(mine)
    over(world, tick)
    code, out, err = ionet("market", "why", device_of("one"), "--tick", tick, *ON)
    assert code == 0, err
    assert "No order took it: 0 of 2 open orders could have had it." in words(out)
    assert f"{mine.address} 1 0 another country" in words(out)
    assert str(other.address) not in out
    _, out, _ = ionet("market", "why", device_of("one"), "--tick", tick, *ON, "--json")
    listed = {each["order"]: each["unfit"] for each in json.loads(out)["orders"]}
    assert listed == {str(other.address): ["processors"], str(mine.address): ["country"]}, (
        "below the price none takes part"
    )


def test_why_for_programs(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    publish(world, tick)
    waited = tick * TICK - world.read_device("one").changed_at
    _, out, _ = ionet("market", "why", device_of("one"), "--tick", tick, *DIR, "--json")
    assert json.loads(out) == {
        "tick": tick,
        "device": device_of("one"),
        "out": [],
        "place": 1,
        "count": 2,
        "seconds": waited,
        "weight": 8_584,
        "record": None,
        "taken_by": str(order.address),
        "price": str(2 * IO),
        "currency": "io",
        "orders": [
            {
                "order": str(order.address),
                "open": 1,
                "minimum": 1,
                "got": 1,
                "unfit": [],
                "outcome": "took",
            }
        ],
    }


def test_why_a_device_took_no_part(ionet, world):
    world.let("gpu", key("supplier"), device_class=GPU_CLASS)
    order = opened(world)
    matched_by = tick_of(order)
    over(world, matched_by)
    code, out, err = ionet("market", "why", device_of("gpu"), "--tick", matched_by, *ON)
    assert code == 0, err
    said = f"It took no part in tick {matched_by}: it hadn't passed its proof of work in the newest hour"
    assert said in words(out)
    code, _, err = ionet("market", "why", device_of("nobody"), "--tick", matched_by, *ON)
    assert (code, f"there is no device {device_of('nobody')} at tick" in words(err)) == (1, True)


def test_the_files_of_the_hour_that_operators_agreed_on_are_needed(ionet, world):
    """Without them nobody knows which devices passed; a batch that guesses is none."""
    payout = world.let("gpu", key("supplier"), device_class=GPU_CLASS).payout
    world.block(0, {payout: 1})
    order = opened(world)
    tick = tick_of(order)
    over(world, tick)
    for arguments, expected in ((("replay",), 2), (("why", device_of("gpu")), 1)):
        code, _, err = ionet("market", *arguments, "--tick", tick, *ON)
        assert (code, "hour 0 is not in rewards" in words(err)) == (expected, True), err


def test_a_device_passes_by_the_files_that_operators_agreed_on(ionet, world):
    for name in ("gpu", "slow"):
        world.let(name, key("supplier"), device_class=GPU_CLASS)
    device = bytes(staking.device_address(key("gpu").pubkey()))
    seen = [replace(another(1, work=int(Work.PASSED)), device=device)]
    manifest = publish_rows(Path("hours"), Hour(0, START, EMITTED), rows(seen), classes())
    said = staking.Attestation(
        bytes.fromhex(manifest.root), manifest.total, manifest.devices, bytes.fromhex(manifest.hash)
    )
    for record in world.attest(0, said):
        assert record.error is None, world.error(record)
    order = world.order(key("renter"), 1, devices=1)
    tick = tick_of(order)
    over(world, tick)
    for name, expected in (("gpu", f"Order {order.address} took it"), ("slow", "it hadn't passed its proof")):
        code, out, err = ionet("market", "why", device_of(name), "--tick", tick, "--rewards", "hours", *ON)
        assert (code, expected in words(out)) == (0, True), (out, err)
