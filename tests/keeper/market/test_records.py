"""What became of leases, from events: weights that follow, and prices that were stale at a match."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.pubkey import Pubkey

from keeper.clients import orders, staking
from keeper.clients.staking import Class
from keeper.db import Database
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.classes import STALE, holds_from
from keeper.economy.orders import Currency
from keeper.market.records import NEW, StalePrices
from keeper.market.reputation import LeaseEnd, reputation
from tests.keeper.market.test_facts import facts_of, slot_of
from tests.keeper.market.test_matching import priced
from tests.keeper.runtime.conftest import database
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key

__all__ = ["database"]


def device(name: str) -> Pubkey:
    return staking.device_address(key(name).pubkey())


def weight(*ends: LeaseEnd, now: int) -> int:
    return reputation(ends, now).weight


async def test_weights_follow_from_what_became_of_leases(database: Database) -> None:
    world = OrdersWorld.with_two_devices()
    facts, renter, supplier = await facts_of(world, database), key("renter"), key("supplier")
    order = world.order(renter, hours=100)
    world.run(order, "one")
    world.run(order, "two")
    before = slot_of(world)
    world.chain.advance(50 * HOUR)
    world.end(order, "one", renter)
    world.end(order, "two", supplier)
    now, after = world.chain.now(), slot_of(world)
    good, bad = (world.lease(order, name) for name in ("one", "two"))
    price = good.rate // order.terms.processors
    expected = {
        device("one"): weight(LeaseEnd.of(good, order, price), now=now),
        device("two"): weight(LeaseEnd.of(bad, order, price), now=now),
    }
    assert expected[device("one")] > NEW > expected[device("two")]
    for slot, weights in [(before, dict.fromkeys(expected, NEW)), (after, expected), (before, None)]:
        await facts.at(slot)
        assert facts.weights(now) == (weights or dict.fromkeys(expected, NEW))
    await facts.at(after)
    later = now + 60 * DAY
    assert facts.weights(later)[device("two")] == weight(LeaseEnd.of(bad, order, price), now=later)


async def test_a_fault_changes_what_a_lease_came_to_and_a_hold_before_it_is_a_dispute(
    database: Database,
) -> None:
    world = OrdersWorld.with_two_devices()
    facts, renter = await facts_of(world, database), key("renter")
    order = world.order(renter, hours=100, devices=1)
    world.run(order, "one")
    world.chain.advance(60 * HOUR)
    world.end(order, "one", renter)
    ended = slot_of(world)
    until = world.chain.now() + DAY
    hold = orders.hold_lease(world.guardian.pubkey(), world.lease(order, "one"), until)
    world.do(hold, signers=[world.guardian])
    held = slot_of(world)
    for operator in world.operators[:2]:
        vote = orders.vote_fault(operator.pubkey(), world.lease(order, "one"), b"e" * 32, 2)
        world.do(vote, signers=[operator])
    lease, now = world.lease(order, "one"), world.chain.now()
    price = lease.rate // order.terms.processors
    failed = LeaseEnd.of(lease, order, price, disputed=True)
    assert (failed.bad, failed.served) == (1_500, 58 * HOUR), "what was due before is kept"
    for slot in (ended, held):
        await facts.at(slot)
        assert facts.weights(now)[device("one")] > NEW
    await facts.at(slot_of(world))
    assert facts.weights(now)[device("one")] == weight(failed, now=now)


async def test_a_device_that_is_registered_anew_begins_anew(database: Database) -> None:
    world = OrdersWorld.with_two_devices()
    facts, supplier = await facts_of(world, database), key("supplier")
    order = world.order(key("renter"), hours=24)
    world.run(order, "one")
    world.chain.advance(10 * HOUR)
    world.end(order, "one", supplier)
    before, now = slot_of(world), world.chain.now()
    await facts.at(before)
    assert facts.weights(now)[device("one")] < NEW
    world.do(staking.unstake(world.read_device("one")), signers=[supplier])
    world.chain.advance(15 * DAY)
    world.do(staking.withdraw(world.read_device("one")))
    world.do(staking.terminate_device(world.read_device("one")), signers=[supplier])
    world.do(staking.close_device(world.read_device("one")))
    world.let("one", supplier)
    for at in (slot_of(world), before, slot_of(world)):
        await facts.at(at)
        is_new = at != before
        assert (facts.weights(now)[device("one")] == NEW) == is_new


HOUR_0 = 480_000
BEGAN = holds_from(HOUR_0)


def of(price: int, hour: int = HOUR_0) -> Class:
    return replace(priced(1), price_io=price, price_hour=hour)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (BEGAN - 1, None),
        (BEGAN + STALE - 1, None),
        (BEGAN + STALE, 100),
        (BEGAN + STALE + DAY - 1, 100),
        (BEGAN + STALE + DAY, 150),
        (BEGAN + STALE + 2 * DAY, None),
        (BEGAN + STALE + 4 * DAY, 200),
    ],
)
def test_what_a_price_was_while_it_was_stale(at: int, expected: int | None) -> None:
    prices = StalePrices()
    prices.change(of(100), BEGAN - HOUR)
    again = BEGAN + STALE + 2 * DAY
    prices.change(of(150), BEGAN + STALE + DAY)
    prices.change(of(200, again // HOUR - 1), again)
    assert prices.of(1, Currency.IO, at) == expected
