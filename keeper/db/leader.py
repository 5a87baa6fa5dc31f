"""Which of several keepers acts: the one that has the lease, a row that it renews every few seconds.

Who leads raises the row's ``beat``. Every other keeper watches it, and takes over once neither claim nor
beat has changed for a lease by its own monotonic clock: clocks are never compared, and a step of a machine's
clock does nothing. The takeover compares the row with what was seen, so that one of several wins. Whoever
resigns leaves the row free, and another takes it at its next look. Who was killed, frozen or cut off is
replaced after a lease and a beat at most; a fresh process waits as long beside the row of a killed one.
Nothing belongs to a session: a pooler may be in between.

Who leads can't know that it was overtaken: it may have been frozen (SIGSTOP; its clock went on), its machine
suspended (its clock stood still, too), its event loop held up. By its own clock it stops calling itself
leader a beat before others may take over; and every transaction that moves money compares epoch and claim
first (``fence``), so that whoever was overtaken writes nothing any more, whatever it believes. With the
first that is refused its epoch is gone, and it may lead again like any other.

What remains is a keeper that is frozen between that comparison and the broadcast of a transaction: when it
wakes, bytes go out that its successor knows. They were written to ``attempts`` before they were first sent;
the successor asks what became of them, and signs nothing in their place before they have expired. What
both of them should send, the programs do once.

On SQLite a process that is frozen *within* a transaction that writes (milliseconds; of a batch of the index
up to a second) keeps the file's lock: nobody writes, and nobody leads, until it goes on or is killed.
PostgreSQL ends such a transaction (:data:`keeper.db.database.IDLE_SECONDS`).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.db.database import Database, DatabaseError
from keeper.db.tables import LEADERSHIP
from keeper.errors import UserError

LEASE_SECONDS = 15.0
"""A leader that has not renewed for so long is replaced. Every keeper on a database has the same."""
BEATS = 5
"""Renewals in a lease."""
WAIT_SECONDS = 1.0
"""A lease waits so long for other writers on SQLite, and is tried again."""
RESIGN_SECONDS = 2.0
"""A database that doesn't answer holds nobody up who wants to end: the lease runs out by itself."""
ONLY = 1
"""The id of the one row."""

_FREE = sa.text(
    f"INSERT INTO leadership (id, epoch, holder, since) VALUES ({ONLY}, 0, '', 0) ON CONFLICT DO NOTHING"
)


class NotLeader(UserError):
    """Another keeper has taken over: this one may not write."""


class _Beat(NamedTuple):
    """A lease as it was seen; it is alive if the next look sees another."""

    epoch: int
    claim: str
    beat: int


