"""A program's accounts as of its last final slot, and their comparison with the chain's.

A node may leave transactions out of the middle of a list. So lists are read again before accounts are
compared, and again, in other pages and further down, before they are called different.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain as chain_of
from itertools import cycle
from typing import cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.typing import FilteringBoundLogger

from keeper import resources
from keeper.chain import ChainError, ChainReader, ChainUnreachable, Event, Program, loader
from keeper.db import Database
from keeper.db.events import EventPlace
from keeper.db.tables import COMPARISONS, HALTS
from keeper.indexer import views
from keeper.indexer.book import Book, Fold, FoldError
from keeper.indexer.compare import Difference, differences
from keeper.indexer.folds import FOLDS
from keeper.indexer.kept import Kept, Located
from keeper.indexer.program import ProgramIndexer
from keeper.indexer.watermark import BEFORE_ALL, WITH_VIEWS

RECENT = 216_000
"""Slots, a day of them: what came since the last comparison that agreed before that is listed again with each
one. Accounts don't tell of a gap whose effects were undone or overwritten, and a day's transactions are few
pages. Not a number of comparisons: a keeper that is started again and again makes many in minutes."""
PAGES = 1_000, 700, 400
"""Transactions that are listed at once, look by look: a node that keeps pages ready has to make others."""
SNAPSHOTS = 5
"""How often accounts are asked for while another process makes them as of later slots."""
LOOKS = 2
"""How often all is listed again when accounts differ, at once."""
WAITS = 10.0, 30.0, 80.0
"""Seconds before each further look of a job, which has the time: a node may lack something for a while."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Accounts from events against the chain's at ``slot``.

    ``healed`` transactions came to light meanwhile that no list had before.
    """

    program: str
    slot: int
    accounts: int
    differences: list[Difference]
    healed: int = 0
    views: list[Difference] = field(default_factory=list)
    """Rows of views that aren't what the same accounts make: nothing but what people look up is wrong."""

    def tell(self, log: FilteringBoundLogger) -> None:
        """Log what was wrong."""
        if self.healed:
            log.warning("ledger.healed", program=self.program, transactions=self.healed)
        for difference in self.differences:
            log.error("ledger.differs", program=self.program, slot=self.slot, what=str(difference))
        for difference in self.views:
            log.error("views.differ", program=self.program, slot=self.slot, what=str(difference))


