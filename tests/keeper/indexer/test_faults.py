"""Indexing through everything that goes wrong: kills, a lying proxy, a full disk, a server that restarts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from keeper.chain import ChainError
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.rpc import RpcChain
from keeper.clients import staking
from keeper.db import Database, DatabaseUnusable
from keeper.db.events import EventTables
from keeper.db.tables import ACCOUNTS, BACKLOG, SIGNATURES, WATERMARKS
from keeper.db.views import DAY_TOTAL, MENTION, TX, Views
from keeper.indexer import ProgramIndexer
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from tests.keeper.chain.mischief import Mischief
from tests.keeper.forks import forks
from tests.keeper.indexer import crash_child
from tests.keeper.indexer.busy import PROGRAMS, BusyWorld, NodeWorld, expected, indexed, prepared
from tests.keeper.postgres import Server

KILLS = int(os.environ.get("IONET_TEST_KILLS", "24"))
"""How often an indexing process is killed on each database; more of them by this variable."""
HANGS = 600
"""Seconds after which a process hangs, on whatever machine."""


async def content(url: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables that an indexer writes, but for what counts its own writes."""
    database = Database(url)
    tables = [BACKLOG, SIGNATURES, ACCOUNTS, WATERMARKS]
    tables += [MENTION, TX, DAY_TOTAL]
    for program in PROGRAMS:
        tables += [each.table for each in EventTables(program).by_event.values()]
        tables += [each.table for each in Views(program).by_kind.values()]
    async with database.reading() as connection:
        found = {}
        for table in tables:
            query = sa.select(table).order_by(*table.primary_key.columns)
            rows = [dict(row) for row in (await connection.execute(query)).mappings()]
            found[table.name] = [
                {name: value for name, value in row.items() if name not in ("version", "updated_at")}
                for row in rows
            ]
    await database.close()
    return found


async def test_killed_at_random_points(new_database: Callable[[], str], tmp_path: Path) -> None:
    """Before and after statements and commits, in real processes: in the end it is as if nothing had been."""
    world = BusyWorld.started()
    world.act(24)
    path = tmp_path / "chain"
    world.chain.save(path)
    undisturbed, disturbed = new_database(), new_database()
    chain = EmbeddedChain.load(path)
    chain.__class__ = crash_child.SmallPages
    steps = await crash_child.index(chain, undisturbed, 0)
    random = Random(7)
    kills = 0
    while kills < KILLS:
        # Most get a little further; some are killed as soon as they start.
        kill_at = random.randint(1, max(40, 2 * steps // KILLS))
        child = forks().Process(target=crash_child.main, args=(str(path), disturbed, kill_at))
        child.start()
        child.join(HANGS)
        assert child.exitcode in (0, -9), child.exitcode
        kills += child.exitcode == -9
        if child.exitcode == 0:
            # It was done: from nothing again, as there are kills left.
            assert await content(disturbed) == await content(undisturbed)
            disturbed = new_database()
    last = forks().Process(target=crash_child.main, args=(str(path), disturbed, 0))
    last.start()
    last.join(HANGS)
    assert last.exitcode == 0
    made = await content(disturbed)
    assert made == await content(undisturbed)
    assert len(made["staking_staked"]) == 12
    assert all(made[name] for name in ("view_device", "mention", "tx", "day_total"))


@pytest.mark.parametrize("seed", range(2))
async def test_behind_a_lying_proxy(
    served: tuple[RpcChain, NodeWorld], database: Database, seed: int
) -> None:
    """Questions and answers get lost, late, old, twice, short, in any order: nothing is missed or doubled."""
    chain, world = served
    mischief = world.node.mischief = Mischief(seed)
    found = [await prepared(ProgramIndexer(chain, database, each, batch=5)) for each in PROGRAMS]
    failures = 0

    async def poll(indexer: ProgramIndexer) -> None:
        nonlocal failures
        for _ in range(200):
            try:
                await indexer.poll()
            except ChainError:
                failures += 1
            else:
                return
        raise AssertionError("it never got through")

    world.node.faults.finality_lag = 3
    for _ in range(8):
        world.act(4)
        for each in found:
            await poll(each)
    world.node.faults.finality_lag = 0
    for each in found:
        await poll(each)
        world.node.mischief = None
        await each.poll()
        world.node.mischief = mischief
        assert await indexed(database, each.program) == expected(world.chain, each.program)
    world.node.mischief = None
    for each in found:
        ledger = Ledger(chain, database, each, FOLDS[each.program.name])
        assert (await ledger.compare()).differences == []
    assert failures > 0
    assert mischief.knobs.on <= set(mischief.done)


async def test_a_full_disk(empty_sqlite: Path, tmp_path: Path) -> None:
    """SQLite can't grow: nothing is half written, and with room it goes on."""
    path = tmp_path / "keeper.db"
    shutil.copy(empty_sqlite, path)
    database = Database(f"sqlite:///{path}")
    world = BusyWorld.started()
    world.act(12)
    indexer = await prepared(ProgramIndexer(world.chain, database, staking.PROGRAM, batch=5))
    limit = [0]

    def full(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {limit[0] or 2**30}")
        cursor.close()

    sa.event.listen(database.engine.sync_engine, "connect", full)
    await database.engine.dispose()
    async with database.reading() as connection:
        limit[0] = int(await connection.scalar(sa.text("PRAGMA page_count")) or 0) + 2
    await database.engine.dispose()
    world.act(60)
    for _ in range(2):
        with pytest.raises(DatabaseUnusable, match="full"):
            for _ in range(100):
                await indexer.poll()
                world.act(6)
        there = await indexed(database, staking.PROGRAM)
        mark = await indexer.watermark()
        whole = expected(world.chain, staking.PROGRAM)
        assert there.places == [each for each in whole.places if each.slot <= mark.confirmed_slot]
    limit[0] = 0
    await database.engine.dispose()
    await indexer.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
    await database.close()


async def test_a_database_server_that_restarts(postgres: Server, new_postgres: Callable[[], str]) -> None:
    """A poll that it cuts off is lost as a whole; the next one does its work on new connections."""
    database = Database(new_postgres())
    world = BusyWorld.started()
    world.act(12)
    indexer = await prepared(ProgramIndexer(world.chain, database, staking.PROGRAM, batch=5))
    await indexer.poll()
    postgres.stop()
    world.act(12)
    with pytest.raises(DatabaseUnusable):
        await indexer.poll()
    postgres.start()
    await indexer.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
    await database.close()
