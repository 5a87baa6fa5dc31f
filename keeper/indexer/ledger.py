"""A program's accounts as of its last final slot, and their comparison with the chain's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from keeper.chain import ChainReader
from keeper.db import Database
from keeper.db.tables import COMPARISONS, HALTS
from keeper.indexer.book import Fold, FoldError
from keeper.indexer.compare import Difference, differences
from keeper.indexer.kept import Kept
from keeper.indexer.program import ProgramIndexer


@dataclass(frozen=True, slots=True)
class Comparison:
    """Accounts from events against the chain's at ``slot``."""

    program: str
    slot: int
    accounts: int
    differences: list[Difference]


class Ledger(Kept):
    """The accounts of an indexed program."""

    def __init__(
        self, chain: ChainReader, database: Database, indexer: ProgramIndexer, folds: Mapping[str, Fold]
    ) -> None:
        """Fold what ``indexer`` indexes into ``database``; compare it with ``chain``."""
        super().__init__(database, indexer, folds, "folded_slot")
        self._chain = chain

    async def compare(self) -> Comparison:
        """Compare every account of the program with the chain's, as of one final slot, and keep the result.

        A difference also halts whatever moves money. Raises ChainUnreachable while the index or the
        chain is behind the other.
        """
        mark = await self.indexer.watermark()
        slot, found = await self._chain.snapshot(self.program.address, min_slot=max(0, mark.folded_slot))
        await self.index(slot)
        try:
            book = await self.fold(slot)
        except FoldError as error:
            result = Comparison(self.program.name, slot, 0, [Difference("", "", "", str(error), None)])
            await self._keep(result)
            return result
        # Anyone can give a program an account, but only one of zeros, which none of its own is.
        on_chain = {at: account.data for at, account in found.items() if account.data.strip(b"\0")}
        result = Comparison(self.program.name, slot, len(on_chain), differences(book, on_chain))
        await self._keep(result)
        return result

    async def _keep(self, result: Comparison) -> None:
        now = int(time.time())
        async with self.database.transaction() as connection:
            await connection.execute(
                sa.insert(COMPARISONS).values(
                    program=result.program,
                    slot=result.slot,
                    at=now,
                    accounts=result.accounts,
                    differences=[asdict(each) for each in result.differences],
                )
            )
            if result.differences:
                await connection.execute(sa.delete(HALTS).filter_by(program=result.program))
                reason = f"slot {result.slot}: {result.differences[0]}"
                await connection.execute(
                    sa.insert(HALTS).values(program=result.program, reason=reason, since=now)
                )
