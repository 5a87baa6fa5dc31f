"""One database, whichever it is: how it is opened, how transactions are made on it, how it is migrated."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from keeper.db import trips
from keeper.errors import UserError, why

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30
"""How long a writer waits for another one on SQLite, usually."""
IDLE_SECONDS = 10
"""A transaction that writes and whose process says nothing for so long is ended by PostgreSQL.

A process that is frozen, or whose machine is gone, would keep its rows locked for ever. Below the lease
(:mod:`keeper.db.leader`), so that nobody who takes over waits for it. SQLite has nothing like it.
"""
CONNECTING = {
    # Names of prepared statements belong to a session, and behind a pooler the next transaction has another.
    "prepare_threshold": None,
    "connect_timeout": 10,
    # A server that vanished is noticed in seconds; over TCP only.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""How connections to PostgreSQL are made, unless the URL says otherwise.

Nothing here or elsewhere needs a session: locks and settings are a transaction's own, so that a pooler may
give each transaction another session.
"""
CACHE_KIB = 64 * 1024
"""Of an SQLite file, for each connection: a step into a table of millions changes 16 MiB of its index."""
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
SYNC_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}

ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtext('ionet schema'))")
"""Several keepers may start at a time on PostgreSQL; SQLite's writers take turns anyway."""


class DatabaseError(UserError):
    """The database can't be used as it is; the message says what to do."""


class DatabaseUnusable(DatabaseError):
    """The database doesn't answer, can't be opened or written, or isn't one; the message says why."""

    @property
    def hint(self) -> str:
        """What may be wrong."""
        return "Is the database running, can its files be written, and is IONET_DATABASE right?"


_UNUSABLE = (
    *(OperationalError, InterfaceError, InternalError, PoolTimeout),
    *(psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError),
    psycopg.errors.InsufficientPrivilege,
)
"""Errors that a server or a file is to blame for; any other error of a statement is a defect of ours."""


