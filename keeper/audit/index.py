"""An index of an audit's own: made from the chain alone, and gone when the audit is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from keeper.chain import ChainReader, Commitment, Event
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

    async def events(
        self, program: Program, names: Collection[str], above: int = BEFORE_ALL, up_to: int | None = None
    ) -> list[tuple[EventPlace, Event]]:
        """A program's events of these names, in their order."""
        ledger = next(each for each in self.ledgers if each.program.name == program.name)
        last = self.slot if up_to is None else up_to
        async with self.database.reading() as connection:
            return await ledger.indexer.tables.read(connection, above, last, names)


@asynccontextmanager
async def indexed(chain: ChainReader) -> AsyncIterator[Index]:
    """Index a chain as far as it is final."""
    with TemporaryDirectory(prefix="ionet-audit-") as folder:
        database = Database(f"sqlite:///{Path(folder)}/index.db")
        try:
            await database.upgrade()
            ledgers = []
            for program in PROGRAMS:
                indexer = ProgramIndexer(chain, database, program)
                await indexer.prepare()
                ledgers.append(Ledger(chain, database, indexer, FOLDS[program.name]))
            slot = await chain.slot(Commitment.FINALIZED)
            for each in ledgers:
                await each.index(slot)
            yield Index(database, tuple(ledgers), slot)
        finally:
            await database.close()
