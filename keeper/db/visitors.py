"""A database that visitors' questions read: nothing can be written by it, and no question takes long."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import sqlalchemy as sa

from keeper.db.database import Database

STATEMENT_SECONDS = 0.5
"""How long one question may take; it is answered 503 then."""
CONNECTIONS, WAIT_SECONDS = 16, 2.0
"""Questions that are read at a time; who waits longer for a turn is answered 503."""
VISITORS_CACHE_KIB = 8 * 1024
"""Of an SQLite file, for each connection: whoever asks for much shall not fill the memory with it."""
STEPS = 20_000
"""Of SQLite's machine between looks at the clock: some tenths of a millisecond."""


class Visitors(Database):
    """The same tables, for reading alone.

    The connection itself refuses every write (and on PostgreSQL the role may be one that can only read), and
    ends a statement after ``seconds``: :class:`keeper.db.DatabaseUnusable` is raised then.
    """

    _pool: ClassVar[Mapping[str, int | float]] = {
        "pool_size": CONNECTIONS,
        "max_overflow": 0,
        "pool_timeout": WAIT_SECONDS,
    }

    def __init__(self, url: str, seconds: float = STATEMENT_SECONDS) -> None:
        """Name the database; see :class:`Database`."""
        self._seconds = seconds
        super().__init__(url)

    def _begin_properly(self, engine: sa.Engine) -> None:
        super()._begin_properly(engine)
        limit = _limit_sqlite if self.is_sqlite else _limit_postgresql
        limit(engine, self._seconds)


def _limit_sqlite(engine: sa.Engine, seconds: float) -> None:
    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only = ON")
        cursor.execute(f"PRAGMA cache_size = -{VISITORS_CACHE_KIB}")
        cursor.close()

        def overdue() -> bool:
            return bool(time.monotonic() > record.info["until"])

        record.info["until"] = time.monotonic() + seconds
        connection.run_async(lambda driver: driver.set_progress_handler(overdue, STEPS))

    @sa.event.listens_for(engine, "before_cursor_execute")
    def asked(connection: sa.Connection, *_: Any) -> None:
        connection.info["until"] = time.monotonic() + seconds


def _limit_postgresql(engine: sa.Engine, seconds: float) -> None:
    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{int(seconds * 1_000)}ms'")
