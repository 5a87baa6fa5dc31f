"""Indexing: everything, once, in order; provisional rows come and go; other chains are refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from solders.hash import Hash

from keeper.chain import Chain, ChainError, ChainUnreachable, Program
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.rpc import RpcChain
from keeper.clients import staking, tokenomics
from keeper.db import Database, DatabaseError
from keeper.db.tables import SIGNATURES, WATERMARKS
from keeper.indexer import OvertakenError, ProgramIndexer, guard
from keeper.indexer.folds import FOLDS
from keeper.indexer.guard import other_chain, require_chain
from keeper.indexer.ledger import Ledger
from keeper.resources import idl
from tests.keeper.indexer.busy import (
    PROGRAMS,
    BusyWorld,
    NodeWorld,
    expected,
    indexed,
    prepared,
)

Busy = tuple[Chain, BusyWorld]


async def indexers(chain: Chain, database: Database, batch: int = 7) -> list[ProgramIndexer]:
    return [await prepared(ProgramIndexer(chain, database, each, batch=batch)) for each in PROGRAMS]


async def test_everything_once_and_in_order(busy: Busy, database: Database) -> None:
    chain, world = busy
    found = await indexers(chain, database)
    for acts in (0, 1, 30, 5, 0):
        world.act(acts)
        for each in found:
            await each.poll()
            assert await indexed(database, each.program) == expected(world.chain, each.program)
            mark = await each.watermark()
            assert mark.final_slot == mark.confirmed_slot == world.chain.newest_slot()
    async with database.reading() as connection:
        rows = (await connection.execute(sa.select(SIGNATURES).order_by(SIGNATURES.c.slot))).all()
    for program in PROGRAMS:
        named = await world.chain.history(program.address)
        ours = [row for row in rows if row.program == program.name]
        assert [(row.signature, row.failed) for row in ours] == [
            (str(record.signature), record.error is not None) for record in named
        ]


async def test_a_poll_tells_what_it_did(busy: Busy, database: Database) -> None:
    chain, world = busy
    world.act(6)
    (_, indexer) = await indexers(chain, database)
    first, second = await indexer.poll(), await indexer.poll()
    assert (first.events, first.dropped) == (len(expected(world.chain, staking.PROGRAM).events), 0)
    assert (second.transactions, second.events) == (0, 0)


async def test_an_event_of_a_later_version_ends_the_index_until_the_upgrade(
    busy: Busy, database: Database
) -> None:
    """Before, a keeper that was upgraded after its program lost what the new events had said."""
    chain, world = busy
    now = idl(staking.PROGRAM.name)
    older = now | {"events": [each for each in now["events"] if each["name"] != "Staked"]}
    world.act(6)
    indexer = await prepared(ProgramIndexer(chain, database, Program(older)))
    for _ in range(2):
        with pytest.raises(ChainError, match="the program was upgraded; upgrade ionet"):
            await indexer.poll()
    upgraded = await prepared(ProgramIndexer(chain, database, staking.PROGRAM))
    await upgraded.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)


async def test_a_program_that_isnt_there_yet(database: Database) -> None:
    chain = EmbeddedChain()
    (indexer, _) = await indexers(chain, database)
    assert (await indexer.poll()).transactions == 0
    assert (await indexer.watermark()).anchor is None


async def test_rows_that_the_list_tells_no_position_of(
    served: tuple[RpcChain, NodeWorld], database: Database
) -> None:
    chain, world = served
    world.node.faults.knows_positions = False
    world.act(6)
    for each in await indexers(chain, database):
        await each.poll()
        assert await indexed(database, each.program) == expected(world.chain, each.program)
    assert "getBlock" in {method for method, _ in world.node.calls}


async def test_nothing_is_read_twice(served: tuple[RpcChain, NodeWorld], database: Database) -> None:
    """A failed transaction is not read at all, a provisional one not again once it is final."""
    chain, world = served
    (indexer, _) = await indexers(chain, database)
    world.node.faults.finality_lag = 50
    world.act(12)
    await indexer.poll()
    world.node.faults.finality_lag = 0
    await indexer.poll()
    read = [parameters[0] for method, parameters in world.node.calls if method == "getTransaction"]
    named = await world.chain.history(tokenomics.PROGRAM.address)
    assert sorted(read) == sorted(str(record.signature) for record in named if record.error is None)


# -- what is not final yet --------------------------------------------------------------------------


async def test_confirmed_rows_are_provisional(served: tuple[RpcChain, NodeWorld], database: Database) -> None:
    chain, world = served
    (_, indexer) = await indexers(chain, database)
    world.node.faults.finality_lag = 10
    for _ in range(8):
        world.act(2)
        await indexer.poll()
        assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
        mark = await indexer.watermark()
        newest = world.chain.newest_slot()
        assert (mark.final_slot, mark.confirmed_slot) == (newest - 10, newest)


async def test_what_drops_out_of_the_chain_is_removed(
    served: tuple[RpcChain, NodeWorld], database: Database
) -> None:
    chain, world = served
    (_, indexer) = await indexers(chain, database)
    world.act(6)
    world.node.faults.finality_lag = 100
    world.act(6)
    await indexer.poll()
    gone = (await world.chain.history(staking.PROGRAM.address))[-1]
    world.node.faults.forked_out.add(gone.signature)
    assert (await indexer.poll()).dropped == 1
    whole = expected(world.chain, staking.PROGRAM)
    left = [each for each in whole.places if each.slot != gone.slot]
    assert (await indexed(database, staking.PROGRAM)).places == left
    world.node.faults.finality_lag = 0
    await indexer.poll()
    assert (await indexed(database, staking.PROGRAM)).places == left
    async with database.reading() as connection:
        query = sa.select(sa.func.count()).where(SIGNATURES.c.signature == str(gone.signature))
        assert await connection.scalar(query) == 0


async def test_what_drops_out_while_nobody_looks_is_removed_once_the_rest_is_final(
    served: tuple[RpcChain, NodeWorld], database: Database
) -> None:
    chain, world = served
    (_, indexer) = await indexers(chain, database)
    world.node.faults.finality_lag = 100
    world.act(6)
    await indexer.poll()
    gone = (await world.chain.history(staking.PROGRAM.address))[-1]
    world.node.faults.forked_out.add(gone.signature)
    world.node.faults.finality_lag = 0
    world.act(6)
    assert (await indexer.poll()).dropped == 1
    places = (await indexed(database, staking.PROGRAM)).places
    assert places == [e for e in expected(world.chain, staking.PROGRAM).places if e.slot != gone.slot]


async def test_a_transaction_that_lands_again_elsewhere(
    served: tuple[RpcChain, NodeWorld], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fork the same signature may be in another slot: the old row goes, the new one comes."""
    chain, world = served
    (_, indexer) = await indexers(chain, database)
    world.node.faults.finality_lag = 100
    world.act(6)
    await indexer.poll()
    moved = (await world.chain.history(staking.PROGRAM.address))[-1]
    transaction, record = world.node._landed[moved.signature]
    later = record._replace(slot=record.slot + 1)
    world.node._landed[moved.signature] = transaction, later
    kept = world.chain._kept
    kept.records[kept.records.index(moved)] = later
    world.chain.advance(10)
    done = await indexer.poll()
    assert (done.dropped, done.transactions) == (1, 1)
    assert (await indexed(database, staking.PROGRAM)).places[-1].slot == later.slot


