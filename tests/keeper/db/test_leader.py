"""One keeper acts at a time: locks, epochs, and leaders that don't know yet that they are none."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import pytest
import sqlalchemy as sa

from keeper.db import Database, Leader, NotLeader
from keeper.db.tables import CHAIN, LEADERSHIP


@pytest.fixture
async def pair(new_database: Callable[[], str]) -> AsyncIterator[tuple[Leader, Leader]]:
    """Two keepers on one database, as in two processes."""
    url = new_database()
    databases = Database(url), Database(url)
    leaders = Leader(databases[0], "one"), Leader(databases[1], "two")
    yield leaders
    for leader, database in zip(leaders, databases, strict=True):
        await leader.resign()
        await database.close()


async def write(leader: Leader, genesis: str) -> None:
    async with leader._database.transaction() as connection:
        await leader.fence(connection)
        await connection.execute(sa.delete(CHAIN))
        await connection.execute(sa.insert(CHAIN).values(id=1, genesis_hash=genesis))


async def written(leader: Leader) -> str | None:
    async with leader._database.reading() as connection:
        found: str | None = await connection.scalar(sa.select(CHAIN.c.genesis_hash))
        return found


async def lose_the_lock(leader: Leader) -> None:
    """Take the lock away without the holder's knowing."""
    database = leader._database
    if database.file:
        # Another file in its place: the lock on the old one keeps nobody out any more.
        database.file.with_name(database.file.name + ".leader").unlink()
        return
    async with database.transaction() as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        await connection.execute(sa.text(query))


async def test_one_leads_until_it_resigns(pair: tuple[Leader, Leader]) -> None:
    one, two = pair
    assert await one.lead()
    assert await one.lead()
    assert not await two.lead()
    assert (one.epoch, two.epoch) == (1, None)
    await one.resign()
    assert await two.lead()
    assert not await one.lead()
    assert (one.epoch, two.epoch) == (None, 2)


async def test_only_the_leader_writes(pair: tuple[Leader, Leader]) -> None:
    one, two = pair
    with pytest.raises(NotLeader):
        await write(one, "before anybody leads")
    await one.lead()
    await two.lead()
    await write(one, "one")
    with pytest.raises(NotLeader, match="two no longer acts"):
        await write(two, "two")
    assert await written(one) == "one"


async def test_a_leader_that_lost_its_lock_is_fenced(pair: tuple[Leader, Leader]) -> None:
    """Both think that they lead; the older epoch writes nothing, not even what it had begun."""
    one, two = pair
    await one.lead()
    await write(one, "one")
    await lose_the_lock(one)
    await asyncio.wait_for(until_it_leads(two), 10)
    assert (one.epoch, two.epoch) == (1, 2)
    with pytest.raises(NotLeader):
        await write(one, "one again")
    await write(two, "two")
    assert await written(two) == "two"


async def test_taking_over_waits_for_a_write_under_way(pair: tuple[Leader, Leader]) -> None:
    one, two = pair
    await one.lead()
    async with one._database.transaction() as connection:
        await one.fence(connection)
        await lose_the_lock_of_one_in_its_own_write(one, connection)
        taking = asyncio.create_task(until_it_leads(two))
        await asyncio.sleep(0.2)
        assert not taking.done()
        await connection.execute(sa.insert(CHAIN).values(id=1, genesis_hash="one"))
    await asyncio.wait_for(taking, 10)
    assert await written(two) == "one"
    with pytest.raises(NotLeader):
        await write(one, "late")


async def lose_the_lock_of_one_in_its_own_write(one: Leader, connection: object) -> None:
    if one._database.is_sqlite:
        await lose_the_lock(one)
        return
    assert one._connection is not None
    await one._connection.close()


async def until_it_leads(leader: Leader) -> None:
    while not await leader.lead():
        await asyncio.sleep(0.02)


async def test_who_lost_the_lock_gets_a_new_epoch(pair: tuple[Leader, Leader]) -> None:
    one, _ = pair
    await one.lead()
    await one._let_go()
    assert await one.lead()
    async with one._database.reading() as connection:
        row = (await connection.execute(sa.select(LEADERSHIP))).one()
    assert row.holder == "one"
    assert row.epoch == one.epoch


LEADING = """
import asyncio, sys
from keeper.db import Database, Leader
async def main():
    leader = Leader(Database(sys.argv[1]), "child")
    print(await leader.lead(), flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_a_killed_leader_is_succeeded(new_database: Callable[[], str]) -> None:
    url = new_database()
    child = subprocess.Popen([sys.executable, "-c", LEADING, url], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "True\n"
    database = Database(url)
    leader = Leader(database, "parent")
    assert not await leader.lead()
    child.kill()
    child.wait()
    child.stdout.close()
    await asyncio.wait_for(until_it_leads(leader), 10)
    assert leader.epoch == 2
    await leader.resign()
    await database.close()
