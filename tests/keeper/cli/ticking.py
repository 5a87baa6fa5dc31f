"""What tests of ``ionet market replay`` and ``why`` share: two devices, operators who publish and match."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.cli import ticks
from keeper.cli.options import settings
from keeper.clients import orders, staking
from keeper.clients.orders import Order
from keeper.economy.classes import ClassPrices
from keeper.economy.orders import TICK, tick_ends, turn_opens
from keeper.market import files
from keeper.market.folder import MarketFolder
from keeper.market.manifest import NAME, Manifest
from keeper.market.snapshot import Snapshot
from keeper.pow.anchored import PostKind
from tests.keeper.cli.test_market import words
from tests.programs.orders.world import IO, TERMS, USDC, OrdersWorld
from tests.programs.world import key

CLUSTER = 100
"""A class that no proof of work is known for: its devices take part without."""
ON = ("--chain", "test.chain")
DIR = ("--dir", "market")


@pytest.fixture
def world() -> OrdersWorld:
    """Two free devices of such a class, ``one`` for longer than ``two``."""
    return with_devices(OrdersWorld.ready())


def with_devices(world: OrdersWorld) -> OrdersWorld:
    """A network with such a class and two devices of it."""
    admin = world.admin.pubkey()
    prices = ClassPrices(2 * IO, 1, 1_000 * IO, USDC, 1, 1_000 * USDC)
    world.do(staking.add_class(admin, CLUSTER, "Cluster", 100, 0, 0, prices), signers=[world.admin])
    number = staking.class_address(CLUSTER)
    opens_at = staking.parse_class(world.account(number).data).opens_at
    world.chain.warp_to(max(world.chain.now(), opens_at))
    world.renter("renter")
    supplier = world.supplier("supplier")
    for name in ("one", "two"):
        world.let(name, supplier, device_class=CLUSTER)
        world.chain.advance(600)
    return world


def tick_of(order: Order) -> int:
    return order.created_at // TICK + 1


def opened(world: OrdersWorld, number: int = 1, **changed: object) -> Order:
    return world.order(
        key("renter"), number, **{"terms": replace(TERMS, classes=(CLUSTER,)), "devices": 1, **changed}
    )


def state_of(world: OrdersWorld, tick: int) -> Snapshot:
    world.chain.save(Path("test.chain"))

    async def read() -> Snapshot:
        async with ticks.sources(settings("test.chain"), None) as (found, _):
            return await found.state(tick)

    return asyncio.run(read())


def publish(world: OrdersWorld, tick: int, operator: int | None = None) -> Snapshot:
    """Let a tick's leader do what it must but match: files, and their hash on chain."""
    number = tick % 3 if operator is None else operator
    who, folder = world.operators[number], MarketFolder(Path("market"))
    world.chain.warp_to(max(world.chain.now(), turn_opens(tick, number, 3)))
    state = state_of(world, tick)
    folder.write(tick, files.write(state, who.pubkey(), folder.base(tick)))
    post(world, tick, number)
    return state


def post(world: OrdersWorld, tick: int, operator: int, slot: int | None = None) -> None:
    who = world.operators[operator]
    manifest = Manifest.decode(MarketFolder(Path("market")).files(tick)[NAME])
    at = manifest.slot if slot is None else slot
    world.do(staking.post(who.pubkey(), tick, PostKind.BATCH, at, manifest.hash), signers=[who])


def matched(world: OrdersWorld, order: Order, name: str, tick: int, operator: int | None = None) -> None:
    who = world.operators[tick % 3 if operator is None else operator]
    device = world.read_device(name)
    world.do(orders.match_device(who.pubkey(), order, device, tick), signers=[who])


def over(world: OrdersWorld, tick: int) -> None:
    """The tick can't be matched any more, and that is final and saved."""
    world.chain.warp_to(max(world.chain.now(), tick_ends(tick) + 60))
    world.chain.save(Path("test.chain"))


def replay(ionet, tick: int, *more: object) -> tuple[int, str]:
    code, out, err = ionet("market", "replay", "--tick", tick, *more)
    return code, words(out + err)


def told(world: OrdersWorld, number: int) -> str:
    return str(world.operators[number].pubkey())


def device_of(name: str) -> str:
    return str(staking.device_address(key(name).pubkey()))
