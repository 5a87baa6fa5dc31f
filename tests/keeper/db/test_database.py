"""Databases as such: their URLs, migrations, transactions."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from keeper.db import Database, DatabaseError, Leader
from keeper.db.tables import CHAIN, INTENTS, METADATA, SIGNATURES
from tests.keeper.conftest import NO_POOLER
from tests.keeper.postgres import Pooler, Server, pooler


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgres ql://keeper:secret@host/x", "^not a database's URL: write"),
        ("mysql://localhost/x", "use sqlite or postgresql"),
        ("sqlite://", "needs a file"),
    ],
)
def test_urls_that_are_refused(url: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message):
        Database(url)


async def test_the_migrations_make_the_tables_as_they_are_described(database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        found: list[object] = compare_metadata(MigrationContext.configure(connection), METADATA)
        return found

    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_upgrading_twice_changes_nothing(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(sa.insert(CHAIN).values(id=1, genesis_hash="x"))
    await asyncio.gather(database.upgrade(), Database(str_of(database)).upgrade())
    async with database.reading() as connection:
        assert (await connection.execute(sa.select(CHAIN.c.genesis_hash))).scalar() == "x"


def str_of(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


async def test_an_older_file_keeps_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, upgrade = Database(f"sqlite:///{tmp_path}/keeper.db"), command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, head: upgrade(config, "0002"))
        await database.upgrade()
    row = {"program": "staking", "slot": 7, "position": 1, "signature": "x", "time": None, "failed": True}
    intent = {"key": "a", "job": "j", "payer": "p", "instructions": [], "state": "elsewhere", "epoch": 1}
    intent |= {"tries": 0, "not_before": 0, "created_at": 0, "updated_at": 0}
    async with database.transaction() as connection:
        await connection.execute(sa.insert(SIGNATURES).values(row))
        await connection.execute(sa.insert(INTENTS).values(intent))
        await connection.execute(sa.text("INSERT INTO leadership VALUES (1, 7, 'old', 0)"))
    assert await database.versions() == ("0002", "0010")
    await database.upgrade()
    async with database.reading() as connection:
        assert (await connection.execute(sa.select(SIGNATURES))).mappings().all() == [{**row, "fee": None}]
        assert (await connection.execute(sa.select(INTENTS.c.state))).scalar() == "superseded"
    leader = Leader(database, "new")
    assert await leader.lead(), "who led by the lock of an earlier version has no lease"
    assert leader.epoch == 8
    await database.close()


async def test_a_schema_of_a_later_version_is_refused(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="9999"):
        await database.upgrade()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "keeper.db").write_bytes(b"something else" * 1_000)
    with pytest.raises(DatabaseError, match="not a database"):
        await Database(f"sqlite:///{tmp_path}/keeper.db").upgrade()


async def test_a_server_that_nobody_runs(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="No such file or directory"):
        await Database(f"postgresql://postgres@/x?host={tmp_path}").upgrade()


async def test_a_pooler_without_transactions_is_refused(postgres: Server) -> None:
    program = pooler()
    if program is None:
        pytest.skip(NO_POOLER)
    running = Pooler(program, postgres, mode="statement")
    try:
        with pytest.raises(DatabaseError, match="transaction blocks not allowed in statement pooling mode"):
            await Database(running.url("postgres")).upgrade()
    finally:
        running.remove()


async def test_a_folder_that_lacks_is_made(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a/b/keeper.db")
    await database.upgrade()
    assert database.file is not None
    assert database.file.is_file()


async def test_all_of_a_transaction_or_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute(sa.insert(CHAIN).values(id=1, genesis_hash="x"))
            raise ZeroDivisionError
    async with database.reading() as connection:
        assert (await connection.execute(sa.select(sa.func.count()).select_from(CHAIN))).scalar() == 0


async def test_writers_take_turns(new_database: Callable[[], str]) -> None:
    """Several connections that read and then write what they read plus one lose no count."""
    url = new_database()
    databases = [Database(url) for _ in range(4)]
    async with databases[0].transaction() as connection:
        await connection.execute(sa.insert(CHAIN).values(id=0, genesis_hash=""))

    async def count(database: Database) -> None:
        for _ in range(5):
            async with database.transaction() as connection:
                query = sa.select(CHAIN.c.genesis_hash).with_for_update()
                before = (await connection.execute(query)).scalar_one()
                await connection.execute(sa.update(CHAIN).values(genesis_hash=before + "+"))

    await asyncio.gather(*map(count, databases))
    async with databases[0].reading() as connection:
        assert (await connection.execute(sa.select(CHAIN.c.genesis_hash))).scalar() == "+" * 20
    for database in databases:
        await database.close()


async def test_a_reader_sees_one_state(new_database: Callable[[], str]) -> None:
    url = new_database()
    reader, writer = Database(url), Database(url)
    count = sa.select(sa.func.count()).select_from(CHAIN)
    async with reader.reading() as connection:
        assert (await connection.execute(count)).scalar() == 0
        async with writer.transaction() as other:
            await other.execute(sa.insert(CHAIN).values(id=1, genesis_hash="x"))
        assert (await connection.execute(count)).scalar() == 0
    async with reader.reading() as connection:
        assert (await connection.execute(count)).scalar() == 1
    await reader.close()
    await writer.close()


async def test_how_sqlite_is_set_up(empty_sqlite: Path, tmp_path: Path) -> None:
    shutil.copy(empty_sqlite, tmp_path / "x.db")
    database = Database(f"sqlite:///{tmp_path}/x.db")
    async with database.reading() as connection:
        settings = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "cache_size": -64 * 1024}
        for pragma, value in settings.items():
            assert (await connection.execute(sa.text(f"PRAGMA {pragma}"))).scalar() == value
    await database.close()
    assert sqlite3.connect(tmp_path / "x.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)