async def test_a_chain_in_a_file_that_was_not_saved(database: Database, tmp_path: Path) -> None:
    """A process that ends loses what it executed and didn't save: the index loses it, too, and goes on."""
    world = BusyWorld.started()
    world.act(6)
    world.chain.save(tmp_path / "chain")
    world.chain = EmbeddedChain.load(tmp_path / "chain", verify_signatures=False)
    (_, indexer) = await indexers(world.chain, database)
    world.act(6)
    await indexer.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
    world.chain = EmbeddedChain.load(tmp_path / "chain", verify_signatures=False)
    world.acts = 6
    (_, indexer) = await indexers(world.chain, database)
    assert (await indexer.poll()).dropped > 0
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
    world.chain.advance(3)
    world.act(6)
    await indexer.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)


# -- who is refused -----------------------------------------------------------------------------------


async def test_another_chains_database_is_refused(database: Database) -> None:
    first, second = (EmbeddedChain(genesis=Hash(bytes([number]) * 32)) for number in (1, 2))
    await guard(database, first, "/tmp/first.chain")
    await guard(database, first, "https://me:secret@first.example:8899/?key=secret")
    with pytest.raises(DatabaseError) as refused:
        await guard(database, second, "/tmp/second.chain")
    for words in (
        f"is about the chain at https://first.example:8899 (genesis {await first.genesis_hash()})",
        f"not about the one at /tmp/second.chain (genesis {await second.genesis_hash()})",
        "name another database with IONET_DATABASE, such as sqlite:///",
        "or the right chain with --chain or IONET_CHAIN",
    ):
        assert words in str(refused.value)
    assert "secret" not in str(refused.value)
    assert await other_chain(database, first, "elsewhere") is None
    with pytest.raises(DatabaseError, match="and not about the one that is there now"):
        await guard(database, second, "https://first.example:8899")


