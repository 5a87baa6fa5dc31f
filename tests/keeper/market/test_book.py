"""The book: what counts as hired, free and willing, and which gangs keep what they could have."""

from __future__ import annotations

from typing import Any

import pytest

from keeper.clients import orders, staking
from keeper.economy.classes import STALE, step_leaf
from keeper.economy.orders import Currency
from keeper.market.book import Book, Supply, book, read_in_turn
from keeper.market.participants import Accounts
from tests.programs.orders.world import HOUR, IO, OrdersWorld
from tests.programs.staking.world import APPLE_CLASS, GPU_CLASS
from tests.programs.world import finish, key


def of(world: OrdersWorld, number: int | None = None, later: int = 0) -> Book:
    accounts = Accounts(
        devices=finish(staking.read_devices(world.chain)),
        classes=finish(staking.read_classes(world.chain)),
        orders=finish(orders.read_orders(world.chain)),
        leases=finish(orders.read_leases(world.chain)),
        earned_until={},
    )
    return book(accounts, world.chain.now() + later, number)


def test_a_lease_that_is_closed_between_two_reads_leaves_its_device_free(world: OrdersWorld) -> None:
    order = world.order(key("renter"))
    world.run(order, "one")
    devices = finish(staking.read_devices(world.chain))
    classes = finish(staking.read_classes(world.chain))
    leases, found = finish(orders.read_leases(world.chain)), finish(orders.read_orders(world.chain))
    now = world.chain.now()

    def free(*accounts: Any) -> Supply:
        return book(read_in_turn(devices, classes, *accounts), now).supply[GPU_CLASS, 4, "CH"]

    assert free(leases, found) == supply(4, 4, 4, 4)
    assert free({}, found) == free(leases, {}) == supply(0, 8, 8, 8)


@pytest.fixture
def world() -> OrdersWorld:
    return OrdersWorld.with_two_devices()


def supply(hired: int, free: int, io: int, usdc: int) -> Supply:
    return Supply(hired, free, {Currency.IO: io, Currency.USDC: usdc})


def test_processors_by_class_tier_and_country(world: OrdersWorld) -> None:
    supplier = key("supplier")
    world.let("dear", supplier, ask_io=3 * IO)
    world.let("apple", supplier, device_class=APPLE_CLASS, processors=1, tier=2)
    assert dict(of(world).supply) == {
        (GPU_CLASS, 4, "CH"): supply(0, 12, 8, 12),
        (APPLE_CLASS, 2, "CH"): supply(0, 1, 1, 1),
    }
    assert list(of(world, APPLE_CLASS).supply) == [(APPLE_CLASS, 2, "CH")]


def test_a_device_with_a_lease_is_neither_free_nor_hired_until_it_runs(world: OrdersWorld) -> None:
    order = world.order(key("renter"))
    world.match(order, "one")
    assert of(world).supply[GPU_CLASS, 4, "CH"] == supply(0, 4, 4, 4)
    world.accept(order, "one")
    assert of(world).supply[GPU_CLASS, 4, "CH"] == supply(4, 4, 4, 4)
    assert of(world, later=11 * HOUR).supply[GPU_CLASS, 4, "CH"] == supply(0, 4, 4, 4), "it is over"


def test_who_is_barred_is_free_and_not_willing(world: OrdersWorld) -> None:
    order = world.order(key("renter"))
    world.run(order, "one")
    world.end(order, "one", key("supplier"))
    assert world.read_device("one").barred_until > world.chain.now()
    assert of(world).supply[GPU_CLASS, 4, "CH"] == supply(0, 8, 4, 4)


def test_orders_the_oldest_first_with_what_they_still_want(world: OrdersWorld) -> None:
    renter = key("renter")
    first = world.order(renter, 1, devices=2)
    world.chain.advance(10)
    gang = world.order(renter, 2, devices=3, min_devices=2)
    world.match(first, "one")
    now = world.chain.now()
    found = of(world).waiting
    assert [(each.order.address, each.order.open, each.minimum) for each in found] == [
        (first.address, 1, 1),
        (gang.address, 3, 2),
    ]
    assert [each.age for each in found] == [now - first.created_at, now - gang.created_at]
    assert of(world, APPLE_CLASS).waiting == ()
    assert of(world, later=20 * 60).waiting == (), "their time for matching is over"


def test_a_gang_holds_from_five_minutes_on(world: OrdersWorld) -> None:
    gang = world.order(key("renter"), 2, devices=3, min_devices=2)
    at = gang.created_at - world.chain.now()
    for age, holds in ((299, False), (300, True)):
        (found,) = of(world, later=at + age).waiting
        assert (found.age, found.holds) == (age, holds)


def test_nobody_is_willing_at_a_stale_price(world: OrdersWorld) -> None:
    hour = world.chain.now() // HOUR - 1
    world.chain.warp_to((hour + 1) * HOUR)
    root = step_leaf(hour, GPU_CLASS, 0, 0)
    for operator in world.operators[:2]:
        world.do(staking.vote_prices(operator.pubkey(), hour, root), signers=[operator])
    world.do(staking.apply_price(GPU_CLASS, hour, 0, 0, b""))
    later = (hour + 2) * HOUR + STALE - world.chain.now()
    assert of(world, later=later - 1).supply[GPU_CLASS, 4, "CH"] == supply(0, 8, 8, 8)
    assert of(world, later=later).supply[GPU_CLASS, 4, "CH"] == supply(0, 8, 0, 0)
