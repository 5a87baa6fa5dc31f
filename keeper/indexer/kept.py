"""A program's accounts, made from its final events and kept as of a slot."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa
from solders.pubkey import Pubkey
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.chain import ChainUnreachable, Event, Program
from keeper.db import Database
from keeper.db.events import EventPlace
from keeper.db.tables import SIGNATURES
from keeper.db.types import account_decoders, jsonable
from keeper.indexer.book import Book, Fold, FoldError
from keeper.indexer.program import ProgramIndexer
from keeper.indexer.watermark import ACCOUNTS_OF, BEFORE_ALL, Watermark

WINDOW = 5_000
"""Transactions whose events are read at a time."""

Located = Sequence[tuple[EventPlace, Event]]
"""Events with their places, in the order of the chain."""


class Kept:
    """The accounts of an indexed program as of the slot in one field of its watermark."""

    def __init__(
        self, database: Database, indexer: ProgramIndexer, folds: Mapping[str, Fold], as_of: str
    ) -> None:
        """Fold what ``indexer`` indexes into ``database``, as of the watermark's field ``as_of``."""
        self.program: Program = indexer.program
        self.indexer = indexer
        self.database = database
        self._folds = folds
        self._as_of = as_of
        self._table = ACCOUNTS_OF[as_of]
        self._book: Book | None = None
        self._slot = BEFORE_ALL

    def slot_of(self, mark: Watermark) -> int:
        """The slot that they are as of."""
        slot: int = getattr(mark, self._as_of)
        return slot

    async def index(self, slot: int) -> None:
        """Index up to a slot that is known to be final.

        Raises ChainUnreachable, without waiting, when the node that answers the indexer hasn't come so far.
        """
        before: tuple[int, int | None] | None = None
        while (mark := await self.indexer.watermark()).final_slot < slot:
            # A poll that ends an interrupted one goes no further than that one meant to.
            reached = mark.final_slot, mark.target_slot
            if reached == before:
                raise ChainUnreachable(
                    f"{self.program.name} can be indexed up to slot {mark.final_slot}, not {slot}"
                )
            before = reached
            await self.indexer.poll()

    async def fold(self, up_to: int | None = None, told: Callable[[int], None] | None = None) -> Book:
        """Bring the accounts up to slot ``up_to``, or to the last final one, and return them.

        ``told`` is called with each slot that they have come to.

        Raises FoldError, and does not get past it, for an event that can't have happened; OvertakenError
        when another indexer is at work.
        """
        while True:
            async with self.indexer.turn:
                mark = await self.indexer.watermark()
                end = mark.final_slot if up_to is None else min(up_to, mark.final_slot)
                book, above = await self.load(mark), self.slot_of(mark)
                if above >= end:
                    await self._tell_time(mark)
                    return book
                # Half of an event may be done when it fails: what is in memory counts again once saved.
                self._book = None
                slot = await self.advance(book, above, end)
                await self._save(mark.with_accounts(self._as_of, slot, await self._time(mark, slot)), book)
            if told:
                told(slot)

    async def advance(self, book: Book, above: int, end: int) -> int:
        """Fold the next window of events above a slot into a book; returns the slot that it ends with."""
        slot, events = await self.read(above, end)
        for place, event in events:
            try:
                self._fold(book, place, event)
            except (FoldError, LookupError, ValueError) as error:
                where = f"{self.program.name}, slot {place.slot}, {event.name}"
                raise FoldError(f"{where}: {error or type(error).__name__}") from error
        return slot

    def _fold(self, book: Book, place: EventPlace, event: Event) -> None:
        """Do to a book what one event does."""
        self._folds[event.name](book, event.fields, place.time)

    async def read(self, above: int, end: int) -> tuple[int, Located]:
        """The next window of events above a slot and up to ``end``, and the slot that it ends with."""
        async with self.database.reading() as connection:
            slot = await self._window(connection, above, end)
            return slot, await self.indexer.tables.read(connection, above, slot)

    async def load(self, mark: Watermark) -> Book:
        """The accounts as of the watermark: those in memory, unless another keeper has gone on since."""
        if self._book is not None and self._slot == self.slot_of(mark):
            return self._book
        book = Book(self.program)
        decoders = account_decoders(self.program)
        async with self.database.reading() as connection:
            rows = await connection.execute(sa.select(self._table).filter_by(program=self.program.name))
            for row in rows:
                book.put(row.kind, Pubkey.from_string(row.address), decoders[row.kind](row.fields))
        self._book, self._slot = book, self.slot_of(mark)
        return book

    async def back_to(self, slot: int) -> None:
        """Have the accounts made anew from the first event on, if they are as of a later slot."""
        async with self.indexer.turn:
            mark = await self.indexer.watermark()
            if self.slot_of(mark) > slot:
                async with self.database.transaction() as connection:
                    await self.indexer.forget_accounts(connection, mark, self._as_of)

    async def _window(self, connection: AsyncConnection, above: int, end: int) -> int:
        """The slot to read events up to: that of the WINDOW-th transaction from here, at most ``end``."""
        slots = sa.select(SIGNATURES.c.slot).filter_by(program=self.program.name)
        later = slots.where(SIGNATURES.c.slot > above, SIGNATURES.c.slot <= end)
        last = await connection.scalar(later.order_by(SIGNATURES.c.slot).offset(WINDOW - 1).limit(1))
        return end if last is None else int(last)

    async def _tell_time(self, mark: Watermark) -> None:
        """Note that the chain's time went on, and its slot didn't: so it is with a chain in a file."""
        told = mark.with_accounts(self._as_of, self.slot_of(mark), mark.final_time)
        if self.slot_of(mark) == mark.final_slot and told != mark:
            async with self.database.transaction() as connection:
                await self.indexer.move(connection, told)

    async def _time(self, mark: Watermark, slot: int) -> int:
        """The chain's time at a slot; before the last final one, that of the last transaction by then."""
        if slot == mark.final_slot:
            return mark.final_time
        own = sa.select(SIGNATURES.c.time).filter_by(program=self.program.name)
        known = own.where(SIGNATURES.c.slot <= slot, SIGNATURES.c.time.is_not(None))
        last = known.order_by(SIGNATURES.c.slot.desc(), SIGNATURES.c.position.desc()).limit(1)
        async with self.database.reading() as connection:
            found: int | None = await connection.scalar(last)
        return found or 0

    async def _save(self, mark: Watermark, book: Book) -> None:
        """Write the accounts that changed together with the slot that they are as of."""
        name = self.program.name
        gone = [{"gone": str(address)} for _, address in book.changed]
        rows = [
            {"program": name, "address": str(address), "kind": kind, "fields": jsonable(fields)}
            for kind, address in book.changed
            if (fields := book.of_kind(kind).get(address)) is not None
        ]
        async with self.database.transaction() as connection:
            mark = await self.indexer.move(connection, mark)
            if gone:
                old = sa.delete(self._table).filter_by(program=name)
                await connection.execute(old.where(self._table.c.address == sa.bindparam("gone")), gone)
            if rows:
                await connection.execute(sa.insert(self._table), rows)
            await self._also(connection, book)
        book.saved()
        self._book, self._slot = book, self.slot_of(mark)

    async def _also(self, connection: AsyncConnection, book: Book) -> None:
        """Write what else follows from the window that was folded."""


class Ahead(Kept):
    """Accounts in memory that go on in small steps: what is final is read at once, and folded bit by bit."""

    _read: tuple[int, int, Located] = BEFORE_ALL, BEFORE_ALL, ()
    """The slots above and up to which events were read, and those that aren't folded yet."""

    async def read(self, above: int, end: int) -> tuple[int, Located]:
        """See :class:`Kept`."""
        begins, ends, events = self._read
        if begins != above or ends <= above:
            final = (await self.indexer.watermark()).final_slot
            ends, events = await super().read(above, max(end, final))
        up_to = min(end, ends)
        at = bisect_right(events, up_to, key=lambda each: each[0].slot)
        self._read = up_to, ends, events[at:]
        return up_to, events[:at]
