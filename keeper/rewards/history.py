"""What was on chain when an hour ended, made from the indexed events: the same whenever it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain import ChainReader, Clock, Commitment, Event
from keeper.chain.program import Fields
from keeper.clients import orders, staking
from keeper.clients.staking import Class
from keeper.db import Database
from keeper.db.tables import SIGNATURES
from keeper.economy.calendar import HOUR
from keeper.indexer import ProgramIndexer
from keeper.indexer.book import Book
from keeper.indexer.folds import FOLDS
from keeper.indexer.kept import Kept
from keeper.indexer.ledger import WAITS, Ledger
from keeper.indexer.watermark import BEFORE_ALL
from keeper.pow.anchored import EVIDENCE_SECONDS, Posting
from keeper.rewards.hired import FOLLOWED, Term, hired, replay, terms_of


@dataclass(frozen=True, slots=True)
class HourHistory:
    """What an hour's rewards take from the chain.

    ``devices`` and ``classes`` are as the last transaction before its end left them, ``before`` the devices
    at its start; ``hired`` are those that were hired in it. ``postings`` are the operators' for the hour, in
    the order of the chain, ``threshold`` how many have to agree at its end; ``terms`` are the leases at its
    start, ``events`` what became of leases in it.
    """

    devices: Mapping[Pubkey, Fields]
    classes: Mapping[int, Class]
    hired: set[Pubkey]
    before: Mapping[Pubkey, Fields]
    postings: Sequence[Posting]
    threshold: int
    terms: Mapping[Pubkey, Term]
    events: Sequence[tuple[int, Event]]

    def running(self, since: int, at: int) -> set[Pubkey]:
        """The devices of which a lease ran at some time from ``since`` to ``at``, as was known then."""
        known = [(time, event) for time, event in self.events if time <= at]
        return {term.device for term in replay(known, self.terms) if term.runs(since, at + 1)}


PROGRAMS = staking.PROGRAM, orders.PROGRAM
"""What an hour is made from."""
POSTED = "Posted"


def posting_of(event: Event) -> Posting:
    """An event of that name."""
    return Posting(**{each.name: event.fields[each.name] for each in fields(Posting)})


class History:
    """Earlier states of the chain, from the events of staking and orders."""

    def __init__(
        self,
        chain: ChainReader,
        database: Database,
        *,
        ledgers: Sequence[Ledger] | None = None,
        keeps: bool = True,
    ) -> None:
        """Index ``chain`` into ``database``; with ``keeps``, compare, and continue from hour to hour.

        ``ledgers`` are those of a keeper, which this shares [default: its own].
        """
        self.chain = chain
        self._final = Clock(0, 0)
        self._keeps = keeps
        if ledgers is None:
            indexers = [ProgramIndexer(chain, database, each) for each in PROGRAMS]
            ledgers = [Ledger(chain, database, each, FOLDS[each.program.name]) for each in indexers]
        found = {each.program.name: each for each in ledgers}
        self._ledgers = [found[each.name] for each in PROGRAMS]
        self._staking, self._orders = (_Accounts(each, keeps) for each in self._ledgers)
        self._made: tuple[int, HourHistory] | None = None
        """The last hour that was asked for, by its start: operators may have to look at it several times."""

    @property
    def ledgers(self) -> Sequence[Ledger]:
        """Those of staking and of orders."""
        return self._ledgers

    async def prepare(self) -> None:
        """Create missing tables."""
        for each in (self._staking, self._orders):
            await each.indexer.prepare()

    async def knows(self, time: int) -> bool:
        """Whether all that happened before ``time`` is final; then it is indexed, too.

        Raises ChainUnreachable while the node that answers is behind.
        """
        if self._final.unix_timestamp < time:
            self._final = await self.chain.clock(Commitment.FINALIZED)
        for each in (self._staking, self._orders):
            await each.index(self._final.slot)
        return self._final.unix_timestamp >= time

    async def leases(self) -> list[Term]:
        """The terms of all leases that there ever were, as far as they are known."""
        (up_to,) = await self._orders.last_slots(self._final.unix_timestamp + 1)
        return replay(await self._orders.events(FOLLOWED, BEFORE_ALL, up_to))

    async def is_whole(self, log: FilteringBoundLogger) -> bool:
        """Whether nothing is missing of what :meth:`knows`: accounts agreed with the chain's then or later.

        Compares them where nobody has since. A rehearsal doesn't, as a difference stops keepers. Raises as
        :meth:`~keeper.indexer.ledger.Ledger.compare`.
        """
        if not self._keeps:
            return True
        for ledger in self._ledgers:
            if await ledger.agreed_slot() >= self._final.slot:
                continue
            if await ledger.is_halted():
                return False  # Whoever looks into it compares again.
            result = await ledger.compare(WAITS)
            result.tell(log)
            if result.differences:
                return False
        return True

    async def hour(self, start: int) -> HourHistory:
        """The history of the hour from ``start``; it must be whole.

        Known must be all up to ``EVIDENCE_SECONDS`` after the start, see :meth:`knows`. Ask for hours in
        order: an earlier one than the last is made from the first event on.
        """
        if self._made and self._made[0] == start:
            return self._made[1]
        end = start + HOUR
        # Leases that run into the hour are accounts at its start, and may be closed before its end.
        above, up_to = await self._orders.last_slots(start, end)
        orders_before = await self._orders.at(above)
        events = await self._orders.events(FOLLOWED, above, up_to)
        terms = terms_of(orders_before.of_kind("Lease"), orders_before.of_kind("Order"))
        first, last, evidence = await self._staking.last_slots(start, end, start + EVIDENCE_SECONDS)
        if self._made and self._made[0] + HOUR == start:
            before = self._made[1].devices
        else:
            before = _copied(await self._staking.at(first))
        book = await self._staking.at(last)
        classes = {row["id"]: staking.class_of(row) for row in book.of_kind("Class").values()}
        posted = [posting_of(event) for _, event in await self._staking.events({POSTED}, first, evidence)]
        found = HourHistory(
            devices=_copied(book),
            classes=classes,
            hired=hired(replay(events, terms), start),
            before=before,
            postings=posted,
            threshold=_threshold(book),
            terms=terms,
            events=events,
        )
        self._made = start, found
        return found


def _threshold(book: Book) -> int:
    """How many operators have to agree; 0 before the program is set up."""
    return next((int(each["params"]["threshold"]) for each in book.of_kind("Config").values()), 0)


def _copied(book: Book) -> dict[Pubkey, Fields]:
    """A book's devices as they are now: what a fold changes, it changes in place."""
    return {address: _own(fields) for address, fields in book.of_kind("Device").items()}