async def test_who_only_reads_remembers_no_chain(database: Database) -> None:
    await require_chain(database, EmbeddedChain(), "/tmp/first.chain")
    await require_chain(database, EmbeddedChain(), "/tmp/second.chain")


async def test_another_deployments_index_is_refused(database: Database) -> None:
    (indexer, _) = await indexers(EmbeddedChain(), database)
    async with database.transaction() as connection:
        await connection.execute(sa.update(WATERMARKS).values(address="elsewhere"))
    with pytest.raises(DatabaseError, match="ionet db rebuild tokenomics"):
        await indexer.prepare()


async def test_a_node_that_is_behind_the_index(
    served: tuple[RpcChain, NodeWorld], database: Database
) -> None:
    chain, world = served
    (indexer, _) = await indexers(chain, database)
    await indexer.poll()
    before = await indexed(database, tokenomics.PROGRAM)
    world.node.faults.finality_lag = 3
    with pytest.raises(ChainUnreachable, match="its index at"):
        await indexer.poll()
    assert await indexed(database, tokenomics.PROGRAM) == before


async def test_a_node_without_the_history_that_it_lists(
    served: tuple[RpcChain, NodeWorld], database: Database
) -> None:
    chain, world = served
    (indexer, _) = await indexers(chain, database)
    world.node.faults.forgetful = True
    for _ in range(2):
        with pytest.raises(ChainError, match="longer history"):
            await indexer.poll()
    assert (await indexed(database, tokenomics.PROGRAM)).events == []
    world.node.faults.forgetful = False
    await indexer.poll()
    assert await indexed(database, tokenomics.PROGRAM) == expected(world.chain, tokenomics.PROGRAM)


async def test_what_a_node_kept_back_at_first_is_indexed_when_it_comes_to_light(
    served: tuple[RpcChain, NodeWorld], database: Database
) -> None:
    """In the anchor's slot or above it: lists are read down to it each time."""
    chain, world = served
    (_, indexer) = await indexers(chain, database)
    world.act(12)
    names = [record.signature for record in await world.chain.history(staking.PROGRAM.address)]
    world.node.faults.forked_out.add(names[-1])
    await indexer.poll()
    world.node.faults.forked_out.clear()
    assert (await indexer.poll()).transactions == 1
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)


async def test_two_indexers_at_a_time_do_nothing_twice(busy: Busy, database: Database) -> None:
    chain, world = busy
    world.act(24)
    # Tasks of one process take turns with a database: these are as processes of their own.
    url = database.url.render_as_string(hide_password=False)
    own = [Database(url) for _ in range(3)]
    pairs = [await indexers(chain, each, batch=3) for each in own]

    async def until_done(indexer: ProgramIndexer) -> int:
        overtaken = 0
        for _ in range(100):
            try:
                await indexer.poll()
            except OvertakenError:
                overtaken += 1
            else:
                return overtaken
        raise AssertionError("they never let each other")

    overtaken = await asyncio.gather(*(until_done(each) for pair in pairs for each in pair))
    assert sum(overtaken) > 0
    for each in own:
        await each.close()
    for program in PROGRAMS:
        assert await indexed(database, program) == expected(world.chain, program)


async def test_tasks_of_one_process_take_turns(busy: Busy, database: Database) -> None:
    """Whoever indexes, folds or looks again beside another is never overtaken."""
    chain, world = busy
    world.act(24)
    ledgers = []
    for _ in range(3):
        (_, indexer) = await indexers(chain, database, batch=3)
        ledgers.append(Ledger(chain, database, indexer, FOLDS["staking"]))
    await ledgers[0].indexer.poll()
    place = (await indexed(database, staking.PROGRAM)).places[-1]
    async with database.transaction() as connection:
        # As if a list had left it out.
        await ledgers[0].indexer.tables.delete(connection, place.slot, place.position)
        await connection.execute(sa.delete(SIGNATURES).filter_by(program="staking", slot=place.slot))
    works = [
        work for each in ledgers for work in (each.indexer.poll, each.fold, each.compare, each.look_again)
    ]
    await asyncio.gather(*(work() for work in works))
    for each in ledgers:
        assert (await each.compare()).differences == []
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
