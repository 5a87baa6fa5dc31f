"""The accounts of a tick from events: those that were on the chain at its slot, whichever is asked for."""

from __future__ import annotations

from typing import Any, cast
from unittest.mock import patch

import pytest
from solders.signature import Signature

from keeper.chain import ChainReader, Commitment, Listed
from keeper.chain.program import Fields
from keeper.clients import orders, staking
from keeper.db import Database
from keeper.economy.calendar import HOUR
from keeper.indexer import ProgramIndexer
from keeper.indexer.book import Book, FoldError
from keeper.indexer.folds import FOLDS
from keeper.indexer.kept import Kept
from keeper.indexer.ledger import Ledger
from keeper.market import facts as facts_module
from keeper.market.facts import Facts
from keeper.market.participants import Accounts
from keeper.market.records import NEW
from tests.keeper.runtime.conftest import database
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import finish, key

__all__ = ["database"]


async def ledgers_of(chain: ChainReader, database: Database) -> list[Ledger]:
    ledgers = []
    for program in (staking.PROGRAM, orders.PROGRAM):
        indexer = ProgramIndexer(chain, database, program)
        ledgers.append(Ledger(chain, database, indexer, FOLDS[program.name]))
        await ledgers[-1].indexer.prepare()
    return ledgers


async def facts_of(world: OrdersWorld, database: Database) -> Facts:
    return Facts(await ledgers_of(world.chain, database))


class LeavesOut:
    """A node that leaves a transaction out of its lists."""

    def __init__(self, chain: Any) -> None:
        self.chain = chain
        self.gone: Signature | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.chain, name)

    async def signatures(self, *args: Any, **options: Any) -> list[Listed]:
        return [each for each in await self.chain.signatures(*args, **options) if each.signature != self.gone]


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


def last_with(world: OrdersWorld, name: str) -> Signature:
    """The last transaction with an event of this name."""
    return next(
        each.signature
        for each in reversed(world.chain.transactions())
        if each.error is None
        and name in {event.name for of in (staking, orders) for event in of.PROGRAM.events(each)}
    )


@pytest.mark.parametrize("late", ["BookProduct", "Staked"])
async def test_what_comes_to_light_late_is_in_the_state_of_its_slot(database: Database, late: str) -> None:
    """A node lags: whoever folded without it has the same states afterwards as who had it at once."""
    world = OrdersWorld.with_two_devices()
    node = LeavesOut(world.chain)
    ledgers = await ledgers_of(cast("ChainReader", node), database)
    last = Facts(ledgers)
    facts = Facts(ledgers, behind=last)
    world.order(key("renter"))
    world.let("three", key("supplier"))
    slot, expected = slot_of(world), on_chain(world, {})
    node.gone = last_with(world, late)
    world.chain.advance(1)
    # A node's list that is cut short is noticed: it goes on after what it left out.
    world.order(key("renter"), 2)
    world.let("four", key("supplier"))
    for each in (last, facts):
        assert await each.at(slot) != expected
    node.gone = None
    assert sum([await each.look_again() for each in ledgers]) > 0
    for each in (facts, last):
        assert await each.at(slot) == expected


async def test_what_comes_to_light_while_states_are_made_is_in_them(database: Database) -> None:
    """Between the first look at the index and the last."""
    world = OrdersWorld.with_two_devices()
    node = LeavesOut(world.chain)
    ledgers = await ledgers_of(cast("ChainReader", node), database)
    facts = Facts(ledgers)
    world.order(key("renter"))
    slot, expected = slot_of(world), on_chain(world, {})
    node.gone = last_with(world, "BookProduct")
    world.chain.advance(1)
    world.order(key("renter"), 2)
    advance = Kept.advance

    async def heals(kept: Kept, *args: Any) -> int:
        found = await advance(kept, *args)
        if node.gone and kept.program is orders.PROGRAM:
            node.gone = None
            assert await ledgers[1].look_again() == 1
        return found

    with patch.object(Kept, "advance", heals):
        assert await facts.at(slot) == expected


async def test_who_begins_behind_another_has_the_same_states_and_folds_nothing_twice(
    database: Database,
) -> None:
    world = OrdersWorld.with_two_devices()
    seen = story(world)
    first, *_, middle, last = seen
    ledgers = await ledgers_of(world.chain, database)
    alone, behind = Facts(ledgers), Facts(ledgers)
    ahead = Facts(ledgers, behind=behind)
    now = world.chain.now()
    expected = await alone.at(last), alone.weights(now)
    folded: list[tuple[str, int, int]] = []
    advance = Kept.advance

    async def counts(kept: Kept, book: Book, above: int, end: int) -> int:
        folded.append((kept.program.name, above, end))
        return await advance(kept, book, above, end)

    with patch.object(Kept, "advance", counts), patch.object(facts_module, "BEHIND", last - middle):
        assert (await ahead.at(last), ahead.weights(now)) == expected
        assert NEW not in expected[1].values(), "or nothing of records would be compared"
        assert await behind.at(middle) == seen[middle]
    ranges = [(-1, middle), (middle, last)]
    assert folded == [(name, *ranges[0]) for name in ("staking", "orders")] + [
        (name, *ranges[1]) for name in ("staking", "orders")
    ]
    # Both go their own ways.
    assert await ahead.at(last) == seen[last]
    assert await behind.at(middle) == seen[middle]
    assert await behind.at(first) == seen[first]
    assert await ahead.at(last) == seen[last]


def fails(book: Book, event: Fields, at: int) -> None:
    raise LookupError("as if an earlier event were missing")