def _own(value: Any) -> Any:
    """A copy of what accounts are made of: only dictionaries and lists change."""
    if isinstance(value, dict):
        return {name: _own(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_own(each) for each in value]
    return value


class _Accounts(Kept):
    """One program's accounts at the ends of hours.

    As of a time, not of a slot: a program's transactions before a time are those up to a slot, as times
    never fall from one slot to the next.
    """

    def __init__(self, ledger: Ledger, keeps: bool) -> None:
        folds = FOLDS[ledger.program.name]
        super().__init__(ledger.database, ledger.indexer, folds, "hour_slot")
        self._keeps = keeps

    async def last_slots(self, *times: int) -> list[int]:
        """The slots of the last final transactions before these times."""
        mark = await self.indexer.watermark()
        own = sa.select(SIGNATURES.c.slot).filter_by(program=self.program.name)
        final = own.where(SIGNATURES.c.slot <= mark.final_slot).order_by(SIGNATURES.c.slot.desc()).limit(1)
        async with self.database.reading() as connection:
            found = [await connection.scalar(final.where(SIGNATURES.c.time < time)) for time in times]
        return [BEFORE_ALL if slot is None else slot for slot in found]

    async def at(self, end: int) -> Book:
        """The accounts as of slot ``end``."""
        if not self._keeps:
            return await self._passing(end)
        await self.back_to(end)
        return await self.fold(end)

    async def events(self, names: Collection[str], above: int, up_to: int) -> list[tuple[int, Event]]:
        """The events of these names in the slots above ``above`` and up to ``up_to``, with their times."""
        async with self.database.reading() as connection:
            found = await self.indexer.tables.read(connection, above, up_to, names)
        return [(place.time, event) for place, event in found]

    async def _passing(self, end: int) -> Book:
        """As :meth:`at`, but without writing anything down."""
        mark = await self.indexer.watermark()
        slot, book = BEFORE_ALL, Book(self.program)
        if self.slot_of(mark) <= end:
            slot, book = self.slot_of(mark), await self.load(mark)
        # The book is no longer as of the watermark.
        self._book = None
        while slot < end:
            slot = await self.advance(book, slot, end)
        return book
