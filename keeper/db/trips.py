"""SQLite's connections for asyncio, with one trip to a connection's thread for each statement.

aiosqlite gives each connection a thread, and SQLAlchemy's adapter of it goes there to make a cursor, to
execute, to fetch and to close, and to roll back what is committed. A trip takes longer than most statements.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor
from sqlalchemy.util import EMPTY_DICT
from sqlalchemy.util.concurrency import await_

T = TypeVar("T")


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """A statement's result, all of which is here; SQLite's own cursor is closed by then, and says of what."""

    __slots__ = ()

    _adapt_connection: Connection
    _cursor: Any

    def __init__(self, adapt_connection: Any) -> None:
        """Nothing is executed yet."""
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._cursor, self._rows = None, deque()
        self._soft_closed_memoized = EMPTY_DICT

    def execute(self, operation: Any, parameters: Any = None) -> None:
        """Execute a statement and fetch its rows."""
        self._run(lambda cursor: cursor.execute(operation, parameters or ()))

    def executemany(self, operation: Any, seq_of_parameters: Any) -> None:
        """Execute a statement for each of these."""
        self._run(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    def close(self) -> None:
        """Forget the rows."""
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """There is nothing to close."""

    def _run(self, statement: Callable[[sqlite3.Cursor], Any]) -> None:
        self.close()

        def trip(connection: sqlite3.Connection) -> tuple[sqlite3.Cursor, Sequence[Any]]:
            cursor = connection.cursor()
            try:
                statement(cursor)
                return cursor, cursor.fetchall() if cursor.description else ()
            finally:
                cursor.close()

        self._cursor, rows = self._adapt_connection.trip(trip)
        self._rows = deque(rows)


class Connection(AsyncAdapt_aiosqlite_connection):
    """A connection that knows when there is nothing to roll back."""

    __slots__ = ()

    _cursor_cls = Cursor

    def trip(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Have the connection's thread do something with it, and wait.

        Whoever is cancelled meanwhile doesn't know what the thread has still come to: SQLAlchemy closes such
        a connection.
        """
        try:
            found: T = await_(self._connection._execute(lambda: function(self._connection._conn)))
        except Exception as error:
            self._handle_exception(error)
        return found

    def rollback(self) -> None:
        """Undo a transaction; pools do it for each connection that is given back, after commits, too."""
        if self._connection._connection and self._connection.in_transaction:
            super().rollback()
