"""Databases to test on, of both kinds: the same tests run on each."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from keeper.db import Database
from tests.keeper.postgres import Pooler, Server, binaries, pooler

LACKING = "PostgreSQL is not installed: apt-get install postgresql"
NO_POOLER = "PgBouncer is not installed: apt-get install pgbouncer"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    programs = binaries()
    if programs is None:
        pytest.skip(LACKING)
    server = Server(programs)
    yield server
    server.remove()


async def migrated(url: str) -> None:
    database = Database(url)
    await database.upgrade()
    await database.close()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and nothing in them."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    asyncio.run(migrated(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def new_postgres(postgres: Server) -> Callable[[], str]:
    """Makes a database with all tables and nothing in them, and gives its URL."""
    postgres.execute("CREATE DATABASE empty")
    asyncio.run(migrated(postgres.url("empty")))
    numbers = count(1)

    def new() -> str:
        name = f"test{next(numbers)}"
        postgres.execute(f"CREATE DATABASE {name} TEMPLATE empty")
        return postgres.url(name)

    return new


@pytest.fixture
def new_pooled(postgres: Server, new_postgres: Callable[[], str]) -> Iterator[Callable[[], str]]:
    """The same behind a pooler that gives each transaction another session."""
    program = pooler()
    if program is None:
        pytest.skip(NO_POOLER)
    running = Pooler(program, postgres)
    yield lambda: running.url(str(make_url(new_postgres()).database))
    running.remove()


SERVERS = {"postgresql": "new_postgres", "pooled": "new_pooled"}
POOLED_TOO = pytest.mark.parametrize("new_database", ["sqlite", *SERVERS], indirect=True)
"""For tests of what must not need a session."""


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes a database of one kind and then the other, with all tables, and gives its URL."""
    if request.param in SERVERS:
        found: Callable[[], str] = request.getfixturevalue(SERVERS[request.param])
        return found
    empty: Path = request.getfixturevalue("empty_sqlite")
    numbers = count(1)

    def new() -> str:
        path = tmp_path / f"keeper{next(numbers)}.db"
        shutil.copy(empty, path)
        return f"sqlite:///{path}"

    return new


@pytest.fixture
async def database(new_database: Callable[[], str]) -> AsyncIterator[Database]:
    found = Database(new_database())
    yield found
    await found.close()
