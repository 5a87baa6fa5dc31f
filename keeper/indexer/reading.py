"""Reading many transactions from a node that may fail at any of them: what was read stays read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from solders.signature import Signature

from keeper.chain import ChainError, ChainReader, Listed, TransactionRecord
from keeper.chain.listed import listed_records

AT_ONCE = 16
"""Questions under way at a time; a chain that wants fewer lets the others wait."""


class Failure(NamedTuple):
    """The first transaction, in the order asked, that couldn't be read, and why."""

    listed: Listed
    error: Exception


class Reader:
    """Reads transactions from ``chain``, and keeps them until it is asked for others."""

    def __init__(self, chain: ChainReader) -> None:
        """Have read nothing yet."""
        self._chain = chain
        self.found: dict[Signature, TransactionRecord] = {}
        """What was read of what was last asked for."""

    async def read(self, listed: Sequence[Listed]) -> Failure | None:
        """Read all of these into ``found``; returns what stopped it, once nothing helps now.

        A failure ends a pass over what is missing, and another pass begins while that makes progress: each
        reads something, and fails at another transaction than the one before. So a node that now and then
        fails costs little more than its failures, and one that is down is asked once.
        """
        names = {each.signature for each in listed}
        self.found = {name: record for name, record in self.found.items() if name in names}
        last: Failure | None = None
        while missing := [each for each in listed if each.signature not in self.found]:
            before = len(self.found)
            failure = await self._pass(missing)
            if failure and not isinstance(failure.error, ChainError):
                raise failure.error
            stuck = failure and last and failure.listed == last.listed
            if failure and (stuck or len(self.found) == before):
                return failure
            last = failure
        return None

    async def _pass(self, missing: Sequence[Listed]) -> Failure | None:
        """Read on until one fails; those that were asked for by then are waited for, and kept."""
        failures: dict[int, Exception] = {}
        waiting = enumerate(missing)

        async def work(waiting: Iterator[tuple[int, Listed]]) -> None:
            while not failures:
                at, each = next(waiting, (-1, None))
                if each is None:
                    return
                try:
                    self.found[each.signature] = await self._record(each)
                except Exception as error:
                    failures[at] = error

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(missing))):
                group.create_task(work(waiting))
        if not failures:
            return None
        first = min(failures)
        return Failure(missing[first], failures[first])

    async def _record(self, each: Listed) -> TransactionRecord:
        (record,) = await listed_records(self._chain, [each.signature])
        if record is None or record.slot != each.slot:
            raise ChainError(
                f"the node lists {each.signature} in slot {each.slot} and hasn't got it there; "
                "ask one with a longer history"
            )
        return record
