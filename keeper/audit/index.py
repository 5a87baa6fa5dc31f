"""An index of an audit's own: made from the chain alone, and gone when the audit is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from solders.signature import Signature

from keeper.audit.sources import Source
from keeper.chain import ChainReader, Commitment, Event, TransactionRecord
from keeper.chain.program import Program
from keeper.db import Database
from keeper.db.events import EventPlace
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from keeper.indexer.program import ProgramIndexer
from keeper.indexer.watermark import BEFORE_ALL
from keeper.rewards.history import PROGRAMS


@dataclass(frozen=True, slots=True)
class Index:
    """Events and accounts of staking and of orders, up to the final ``slot``."""

    database: Database
    ledgers: tuple[Ledger, ...]
    slot: int

    async def newer(self, chain: ChainReader) -> Index:
        """The same with what has become final since."""
        slot = await chain.slot(Commitment.FINALIZED)
        for each in self.ledgers:
            await each.index(slot)
        return replace(self, slot=slot)

    async def events(
        self, program: Program, names: Collection[str], above: int = BEFORE_ALL, up_to: int | None = None
    ) -> list[tuple[EventPlace, Event]]:
        """A program's events of these names, in their order."""
        ledger = next(each for each in self.ledgers if each.program.name == program.name)
        last = self.slot if up_to is None else up_to
        async with self.database.reading() as connection:
            return await ledger.indexer.tables.read(connection, above, last, names)


@asynccontextmanager
async def indexed(source: Source) -> AsyncIterator[Index]:
    """An index of a source's chain as far as it is final: where another part has made one, that one.

    Transactions that were read already aren't asked for again.
    """
    shared = source.shared
    if shared is None:
        async with _made(source.chain) as own:
            yield own
        return
    async with shared.indexing:
        if shared.index is None:
            chain = cast(ChainReader, _Known(source.chain, shared.records))
            shared.index = await shared.ends.enter_async_context(_made(chain))
        else:
            shared.index = await shared.index.newer(source.chain)
        found = shared.index
    yield found


class _Known:
    """A chain of which some transactions are known already."""

    def __init__(self, chain: ChainReader, known: Mapping[Signature, TransactionRecord]) -> None:
        self._chain, self._known = chain, known

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        """See :class:`~keeper.chain.ChainReader`."""
        unknown = [each for each in signatures if each not in self._known]
        asked = dict(zip(unknown, await self._chain.records(unknown), strict=True)) if unknown else {}
        return [asked[each] if each in asked else self._known[each] for each in signatures]


@asynccontextmanager
async def _made(chain: ChainReader) -> AsyncIterator[Index]:
    with TemporaryDirectory(prefix="ionet-audit-") as folder:
        database = Database(f"sqlite:///{Path(folder)}/index.db")
        try:
            await database.upgrade()
            ledgers = []
            for program in PROGRAMS:
                indexer = ProgramIndexer(chain, database, program)
                await indexer.prepare()
                ledgers.append(Ledger(chain, database, indexer, FOLDS[program.name]))
            yield await Index(database, tuple(ledgers), BEFORE_ALL).newer(chain)
        finally:
            await database.close()