class Ledger(Kept):
    """The accounts of an indexed program, and the views that go with them."""

    def __init__(
        self, chain: ChainReader, database: Database, indexer: ProgramIndexer, folds: Mapping[str, Fold]
    ) -> None:
        """Fold what ``indexer`` indexes into ``database``; compare it with ``chain``."""
        super().__init__(database, indexer, folds, WITH_VIEWS)
        self._chain = chain
        self._beside = views.Window(indexer.program.name, BEFORE_ALL, BEFORE_ALL)
        self.comparing = asyncio.Lock()
        """Held while accounts are made as of the slot to compare at: they mustn't go past it meanwhile."""

    async def read(self, above: int, end: int) -> tuple[int, Located]:
        """See :class:`~keeper.indexer.kept.Kept`."""
        slot, events = await super().read(above, end)
        self._beside = views.Window(self.program.name, above, slot)
        return slot, events

    def _fold(self, book: Book, place: EventPlace, event: Event) -> None:
        book.now = place, event
        super()._fold(book, place, event)
        self._beside.see(book, place, event)

    async def _also(self, connection: AsyncConnection, book: Book) -> None:
        await views.write_lives(connection, self.indexer.views, book)
        await self._beside.write(connection)

    async def compare(self, waits: Sequence[float] = ()) -> Comparison:
        """Compare every account of the program with the chain's, as of one final slot, and keep the result.

        What is recent is listed again first. Differences are looked into: so is then all that there ever was,
        at once and after each of ``waits`` (seconds). What comes to light is indexed, and accounts are
        compared anew. A difference that stays also halts whatever moves money.
        Raises ChainUnreachable while the index, the chain or a list is behind another.
        """
        recent, pages = await self._recent(), cycle(PAGES)
        healed = await self.indexer.look_again(recent, page=next(pages))
        result = await self._compared()
        for wait in chain_of([0.0] * LOOKS, waits):
            if not result.differences:
                break
            await asyncio.sleep(wait)
            page = next(pages)
            for above in dict.fromkeys((recent, BEFORE_ALL)):
                healed += await self.indexer.look_again(above, page=page)
                result = await self._compared()
                if not result.differences:
                    break
        result = replace(result, healed=healed)
        await self._keep(result)
        return result

    async def rebuild(self, told: Callable[[int, int], None]) -> None:
        """Make accounts and views anew from the events that are indexed; asks no chain.

        ``told`` is called with how many slots of how many are done. Cut off, the next fold goes on.
        """
        end = (await self.indexer.watermark()).final_slot
        await self.back_to(BEFORE_ALL)
        await self.fold(end, lambda slot: told(slot, end))

    async def look_again(self) -> int:
        """Index what lists left out of what is recent; returns how many transactions."""
        return await self.indexer.look_again(await self._recent())

    async def agreed_slot(self, up_to: int | None = None) -> int:
        """The slot of the last comparison that agreed, of those ``up_to`` a slot; -1 for none."""
        slot = COMPARISONS.c.slot
        own = sa.select(sa.func.max(slot)).filter_by(program=self.program.name)
        agreed = own.where(sa.cast(COMPARISONS.c.differences, sa.Text) == "[]")
        async with self.database.reading() as connection:
            newest = await connection.scalar(agreed if up_to is None else agreed.where(slot <= up_to))
        return BEFORE_ALL if newest is None else int(newest)

    async def is_halted(self) -> bool:
        """Whether accounts differed, and nobody has looked at it yet."""
        async with self.database.reading() as connection:
            found = await connection.execute(sa.select(HALTS).filter_by(program=self.program.name))
            return found.first() is not None

    async def _recent(self) -> int:
        """The slot above which lists are read again."""
        return await self.agreed_slot((await self.indexer.watermark()).final_slot - RECENT)

    async def _compared(self) -> Comparison:
        name = self.program.name
        async with self.comparing:
            for _ in range(SNAPSHOTS):
                mark = await self.indexer.watermark()
                least = max(0, mark.folded_slot)
                slot, found = await self._chain.snapshot(self.program.address, min_slot=least)
                await self.index(slot)
                try:
                    book = await self.fold(slot)
                except FoldError as error:
                    return Comparison(name, slot, 0, [Difference("", "", "", str(error), None)])
                if self._slot == slot:
                    break
            else:
                raise ChainUnreachable(f"another process has {name}'s accounts as of slot {self._slot}")
            # Anyone can give a program an account, but only one of zeros, which none of its own is.
            on_chain = {at: account.data for at, account in found.items() if account.data.strip(b"\0")}
            result = Comparison(name, slot, len(on_chain), differences(book, on_chain))
            if not result.differences:
                result = replace(result, views=await self._views(book, slot))
            if result.differences:
                # In the database they may have been made anew by another process.
                self._book = None
            return result

    async def _views(self, book: Book, slot: int) -> list[Difference]:
        """Where the views aren't what accounts that equal the chain's make, as of the same slot."""
        of_kinds = {kind: book.of_kind(kind) for kind in self.indexer.views.by_kind}
        async with self.database.reading() as connection:
            if self.slot_of(await self.indexer.watermark_on(connection)) != slot:
                return []  # Another process has gone on, and compares by itself.
            indexer = self.indexer
            found = await views.differences(connection, indexer.views, of_kinds)
            return found + await views.closed_differences(connection, indexer.views, indexer.tables, slot)

    async def _deployed(self) -> str | None:
        """The hash of the program's bytes; None where there are none, or they can't be read now."""
        stated = resources.manifest().get(self.program.name, {})
        try:
            found = await loader.deployed(self._chain, self.program.address)
        except ChainError:
            # Of what was compared, nothing depends on it; the next comparison has it again.
            return None
        return None if found is None else loader.digest(found, stated.get("bytes", len(found)))

    async def _keep(self, result: Comparison) -> None:
        now, deployed = int(time.time()), await self._deployed()
        async with self.database.transaction() as connection:
            await connection.execute(
                sa.insert(COMPARISONS).values(
                    deployed_sha256=deployed,
                    program=result.program,
                    slot=result.slot,
                    at=now,
                    accounts=result.accounts,
                    differences=[asdict(each) for each in result.differences],
                    views=[asdict(each) for each in result.views],
                )
            )
            if result.differences:
                await connection.execute(sa.delete(HALTS).filter_by(program=result.program))
                reason = (
                    f"slot {result.slot}: {result.differences[0]}; the node was asked for all transactions "
                    "again and lists no other: ask another one (IONET_CHAIN)"
                )
                await connection.execute(
                    sa.insert(HALTS).values(program=result.program, reason=reason, since=now)
                )


async def rebuild_views(database: Database, program: Program, told: Callable[[int, int], None]) -> None:
    """Make one program's accounts and views anew, see :meth:`Ledger.rebuild`."""
    nowhere = cast("ChainReader", None)  # Folding asks no chain.
    indexer = ProgramIndexer(nowhere, database, program)
    await indexer.prepare()
    await Ledger(nowhere, database, indexer, FOLDS[program.name]).rebuild(told)