class Leader:
    """One keeper's claim to act, under ``holder``, a name for people to read.

    ``lease`` is in seconds, ``clock`` any that never goes back.
    """

    def __init__(
        self,
        database: Database,
        holder: str,
        *,
        lease: float = LEASE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Claim nothing yet."""
        self.holder = holder
        self.lease = lease
        self.epoch: int | None = None
        """This keeper's epoch since it took over, until it knows that it was overtaken."""
        self._database = database
        self._clock = clock
        self._claim: str | None = None
        self._renewed = -lease
        self._seen: _Beat | None = None
        self._seen_at = 0.0
        self._seen_holder: str | None = None
        self._turn = asyncio.Lock()

    @property
    def leads(self) -> bool:
        """Whether this keeper leads at this moment, as far as it can know: its lease is not over."""
        return self.epoch is not None and self._clock() - self._renewed < self.lease - self._interval

    @property
    def other(self) -> str | None:
        """The keeper that leads instead; one whose lease was not renewed for its length does not."""
        if self.epoch is not None or self._seen is None or self._clock() - self._seen_at >= self.lease:
            return None
        return self._seen_holder

    @property
    def is_fresh(self) -> bool:
        """Whether the lease was renewed a moment ago: :meth:`lead` would ask nobody."""
        return self.leads and self._clock() - self._renewed < self._interval

    @property
    def pause(self) -> float:
        """Seconds until :meth:`lead` should be called again: to renew, or to take over once that may be."""
        due = self._seen_at + self.lease if self.epoch is None else self._renewed + self._interval
        return min(self._interval, max(self._interval / 4, due - self._clock()))

    async def lead(self) -> bool:
        """Whether this keeper leads now: renews its lease, or takes over when nobody renews theirs.

        Raises DatabaseUnusable.
        """
        async with self._turn:
            if self.is_fresh or (self.epoch is not None and await self._renew()):
                return True
            return await self._look()

    async def settle(self) -> bool:
        """Whether this keeper leads, once that is certain: another that may lead gets a lease to show it.

        Raises DatabaseUnusable.
        """
        first: _Beat | None = None
        while not await self.lead():
            if first is not None and self._seen != first:
                return False
            first = self._seen
            await asyncio.sleep(self.pause)
        return True

    async def fence(self, connection: AsyncConnection) -> int:
        """Raise NotLeader unless this keeper still leads, and keep it so until the transaction ends.

        Returns the epoch. Renewals go on beside it, takeovers wait.
        """
        mine = self.epoch, self._claim
        columns = LEADERSHIP.c.epoch, LEADERSHIP.c.claim
        row = (
            await connection.execute(sa.select(*columns).with_for_update(read=True, key_share=True))
        ).first()
        if mine[0] is None or row is None or tuple(row) != mine:
            if mine == (self.epoch, self._claim):
                self.epoch = None
            raise NotLeader(f"{self.holder} no longer acts: another keeper has taken over")
        return mine[0]

    async def resign(self) -> None:
        """Let go, so that another keeper can take over at its next look. Raises nothing."""
        self.epoch = None
        with suppress(DatabaseError, TimeoutError):
            async with asyncio.timeout(RESIGN_SECONDS), self._turn:
                self.epoch = None
                if self._claim is not None:
                    async with self._database.transaction(patience=WAIT_SECONDS) as connection:
                        mine = sa.update(LEADERSHIP).filter_by(claim=self._claim)
                        await connection.execute(mine.values(claim=None))

    # -- inside ------------------------------------------------------------------------------

    @property
    def _interval(self) -> float:
        """Seconds between renewals; others are given as much, as the margin between two clocks."""
        return self.lease / BEATS

    async def _renew(self) -> bool:
        async with self._database.transaction(patience=WAIT_SECONDS) as connection:
            mine = sa.update(LEADERSHIP).filter_by(epoch=self.epoch, claim=self._claim)
            beat = {"beat": LEADERSHIP.c.beat + 1, "renewed_at": int(time.time())}
            done = (await connection.execute(mine.values(beat))).rowcount == 1
            # Before anybody can see it, and after waiting for other writers.
            now = self._clock()
        if done:
            self._renewed = now
        else:
            self.epoch = None
        return self.leads

    async def _look(self) -> bool:
        """See whether the lease is alive, and take over if it isn't."""
        before = self._clock()
        async with self._database.reading() as connection:
            row = (await connection.execute(sa.select(LEADERSHIP))).one_or_none()
        if not self._is_free(row):
            assert row is not None
            beat = _beat(row)
            if beat != self._seen:
                self._seen, self._seen_at, self._seen_holder = beat, self._clock(), row.holder
            if before - self._seen_at < self.lease:
                return False
        return await self._take_over()

    async def _take_over(self) -> bool:
        claim = secrets.token_hex(8)
        async with self._database.transaction(patience=WAIT_SECONDS) as connection:
            await connection.execute(_FREE)
            row = (await connection.execute(sa.select(LEADERSHIP).with_for_update())).one()
            if not self._is_free(row) and _beat(row) != self._seen:
                return False
            # By now: should the commit's answer be lost, this keeper knows its claim.
            self._claim = claim
            now = int(time.time())
            values = {"holder": self.holder, "since": now, "renewed_at": now, "claim": claim, "beat": 0}
            await connection.execute(sa.update(LEADERSHIP).values(epoch=row.epoch + 1, **values))
            renewed = self._clock()
        self.epoch, self._renewed, self._seen = row.epoch + 1, renewed, None
        return self.leads

    def _is_free(self, row: sa.Row[Any] | None) -> bool:
        """Nobody's, or this keeper's own, which nobody else renews."""
        return row is None or row.claim is None or row.claim == self._claim


def _beat(row: sa.Row[Any]) -> _Beat:
    return _Beat(row.epoch, row.claim, row.beat)
