"""Statements on SQLite from asyncio: one trip to the connection's thread each, whatever becomes of them."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosqlite.core
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from keeper.db import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/trips.db")
    async with opened.transaction() as connection:
        await connection.exec_driver_sql("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    yield opened
    await opened.close()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is asked of connections' threads."""
    made: list[object] = []
    whole = aiosqlite.core.Connection._execute

    async def counted(self: Any, function: Any, *arguments: Any, **options: Any) -> Any:
        made.append(function)
        return await whole(self, function, *arguments, **options)

    monkeypatch.setattr(aiosqlite.core.Connection, "_execute", counted)
    return made


INSERT = sa.text("INSERT INTO item (name) VALUES (:name)")
NAMES = sa.text("SELECT id, name FROM item ORDER BY id")


async def test_a_statement_is_one_trip(database: Database, trips: list[object]) -> None:
    async with database.transaction() as connection:
        first = await connection.execute(INSERT, {"name": "a"})
        assert (first.rowcount, first.lastrowid) == (1, 1)
        many = await connection.execute(INSERT, [{"name": name} for name in "bcd"])
        assert many.rowcount == 3
    assert len(trips) == 4  # BEGIN, two statements, COMMIT; the pool's ROLLBACK has nothing to do.
    trips.clear()
    async with database.reading() as connection:
        found = await connection.execute(NAMES)
        assert list(found.keys()) == ["id", "name"]
        assert [tuple(each) for each in found] == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
        changed = sa.text("SELECT name FROM item WHERE id > 2 ORDER BY id")
        assert (await connection.scalars(changed)).first() == "c"
    assert len(trips) == 4


async def test_what_a_statement_returns_of_rows_that_it_changes(database: Database) -> None:
    async with database.transaction() as connection:
        found = await connection.execute(sa.text("INSERT INTO item (name) VALUES ('x') RETURNING id, name"))
        assert [tuple(each) for each in found] == [(1, "x")]
        gone = await connection.execute(sa.text("DELETE FROM item"))
        assert gone.rowcount == 1


async def test_a_refused_statement_says_why_and_is_undone(database: Database) -> None:
    with pytest.raises(IntegrityError, match="UNIQUE"):
        async with database.engine.connect() as connection, connection.begin():
            await connection.execute(INSERT, {"name": "a"})
            await connection.execute(INSERT, {"name": "a"})
    with pytest.raises(OperationalError, match="no such table"):
        async with database.engine.connect() as connection:
            await connection.execute(sa.text("SELECT 1 FROM lacking"))
    async with database.reading() as connection:
        assert (await connection.execute(NAMES)).all() == []


async def test_rows_can_come_in_parts(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(INSERT, [{"name": str(number)} for number in range(100)])
    async with database.reading() as connection, connection.stream(NAMES) as rows:
        assert [row.name async for row in rows] == [str(number) for number in range(100)]


async def test_whoever_is_cancelled_leaves_no_transaction_behind(
    database: Database, trips: list[object]
) -> None:
    """The thread goes on with what it was asked for: the connection that is given back isn't in one."""
    may_go_on, begun = threading.Event(), threading.Event()
    async with database.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection

        def wait() -> None:
            begun.set()
            may_go_on.wait()

        await driver.create_function("wait", 0, wait)
    busy = asyncio.create_task(driver.execute_fetchall("SELECT wait()"))
    await asyncio.to_thread(begun.wait)
    trips.clear()

    async def writes() -> None:
        async with database.transaction() as connection:
            await connection.execute(INSERT, {"name": "too late"})

    writing = asyncio.create_task(writes())
    while not trips:  # Its BEGIN is on the way, behind what keeps the thread busy.
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.sleep(0)
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await busy
    beside = sqlite3.connect(database.file or "", timeout=0)
    beside.execute("INSERT INTO item (name) VALUES ('another process')")
    beside.commit()
    beside.close()
    async with database.reading() as connection:
        assert [row.name for row in await connection.execute(NAMES)] == ["another process"]
