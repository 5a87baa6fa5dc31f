"""Which of several keepers acts: the one that holds a lock, and whose epoch is the newest.

The lock (an advisory lock of a connection that does nothing else; on SQLite a lock on a file) makes
sure that one keeper tries. It can be lost without the holder's knowing, so the epoch is what
counts: taking over raises it, and every transaction that moves money compares it first (``fence``). A
keeper that was overtaken writes nothing any more; what it sent before is left to the programs, which
do nothing twice.
"""

from __future__ import annotations

import fcntl
import time
from contextlib import suppress
from typing import IO, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.db.database import Database, DatabaseUnusable
from keeper.db.tables import LEADERSHIP
from keeper.errors import UserError

LOCK = 0x696F6E6574
"""The advisory lock's number: "ionet"."""
ONLY = 1
"""The id of the one row."""
KEEPALIVE = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A server that vanished is noticed in seconds; over TCP only."""


class NotLeader(UserError):
    """Another keeper has taken over: this one may not write."""


class Leader:
    """One keeper's claim to act, under ``holder``, a name for people to read."""

    def __init__(self, database: Database, holder: str) -> None:
        """Claim nothing yet."""
        self.holder = holder
        self.epoch: int | None = None
        """This keeper's epoch while it leads."""
        self._database = database
        self._file: IO[bytes] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def lead(self) -> bool:
        """Whether this keeper leads now; takes over when none does. Ask before every round of jobs.

        Raises DatabaseUnusable.
        """
        if not await self._hold():
            self.epoch = None
            return False
        if self.epoch is None:
            self.epoch = await self._take_over()
        return True

    async def fence(self, connection: AsyncConnection) -> int:
        """Raise NotLeader unless this keeper still leads, and keep it so until the transaction ends.

        Returns the epoch.
        """
        query = sa.select(LEADERSHIP.c.epoch).with_for_update(read=True)
        newest = (await connection.execute(query)).scalar()
        if self.epoch is None or newest != self.epoch:
            raise NotLeader(f"{self.holder} no longer acts: another keeper has taken over")
        return self.epoch

    async def resign(self) -> None:
        """Let go, so that another keeper can take over at once."""
        self.epoch = None
        await self._let_go()

    # -- inside ------------------------------------------------------------------------------

    async def _take_over(self) -> int:
        async with self._database.transaction() as connection:
            newest = (await connection.execute(sa.select(LEADERSHIP.c.epoch).with_for_update())).scalar()
            epoch = (newest or 0) + 1
            values = {"epoch": epoch, "holder": self.holder, "since": int(time.time())}
            if newest is None:
                await connection.execute(sa.insert(LEADERSHIP).values(id=ONLY, **values))
            else:
                await connection.execute(sa.update(LEADERSHIP).values(**values))
        return epoch

    async def _hold(self) -> bool:
        """Have the lock, or get it."""
        if self._database.is_sqlite:
            return self._hold_file()
        with self._database.translated():
            return await self._hold_connection()

    def _hold_file(self) -> bool:
        """The kernel frees the lock of a process that ended, however it did."""
        if self._file is None:
            assert self._database.file is not None
            path = self._database.file.with_name(self._database.file.name + ".leader")
            try:
                file = path.open("ab")
            except OSError as error:
                raise DatabaseUnusable(f"{path}: {error.strerror}") from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                return False
            self._file = file
        return True

    async def _hold_connection(self) -> bool:
        """The server frees the lock of a connection that ended; one that answers still has it."""
        if self._connection is not None:
            try:
                await self._connection.execute("SELECT 1")
            except psycopg.Error:
                await self._let_go()
            else:
                return True
        # Opened as SQLAlchemy would, but outside its pool: nothing else may close it.
        dialect = self._database.engine.dialect
        arguments, options = dialect.create_connect_args(self._database.engine.url)
        connection = await psycopg.AsyncConnection.connect(
            *arguments, **{**KEEPALIVE, **options}, autocommit=True
        )
        row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))).fetchone()
        if row is None or not row[0]:
            await connection.close()
            return False
        self._connection = connection
        return True

    async def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            with suppress(psycopg.Error):
                # The server notices that a connection was closed only after a while.
                await self._connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
            await self._connection.close()
            self._connection = None
            self.epoch = None