class Database:
    """An SQLite file or a PostgreSQL database, by its URL.

    ``sqlite:///keeper.db`` or ``postgresql://user:password@host/name``. Writers on SQLite take turns
    from their first statement on, and readers see one state throughout a transaction.
    """

    _pool: ClassVar[Mapping[str, int | float]] = {}
    """How many connections there are, where that isn't SQLAlchemy's own choice."""

    def __init__(self, url: str) -> None:
        """Name the database; nothing is opened yet. Raises DatabaseError for another kind."""
        try:
            self.url = make_url(url)
        except (ArgumentError, ValueError):
            # It isn't repeated, as it may have a password in it.
            raise DatabaseError("not a database's URL: write sqlite:///FILE or postgresql://...") from None
        kind = self.url.get_backend_name()
        if kind not in DRIVERS:
            raise DatabaseError(f"the keeper can't use a {kind} database; use sqlite or postgresql")
        self.is_sqlite = kind == "sqlite"
        if self.is_sqlite and self.url.database in (None, "", ":memory:"):
            raise DatabaseError("a keeper's SQLite database needs a file: sqlite:///keeper.db")
        try:
            self.engine = create_async_engine(
                self._with(DRIVERS),
                pool_pre_ping=not self.is_sqlite,
                connect_args=self._connecting(),
                **self._pool,
            )
        except (ArgumentError, TypeError, ValueError) as error:
            raise DatabaseError(self._saying(error)) from error
        self._begin_properly(self.engine.sync_engine)
        if self.is_sqlite:
            _open(self.engine.sync_engine)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def file(self) -> Path | None:
        """Where SQLite keeps it; None for a server's."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @property
    def name(self) -> str:
        """What it is called in messages: the file, or the URL without its password."""
        return str(self.file) if self.file else _shown(self.url)

    def _with(self, drivers: dict[str, str]) -> URL:
        return self.url.set(drivername=drivers[self.url.get_backend_name()])

    def _connecting(self) -> dict[str, int | None]:
        if self.is_sqlite:
            return {}
        return {name: value for name, value in CONNECTING.items() if name not in self.url.query}

    def _begin_properly(self, engine: sa.Engine) -> None:
        if self.is_sqlite:
            _set_up_sqlite(engine)
        else:
            _limit_idle_writers(engine)

    async def upgrade(self) -> None:
        """Bring the schema to this version's.

        Raises DatabaseUnusable, or DatabaseError when a later version made it.
        """
        await asyncio.to_thread(self._upgrade)

    def _upgrade(self) -> None:
        engine = sa.create_engine(
            self._with(SYNC_DRIVERS), poolclass=sa.NullPool, connect_args=self._connecting()
        )
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        try:
            if self.file:
                self.file.parent.mkdir(parents=True, exist_ok=True)
            self._begin_properly(engine)
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                if not self.is_sqlite:
                    connection.execute(ALONE)
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError as error:
            other = "its tables are another version's: use the keeper that made them"
            raise DatabaseError(f"{self._saying(error)}; {other}") from error
        except (DBAPIError, OSError) as error:
            # Any error: a table by one of our names may be another application's here.
            raise DatabaseUnusable(self._saying(error)) from error
        finally:
            engine.dispose()

    async def exists(self) -> bool:
        """Whether there is anything to read: a file, with tables in it. Creates and changes nothing.

        Raises DatabaseError when it can't be opened, or its schema is another version's.
        """
        try:
            if self.file:
                self.file.stat()
            current, head = await self.versions()
            if current is None:
                await self._require_empty()
                return False
        except FileNotFoundError:
            return False
        except (DBAPIError, OSError) as error:
            raise DatabaseUnusable(self._saying(error)) from error
        if current != head:
            earlier = {each.revision for each in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
            do = "run ionet db upgrade" if current in earlier else "use the version that made it"
            raise DatabaseError(f"{self.name}: its schema is at {current}, this version's is {head}: {do}")
        return True

    async def _require_empty(self) -> None:
        """Raise DatabaseError when something else is kept here."""
        async with self.reading() as connection:
            tables = await connection.run_sync(lambda on: sa.inspect(on).get_table_names())
        if tables:
            raise DatabaseError(
                f"{self.name}: its tables, such as {min(tables)}, are not the keeper's: name "
                "another database with IONET_DATABASE"
            )

    async def versions(self) -> tuple[str | None, str | None]:
        """The schema's version as it is, and as it should be; None for a database without one."""
        head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        async with self.reading() as connection:
            current = await connection.run_sync(
                lambda on: MigrationContext.configure(on).get_current_revision()
            )
        return current, head

    def _saying(self, error: Exception) -> str:
        """What is wrong, in one line without a password."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        text = next(iter(str(cause).splitlines()), type(cause).__name__)
        if isinstance(cause, OSError) and cause.filename:
            text = f"{cause.filename}: {why(cause)}"
        return f"{_shown(self.url)}: {text}"

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise DatabaseUnusable for what the database is to blame for; defects of ours pass as they are."""
        try:
            yield
        except (SQLAlchemyError, psycopg.Error) as error:
            if _is_unusable(error):
                raise DatabaseUnusable(self._saying(error)) from error
            raise

    @asynccontextmanager
    async def transaction(self, *, patience: float = BUSY_SECONDS) -> AsyncIterator[AsyncConnection]:
        """Write: all of it or, when anything is raised, nothing; not within another transaction.

        On SQLite this process' writers take turns in the order of asking, and another process' is waited for
        ``patience`` seconds, which nothing can interrupt. Raises DatabaseUnusable.
        """
        # SQLite itself lets whoever happens to ask at the right moment go first: one who writes much
        # would keep others waiting.
        mine = self.turn("writing") if self.is_sqlite else nullcontext()
        with self.translated():
            async with mine, self.engine.connect() as connection:
                await connection.execution_options(writes=True, patience=patience)
                async with connection.begin():
                    yield connection

    @asynccontextmanager
    async def changing_schema(self) -> AsyncIterator[AsyncConnection]:
        """Write tables' definitions, while no other keeper does."""
        async with self.transaction() as connection:
            if not self.is_sqlite:
                await connection.execute(ALONE)
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Read one state. Raises DatabaseUnusable."""
        with self.translated():
            async with self.engine.connect() as connection:
                if not self.is_sqlite:
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                async with connection.begin():
                    yield connection

    def turn(self, what: str) -> asyncio.Lock:
        """Held while a task works on something, by its name: tasks of this process take turns with it."""
        return self._turns[what]

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _open(engine: sa.Engine) -> None:
    """Open connections that make few trips; a file that can't be opened is refused before the driver does it.

    The driver's thread for a connection that fails outlives it, and may find the loop closed: it would end
    with a trace on the terminal.
    """

    @sa.event.listens_for(engine, "do_connect")
    def connecting(dialect: Any, record: Any, arguments: Any, options: Any) -> trips.Connection:
        sqlite3.connect(*arguments).close()
        made = dialect.connect(*arguments, **options)
        return trips.Connection(made.dbapi, made.driver_connection)


def _shown(url: URL) -> str:
    """A URL for people: without its password, wherever it is."""
    hidden = {name: "***" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(hidden).render_as_string()


def _set_up_sqlite(engine: sa.Engine) -> None:
    """Set SQLite's connections up, and let SQLAlchemy begin transactions: the driver would do it too late."""

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        record.info["file"] = _identity(engine)
        cursor = connection.cursor()
        # Readers don't stop the writer; a commit survives this process' end, and with FULL the machine's.
        for setting in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            f"cache_size = -{CACHE_KIB}",
            f"busy_timeout = {BUSY_SECONDS * 1_000}",
        ):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        if _identity(engine) != connection.info["file"]:
            # What is written to a file without a name is gone with this process, and another one that makes
            # the file anew would lead beside it.
            raise DatabaseUnusable(f"{engine.url.database} was moved away, or replaced under this process")
        options = connection.get_execution_options()
        patience = options.get("patience", BUSY_SECONDS)
        if connection.info.get("patience", BUSY_SECONDS) != patience:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(patience * 1_000)}")
            connection.info["patience"] = patience
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _identity(engine: sa.Engine) -> tuple[int, int] | None:
    """Which file is at an engine's place now; None for none."""
    try:
        found = Path(engine.url.database or "").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _limit_idle_writers(engine: sa.Engine) -> None:
    """Have PostgreSQL end transactions that write and stand still: a setting of the transaction's own."""

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("writes"):
            limit = f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
            connection.exec_driver_sql(limit)


def _is_unusable(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(cause, sqlite3.DatabaseError):
        # Every wrong statement has the same number; a file that is damaged or no database, the bare class.
        return type(cause) is sqlite3.DatabaseError or (
            isinstance(error, _UNUSABLE) and cause.sqlite_errorcode != sqlite3.SQLITE_ERROR
        )
    return isinstance(error, _UNUSABLE) or isinstance(cause, _UNUSABLE)
