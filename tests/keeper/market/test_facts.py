"""The accounts of a tick from events: those that were on the chain at its slot, whichever is asked for."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from keeper.chain import Commitment
from keeper.chain.program import Fields
from keeper.clients import orders, staking
from keeper.db import Database
from keeper.economy.calendar import HOUR
from keeper.indexer import ProgramIndexer
from keeper.indexer.book import Book, FoldError
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from keeper.market.facts import Facts
from keeper.market.participants import Accounts
from tests.keeper.runtime.conftest import database
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import finish, key

__all__ = ["database"]


async def facts_of(world: OrdersWorld, database: Database) -> Facts:
    ledgers = []
    for program in (staking.PROGRAM, orders.PROGRAM):
        indexer = ProgramIndexer(world.chain, database, program)
        ledgers.append(Ledger(world.chain, database, indexer, FOLDS[program.name]))
        await ledgers[-1].indexer.prepare()
    return Facts(*ledgers)


def on_chain(world: OrdersWorld, earned_until: dict[str, int]) -> Accounts:
    return Accounts(
        devices=finish(staking.read_devices(world.chain)),
        classes=finish(staking.read_classes(world.chain)),
        orders=finish(orders.read_orders(world.chain)),
        leases=finish(orders.read_leases(world.chain)),
        earned_until={staking.device_address(key(name).pubkey()): at for name, at in earned_until.items()},
    )


def slot_of(world: OrdersWorld) -> int:
    return finish(world.chain.slot(Commitment.FINALIZED))


def story(world: OrdersWorld) -> dict[int, Accounts]:
    """What was on the chain at some slots: devices, an order, leases that run, end and are gone."""
    renter, supplier, seen = key("renter"), key("supplier"), {}
    earned: dict[str, int] = {}

    def look() -> None:
        seen[slot_of(world)] = on_chain(world, earned)
        world.chain.advance(1)

    look()
    order = world.order(renter)
    look()
    running, short = world.run(order, "one"), world.run(order, "two")
    look()
    world.chain.warp_to(running.start + 2 * HOUR)
    world.end(order, "one", renter)
    earned["one"] = world.lease(order, "one").stop
    assert earned["one"] == running.start + 2 * HOUR
    look()
    world.end(order, "two", supplier)
    earned["two"] = world.lease(order, "two").stop
    assert earned["two"] > short.start + HOUR
    look()
    again = world.order(renter, 2)
    world.run(again, "one")
    world.end(again, "one", supplier)
    # It broke off before an hour: that is no service.
    assert world.lease(again, "one").stop == world.lease(again, "one").start
    look()
    return seen


async def test_the_accounts_are_those_of_the_slot(database: Database) -> None:
    world = OrdersWorld.with_two_devices()
    facts, seen = await facts_of(world, database), story(world)
    forward = list(seen)
    for slot in [*forward, *forward[::-1], forward[3], forward[-1]]:
        found = await facts.at(slot)
        assert found == seen[slot], slot


async def test_a_slot_between_two_transactions_is_the_earlier_ones(database: Database) -> None:
    world = OrdersWorld.with_two_devices()
    facts, before = await facts_of(world, database), on_chain(world, {})
    slot = slot_of(world)
    world.chain.advance(HOUR)
    world.order(key("renter"))
    assert await facts.at(slot) == before
    assert await facts.at(slot_of(world)) == on_chain(world, {})


async def test_a_failure_on_the_way_leaves_nothing_half_done(database: Database) -> None:
    world = OrdersWorld.with_two_devices()
    facts, seen = await facts_of(world, database), story(world)
    middle, last = list(seen)[2], list(seen)[-1]
    assert await facts.at(middle) == seen[middle]
    broken = {**facts._orders._folds, "BookProduct": fails}
    with patch.object(facts._orders, "_folds", broken), pytest.raises(FoldError, match="orders, slot"):
        await facts.at(last)
    assert await facts.at(middle) == seen[middle]
    assert await facts.at(last) == seen[last]


def fails(book: Book, event: Fields, at: int) -> None:
    raise LookupError("as if an earlier event were missing")
