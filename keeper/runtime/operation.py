"""A keeper at work on a database: who leads, what is indexed and compared, and how jobs act."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, ChainError, ChainReader, Event, Program, Signer
from keeper.chain.fees import FeePolicy
from keeper.clients.programs import PROGRAMS
from keeper.db import Database, Leader
from keeper.db.tables import HALTS
from keeper.indexer import ProgramIndexer, guard
from keeper.indexer.book import FoldError
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import WAITS, Comparison, Ledger
from keeper.jobs.port import Job, Port
from keeper.market.watch import Watch
from keeper.rewards import hours
from keeper.sender.sender import Sender

SWEEP, INDEX, COMPARE, REPLAYS = "sweep", "index", "compare", "replays"
"""The keeper's own jobs, beside those that act."""
OWN = SWEEP, INDEX, COMPARE, REPLAYS
COMPARE_SECONDS = 3_600.0


class Operation:
    """Everything that a keeper has beside its chain and its key."""

    def __init__(
        self, chain: ChainReader, database: Database, leader: Leader, programs: Sequence[Program]
    ) -> None:
        """Work on ``database`` and ``chain``, for these programs."""
        self.database = database
        self.leader = leader
        self.programs = programs
        self.rewards: Path | None = None
        """Where hours are published that pages are to show, if any are."""
        self._hour: int | None = None
        self._chain = chain
        self.indexers = [ProgramIndexer(chain, database, each) for each in programs]
        self.ledgers = [
            Ledger(chain, database, each, FOLDS[each.program.name])
            for each in self.indexers
            if each.program.name in FOLDS
        ]

    async def prepare(self, where: str) -> None:
        """Migrate the database, refuse one of another chain than that at ``where``, create missing tables.

        Raises DatabaseError, ChainUnreachable.
        """
        await self._chain.genesis_hash()  # Nothing is made for a chain that doesn't answer.
        await self.database.upgrade()
        await guard(self.database, self._chain, where)
        for each in self.indexers:
            await each.prepare()

    async def index(self, log: FilteringBoundLogger) -> None:
        """Index every program up to now, and make its accounts.

        Raises the first program's failure once all others are done.
        """
        failures: list[ChainError] = []
        for each in self.indexers:
            try:
                await self._index(each, log)
            except ChainError as error:
                failures.append(error)
        for ledger in self.ledgers:
            try:
                await self._fold(ledger, log)
            except ChainError as error:
                failures.append(error)
        await self._take_hours_in(log)
        if failures:
            raise failures[0]

    async def _take_hours_in(self, log: FilteringBoundLogger) -> None:
        """Take published hours in whenever one becomes final; what is published later comes with the next."""
        if self.rewards is None:
            return
        newest = await hours.newest_final(self.database)
        if newest != self._hour:
            await hours.take_in(self.database, self.rewards, log)
            self._hour = newest

    async def _index(self, indexer: ProgramIndexer, log: FilteringBoundLogger) -> None:
        done = await indexer.poll()
        if done.transactions or done.dropped:
            log.info(
                "index.advanced",
                program=indexer.program.name,
                transactions=done.transactions,
                events=done.events,
                dropped=done.dropped,
            )

    async def _fold(self, ledger: Ledger, log: FilteringBoundLogger) -> None:
        """Bring accounts up to now; where an event can't have happened, look for what is missing."""
        if ledger.comparing.locked():
            return  # They are being brought up to a slot of their own.
        try:
            await ledger.fold()
        except FoldError:
            healed = await ledger.look_again()
            if not healed:
                raise
            log.warning("ledger.healed", program=ledger.program.name, transactions=healed)
            await ledger.fold()

    async def compare(self, log: FilteringBoundLogger, waits: Sequence[float] = ()) -> list[Comparison]:
        """Compare every program's accounts with the chain's, see :meth:`Ledger.compare`.

        Raises the first program's failure once all others are done.
        """
        results: list[Comparison] = []
        failures: list[ChainError] = []
        for ledger in self.ledgers:
            try:
                results.append(await ledger.compare(waits))
            except ChainError as error:
                failures.append(error)
        for result in results:
            result.tell(log)
            if not result.differences:
                log.info("ledger.agrees", program=result.program, slot=result.slot, accounts=result.accounts)
        if failures:
            raise failures[0]
        return results

    async def resume(self, log: FilteringBoundLogger) -> list[Comparison]:
        """Compare, and lift the halts of programs whose accounts agree."""
        results = await self.compare(log)
        agreeing = [result.program for result in results if not result.differences]
        async with self.database.transaction() as connection:
            await connection.execute(sa.delete(HALTS).where(HALTS.c.program.in_(agreeing)))
        return results

    def jobs(self, chosen: Mapping[str, Job], sender: Sender, watch: Watch | None = None) -> dict[str, Job]:
        """``chosen`` with the keeper's own jobs: what is under way is settled first, and all is indexed.

        With a ``watch`` ticks are computed again, too.
        """

        async def sweep(port: Port) -> list[Event]:
            await sender.sweep(port.log)
            return []

        async def index(port: Port) -> list[Event]:
            await self.index(port.log)
            return []

        async def compare(port: Port) -> list[Event]:
            await self.compare(port.log, WAITS)
            return []

        found = {SWEEP: sweep, **chosen, INDEX: index, COMPARE: compare}
        if watch is None:
            return found

        async def replay(port: Port) -> list[Event]:
            await watch.look(port.log)
            return []

        return {**found, REPLAYS: replay}


@asynccontextmanager
async def operating(
    chain: ChainReader, where: str, url: str, holder: str, rewards: Path | None = None
) -> AsyncIterator[Operation]:
    """An operation on the chain at ``where`` and the database at ``url``, prepared.

    ``rewards`` is where hours are published. Gives up leadership on the way out.
    """
    database = Database(url)
    leader = Leader(database, holder)
    operation = Operation(chain, database, leader, list(PROGRAMS.values()))
    operation.rewards = rewards
    try:
        await operation.prepare(where)
        yield operation
    finally:
        await leader.resign()
        await database.close()


def sender_of(operation: Operation, chain: Chain, payer: Signer, fees: FeePolicy) -> Sender:
    """The sender of an operation for one payer."""
    return Sender(chain, operation.database, operation.leader, payer, fees=fees)
