"""One program's events into the database: all of them, once, in order, whatever is interrupted.

A poll goes down the list of final transactions to the newest one that is indexed (the anchor), noting
what it meets in the backlog; then up again, indexing the backlog oldest first. What is confirmed and
not final yet is indexed last, provisionally: rows above the watermark's final slot may go away. Each
step is one database transaction together with the watermark, so that nothing is skipped or done
twice, wherever it is cut off; an indexer beside this one is noticed by the watermark's version.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

import sqlalchemy as sa
from solders.signature import Signature
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.chain import (
    ChainError,
    ChainReader,
    ChainUnreachable,
    Commitment,
    Event,
    Listed,
    Program,
    TransactionRecord,
)
from keeper.chain.program import LocatedEvent, UnexpectedData
from keeper.db import Database, DatabaseError
from keeper.db.bulk import Columns, Insertion
from keeper.db.events import EventPlace, EventTables
from keeper.db.tables import BACKLOG, SIGNATURES, WATERMARKS
from keeper.db.views import Views
from keeper.indexer import totals
from keeper.indexer.reading import Reader
from keeper.indexer.walk import PAGE, Bottom, walk
from keeper.indexer.watermark import ACCOUNTS_OF, BEFORE_ALL, WITH_VIEWS, Watermark

BATCH = 4_000
"""Transactions that are indexed in one step, plus the rest of the last one's slot: each of some twenty
tables costs a step as much as a few hundred rows do."""
BLOCKS = 100
"""Slots in one step of which a node doesn't list the transactions' order: each costs a question."""
INTO_SIGNATURES = Insertion(SIGNATURES)
INTO_BACKLOG = Insertion(BACKLOG, only_new=True)
"""A node may list one twice."""


class OvertakenError(ChainUnreachable):
    """Another indexer moved this program's watermark: look again later."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a poll did."""

    transactions: int
    events: int
    dropped: int


class _Read(NamedTuple):
    """Transactions to insert: how many, their rows, and the events of those that succeeded."""

    transactions: int
    signatures: Columns
    events: list[tuple[EventPlace, Event]]


