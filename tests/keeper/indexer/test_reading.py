"""Transactions that a node can't be made to tell: what was read of the others stays read, and is indexed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from solders.signature import Signature

from keeper.chain import ChainError, TransactionRecord
from keeper.chain.errors import NodeRefused
from keeper.chain.rpc import RpcChain
from keeper.clients import staking
from keeper.db import Database
from keeper.indexer import ProgramIndexer, program
from tests.keeper.indexer.busy import PROGRAMS, NodeWorld, expected, indexed, prepared, stakes

Served = tuple[RpcChain, NodeWorld]


class FailsEvery:
    """Fails every so many questions for a transaction; some transactions always."""

    def __init__(self, chain: RpcChain, every: int, always: frozenset[Signature] = frozenset()) -> None:
        self.asked = self.failed = 0
        self.chain, self.answer = chain, chain.records
        self._every, self._always = every, always
        chain.records = self  # type: ignore[method-assign, assignment]

    async def __call__(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        self.asked += len(signatures)
        fails = self.asked % self._every < len(signatures) or self._always.intersection(signatures)
        self.failed += len(signatures) if fails else 0
        # A failure takes a node as long as an answer does: others are under way meanwhile.
        found = await self.answer(signatures)
        if fails:
            raise NodeRefused("no luck")
        return found


async def test_a_node_that_fails_now_and_then_costs_little_more(served: Served, database: Database) -> None:
    """Every 50th question fails: one poll does all, with as many questions more."""
    chain, world = served
    (indexer, _) = [await prepared(ProgramIndexer(chain, database, each)) for each in PROGRAMS[::-1]]
    world.act(480)
    fails = FailsEvery(chain, 50)
    await indexer.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
    needed = fails.asked - fails.failed
    assert fails.failed >= 5
    assert fails.asked <= 1.05 * needed


async def test_one_that_can_never_be_read_holds_up_only_what_comes_after(
    served: Served, database: Database
) -> None:
    """The slots before it are indexed, what was read after it is not read again."""
    chain, world = served
    (indexer, _) = [await prepared(ProgramIndexer(chain, database, each)) for each in PROGRAMS[::-1]]
    world.act(480)
    bad = (await stakes(world))[4]
    fails = FailsEvery(chain, 10**9, frozenset([bad.signature]))
    for _ in range(3):
        with pytest.raises(NodeRefused, match="no luck"):
            await indexer.poll()
        whole = expected(world.chain, staking.PROGRAM).places
        there = (await indexed(database, staking.PROGRAM)).places
        assert there == [each for each in whole if each.slot < bad.slot] != []
    assert fails.failed == 6, "a poll asks for it twice, and then gives up"
    fails._always = frozenset()
    await indexer.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
    succeeded = [each for each in await world.chain.history(staking.PROGRAM.address) if each.error is None]
    assert fails.asked - fails.failed == len(succeeded), "each was read once"


async def test_a_transaction_of_another_slot_is_not_the_one_that_was_listed(
    served: Served, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, world = served
    indexer = await prepared(ProgramIndexer(chain, database, staking.PROGRAM))
    world.act(6)
    moved, records = (await stakes(world))[0], chain.records

    async def elsewhere(signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        found = await records(signatures)
        return [
            each._replace(slot=each.slot + 1) if each and each.signature == moved.signature else each
            for each in found
        ]

    monkeypatch.setattr(chain, "records", elsewhere)
    with pytest.raises(ChainError, match=f"lists {moved.signature} in slot {moved.slot} and hasn't got it"):
        await indexer.poll()
    monkeypatch.undo()
    await indexer.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)


async def test_blocks_that_are_asked_for_are_not_asked_for_again(
    served: Served, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where lists have no positions each slot's block is asked for: a failure costs those of one step."""
    chain, world = served
    monkeypatch.setattr(program, "BLOCKS", 10)
    world.node.faults.knows_positions = False
    indexer = await prepared(ProgramIndexer(chain, database, staking.PROGRAM))
    world.act(60)
    asked, block = [0], chain.block

    async def fails(slot: int) -> list[Signature]:
        asked[0] += 1
        if asked[0] % 30 == 0:
            raise NodeRefused("no luck")
        return await block(slot)

    monkeypatch.setattr(chain, "block", fails)
    slots = len({each.slot for each in await world.chain.history(staking.PROGRAM.address)})
    failed = 0
    for _ in range(20):
        try:
            await indexer.poll()
        except NodeRefused:
            failed += 1
    assert failed > 0
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
    assert asked[0] <= slots + 10 * failed


async def test_a_node_that_is_down_is_asked_once(served: Served, database: Database) -> None:
    chain, world = served
    (indexer, _) = [await prepared(ProgramIndexer(chain, database, each)) for each in PROGRAMS[::-1]]
    world.act(60)
    fails = FailsEvery(chain, 1)
    with pytest.raises(NodeRefused):
        await indexer.poll()
    assert 0 < fails.asked <= 16