class ProgramIndexer:
    """Indexes one program; ``prepare`` first, then ``poll`` as often as one likes."""

    def __init__(
        self, chain: ChainReader, database: Database, program: Program, *, batch: int = BATCH
    ) -> None:
        """Read from ``chain``, write to ``database``."""
        self.program = program
        self.tables = EventTables(program)
        self.views = Views(program, totals.layout(program.name))
        self._chain = chain
        self._database = database
        self._batch = batch
        self._done = Progress(0, 0, 0)
        self._reader = Reader(chain)
        self.turn = database.turn(program.name)
        """Held while the watermark is moved: tasks of one process would overtake each other."""

    async def prepare(self) -> None:
        """Create what is missing; raises DatabaseError when the database is about another deployment."""
        name, address = self.program.name, str(self.program.address)
        async with self._database.changing_schema() as connection:
            await self.tables.create(connection)
            row = (await connection.execute(sa.select(WATERMARKS).filter_by(program=name))).first()
            anew = await self.views.prepare(connection)
            if row is None:
                start = Watermark(name, address)
                await connection.execute(sa.insert(WATERMARKS).values(**start.values()))
            elif anew:
                # They are filled with the accounts, from the events that are here.
                await self.forget_accounts(connection, Watermark(**row._mapping), WITH_VIEWS)
        if row is not None and row.address != address:
            raise DatabaseError(
                f"this database is about {name} at {row.address}, not at {address}: "
                f"run ionet db rebuild {name} to index the other one instead"
            )

    async def watermark(self) -> Watermark:
        """Read how far it is."""
        async with self._database.reading() as connection:
            return await self.watermark_on(connection)

    async def watermark_on(self, connection: AsyncConnection) -> Watermark:
        """The same within a transaction."""
        query = sa.select(WATERMARKS).filter_by(program=self.program.name)
        return Watermark(**(await connection.execute(query)).mappings().one())

    async def poll(self) -> Progress:
        """Index what is new.

        Raises ChainUnreachable when the node that answers is behind or doesn't list what it listed before,
        or when another indexer is at work on what is final; ChainError when the node doesn't have what it
        lists. Nothing is skipped then: the next poll goes on where this one stopped.
        """
        async with self.turn:
            return await self._poll()

    async def _poll(self) -> Progress:
        self._done = Progress(0, 0, 0)
        mark = await self.watermark()
        if mark.target_slot is None:
            # Slot and time of one bank.
            clock = await self._chain.final_clock()
            if clock.slot < mark.final_slot:
                raise ChainUnreachable(
                    f"the chain is at slot {clock.slot}, its index at {mark.final_slot} already"
                )
            mark = replace(mark, target_slot=clock.slot, target_time=clock.unix_timestamp)
        if not mark.target_complete:
            mark = await self._descend(mark)
        mark = await self._climb(mark)
        # When overtaken here, the other indexer does the rest. If this poll failed instead, the two could
        # overtake each other forever; this way one of them has always finished.
        with suppress(OvertakenError):
            await self._index_provisional(mark)
        return self._done

    async def look_again(self, above: int, *, page: int = PAGE) -> int:
        """Index final transactions above slot ``above`` that no list had until now; returns how many.

        Lists them anew, ``page`` at a time. Accounts that were made without them are made again. What the
        node leaves out again stays unknown. Raises as :meth:`poll`.
        """
        final = (await self.watermark()).final_slot
        pages = walk(
            self._chain,
            self.program.address,
            Commitment.FINALIZED,
            Bottom(None, None),
            min_slot=max(0, final),
            limit=page,
        )
        found: list[Listed] = []
        async for rows, _ in pages:
            found += await self._unknown([each for each in rows if above < each.slot <= final])
            if rows and rows[-1].slot <= above:
                break
        if not found:
            return 0
        async with self.turn:
            if (await self.watermark()).target_slot is not None:
                # Where an interrupted poll goes on is read from the backlog, which these don't belong to.
                await self._poll()
            mark = await self.watermark()
            new = await self._unknown(found)
            if new:
                known = replace(
                    mark, target_slot=mark.final_slot, target_time=mark.final_time, target_complete=True
                )
                await self._climb(await self._note(known, new))
        return len(new)

    # -- final transactions ------------------------------------------------------------------

    async def _descend(self, mark: Watermark) -> Watermark:
        """Note all final transactions above the anchor in the backlog."""
        assert mark.target_slot is not None
        pages = walk(
            self._chain,
            self.program.address,
            Commitment.FINALIZED,
            mark.bottom,
            before=await self._where_stopped(),
            min_slot=mark.target_slot,
        )
        async for page, last in pages:
            # What is indexed provisionally is noted, too: it is final only once it is listed so. What
            # should long have been indexed and isn't was withheld from us before.
            late = await self._unknown([e for e in page if mark.anchor_slot <= e.slot <= mark.final_slot])
            new = await self._not_noted([each for each in page if each.slot > mark.final_slot] + late)
            mark = replace(mark, target_complete=last)
            # Each write makes progress: with empty ones, indexers could overtake each other forever.
            if new:
                mark = await self._note(mark, new)
        return mark

    async def _not_noted(self, listed: Sequence[Listed]) -> list[Listed]:
        """Those that are not in the backlog: a page's oldest slot was on the page before, too."""
        if not listed:
            return []
        slots = [each.slot for each in listed]
        own = sa.select(BACKLOG.c.signature, BACKLOG.c.slot).filter_by(program=self.program.name)
        within = own.where(BACKLOG.c.slot >= min(slots), BACKLOG.c.slot <= max(slots))
        async with self._database.reading() as connection:
            noted = {(row.signature, row.slot) for row in await connection.execute(within)}
        return [each for each in listed if not noted or (str(each.signature), each.slot) not in noted]

    async def _where_stopped(self) -> Signature | None:
        """What an interrupted descent goes on below: a transaction of its lowest slot but one, as in walk."""
        async with self._database.reading() as connection:
            own = sa.select(BACKLOG).filter_by(program=self.program.name)
            lowest = (await connection.execute(own.order_by(BACKLOG.c.slot).limit(1))).first()
            if lowest is None:
                return None
            above = own.where(BACKLOG.c.slot > lowest.slot).order_by(BACKLOG.c.slot).limit(1)
            row = (await connection.execute(above)).first()
        return Signature.from_string(row.signature) if row else None

    async def _note(self, mark: Watermark, listed: Sequence[Listed]) -> Watermark:
        columns: Columns = {
            "program": [self.program.name] * len(listed),
            "slot": [each.slot for each in listed],
            "signature": [str(each.signature) for each in listed],
            "position": [each.position for each in listed],
            "failed": [each.failed for each in listed],
        }
        async with self._database.transaction() as connection:
            mark = await self.move(connection, mark)
            await INTO_BACKLOG.run(connection, columns)
        return mark

    async def _climb(self, mark: Watermark) -> Watermark:
        """Index the backlog, oldest first; then all is final up to the target.

        Where a transaction can't be read, the slots before it are indexed all the same.
        """
        while batch := await self._next_batch():
            new = await self._unknown(batch)
            failure = await self._reader.read([each for each in new if not each.failed])
            if failure:
                batch, new = (
                    [each for each in some if each.slot < failure.listed.slot] for some in (batch, new)
                )
                if not batch:
                    raise failure.error
            slots = [each.slot for each in batch]
            found = self._rows(new)
            async with self._database.transaction() as connection:
                times = [each for each in found.signatures["time"] if each is not None]
                after = mark.advanced(slots[-1], times[-1] if times else None, _newest(batch))
                if new and new[0].slot <= mark.final_slot:
                    after = replace(after, late=mark.late + 1)
                after = await self.move(connection, after)
                for name in ACCOUNTS_OF:
                    if slots[0] <= getattr(mark, name):
                        after = await self.forget_accounts(connection, after, name)
                await self._drop(connection, mark.final_slot, slots[-1], batch)
                await self._insert(connection, found)
                backlog = sa.delete(BACKLOG).filter_by(program=self.program.name)
                await connection.execute(backlog.where(BACKLOG.c.slot <= slots[-1]))
            mark = after
            if failure:
                raise failure.error
        assert mark.target_slot is not None
        async with self._database.transaction() as connection:
            end = max(mark.target_slot, mark.final_slot)
            after = replace(
                mark.advanced(end, mark.target_time if end == mark.target_slot else None),
                target_slot=None,
                target_time=None,
                target_complete=False,
            )
            after = await self.move(connection, after)
            await self._drop(connection, mark.final_slot, end, [])
        return after

    async def _next_batch(self) -> list[Listed]:
        """The oldest of the backlog, whole slots."""
        of_listed = (BACKLOG.c.signature, BACKLOG.c.slot, BACKLOG.c.failed, BACKLOG.c.position)
        own = sa.select(*of_listed).where(BACKLOG.c.program == self.program.name).order_by(BACKLOG.c.slot)
        async with self._database.reading() as connection:
            rows = (await connection.execute(own.limit(self._batch))).all()
            if not rows:
                return []
            unordered = sorted({row.slot for row in rows if row.position is None})
            last = unordered[BLOCKS - 1] if len(unordered) > BLOCKS else rows[-1].slot
            whole = (await connection.execute(own.where(BACKLOG.c.slot == last))).all()
        rows = [row for row in rows if row.slot < last] + list(whole)
        return await self._ordered([Listed(Signature.from_string(name), *rest) for name, *rest in rows])

    # -- what is not final yet ---------------------------------------------------------------

    async def _index_provisional(self, mark: Watermark) -> None:
        """Make the rows above the final slot those of the transactions that are confirmed now."""
        confirmed = await self._chain.slot(Commitment.CONFIRMED)
        if max(confirmed, mark.confirmed_slot) <= mark.final_slot:
            return  # As on a chain of one process: what is confirmed is final, and there are no such rows.
        pages = walk(self._chain, self.program.address, Commitment.CONFIRMED, mark.bottom, min_slot=confirmed)
        found = {each.signature: each async for page, _ in pages for each in page}
        above = await self._ordered([each for each in found.values() if each.slot > mark.final_slot])
        unknown = await self._unknown(above)
        if failure := await self._reader.read([each for each in unknown if not each.failed]):
            raise failure.error
        new = self._rows(unknown)
        newest = above[-1].slot if above else confirmed
        async with self._database.transaction() as connection:
            await self.move(connection, replace(mark, confirmed_slot=max(confirmed, newest)))
            await self._drop(connection, mark.final_slot, None, above)
            await self._insert(connection, new)

    # -- steps of both -------------------------------------------------------------------------

    async def _ordered(self, listed: Sequence[Listed]) -> list[Listed]:
        """In the order of execution; asks for the blocks of those that were listed without a position."""
        positions: dict[Signature, int] = {}
        for slot in sorted({each.slot for each in listed if each.position is None}):
            positions.update((name, at) for at, name in enumerate(await self._chain.block(slot)))
        try:
            known = [
                each if each.position is not None else each._replace(position=positions[each.signature])
                for each in listed
            ]
        except KeyError as error:
            raise ChainUnreachable(f"{error.args[0]} is listed, but not in its block") from error
        return sorted(known, key=lambda each: (each.slot, each.position))

    async def _unknown(self, listed: Sequence[Listed]) -> list[Listed]:
        """Those that are not indexed yet where they are listed."""
        if not listed:
            return []
        slots = [each.slot for each in listed]
        own = sa.select(SIGNATURES).filter_by(program=self.program.name)
        within = own.where(SIGNATURES.c.slot >= min(slots), SIGNATURES.c.slot <= max(slots))
        async with self._database.reading() as connection:
            rows = (await connection.execute(within)).all()
        if not rows:
            return list(listed)
        known = {(row.signature, row.slot): row.position for row in rows}

        def is_known(each: Listed) -> bool:
            position = known.get((str(each.signature), each.slot))
            return position is not None and each.position in (None, position)

        return [each for each in listed if not is_known(each)]

    def _rows(self, listed: Sequence[Listed]) -> _Read:
        """Transactions as rows, and the events in those that succeeded, which were read."""
        times: dict[Signature, int] = {}
        fees: dict[Signature, int] = {}
        events: list[tuple[EventPlace, Event]] = []
        for each in listed:
            if each.failed:
                continue
            record = self._reader.found[each.signature]
            times[each.signature], fees[each.signature] = record.time, record.fee
            assert each.position is not None
            for found in self._events(record):
                place = EventPlace(each.slot, each.position, found.outer, found.inner, record.time)
                events.append((place, found.event))
        columns: Columns = {
            "program": [self.program.name] * len(listed),
            "slot": [each.slot for each in listed],
            "position": [each.position for each in listed],
            "signature": [str(each.signature) for each in listed],
            "time": [times.get(each.signature) for each in listed],
            "failed": [each.failed for each in listed],
            "fee": [fees.get(each.signature) for each in listed],
        }
        return _Read(len(listed), columns, events)

    def _events(self, record: TransactionRecord) -> list[LocatedEvent]:
        """The program's events in a transaction; the index ends at one that only a later version knows."""
        try:
            return self.program.located_events(record)
        except UnexpectedData as error:
            raise ChainError(
                f"transaction {record.signature} has {error}: the program was upgraded; upgrade ionet"
            ) from error

    async def forget_accounts(self, connection: AsyncConnection, mark: Watermark, name: str) -> Watermark:
        """Have accounts made anew, as when a transaction came to light below the slot that they are as of."""
        mark = await self.move(connection, mark.with_accounts(name, BEFORE_ALL))
        await connection.execute(sa.delete(ACCOUNTS_OF[name]).filter_by(program=self.program.name))
        if name == WITH_VIEWS:
            await self.views.forget(connection)
        return mark

    async def move(self, connection: AsyncConnection, mark: Watermark) -> Watermark:
        """Write the watermark, first of all; raises OvertakenError when another indexer has."""
        after = replace(mark, version=mark.version + 1, updated_at=int(time.time()))
        own = sa.update(WATERMARKS).filter_by(program=self.program.name, version=mark.version)
        if (await connection.execute(own.values(**after.values()))).rowcount != 1:
            raise OvertakenError(f"another indexer is at work on {self.program.name}")
        return after

    async def _insert(self, connection: AsyncConnection, read: _Read) -> None:
        await INTO_SIGNATURES.run(connection, read.signatures)
        await self.tables.write(connection, read.events)
        done = self._done
        self._done = replace(
            done, transactions=done.transactions + read.transactions, events=done.events + len(read.events)
        )

    async def _drop(
        self, connection: AsyncConnection, above: int, up_to: int | None, kept: Sequence[Listed]
    ) -> None:
        """Remove provisional transactions that the chain dropped."""
        own = sa.select(SIGNATURES).filter_by(program=self.program.name).where(SIGNATURES.c.slot > above)
        if up_to is not None:
            own = own.where(SIGNATURES.c.slot <= up_to)
        rows = (await connection.execute(own)).all()
        names = {(str(each.signature), each.slot, each.position) for each in kept} if rows else set()
        for row in rows:
            if (row.signature, row.slot, row.position) not in names:
                await self.tables.delete(connection, row.slot, row.position)
                gone = sa.delete(SIGNATURES).filter_by(
                    program=self.program.name, slot=row.slot, position=row.position
                )
                await connection.execute(gone)
                self._done = replace(self._done, dropped=self._done.dropped + 1)


def _newest(batch: Sequence[Listed]) -> list[tuple[int, str]]:
    """The last transaction of a batch, and before it the last one of an earlier slot, if there is one."""
    last = batch[-1]
    before = next((each for each in reversed(batch) if each.slot < last.slot), None)
    return [(each.slot, str(each.signature)) for each in (before, last) if each is not None]
