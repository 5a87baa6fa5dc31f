"""The keeper's index as visitors read it: accounts and events that are final, as of a slot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from solders.pubkey import Pubkey
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.chain.program import Fields
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.db.tables import ACCOUNTS, CHAIN
from keeper.db.types import account_decoders
from keeper.errors import UserError
from keeper.indexer.lookup import as_of

SAME_SECONDS = 1.0
"""For so long the state is what it was when it was read: a keeper looks now and then, visitors all the time.

Rows may be newer than what is said of them then, and are never older.
"""


EMPTY = "nothing is indexed yet: ionet keeper run, or ionet index, fills the database"


class NothingIndexed(UserError):
    """The index has nothing of this network yet."""


@dataclass(frozen=True, slots=True)
class State:
    """How far the index is: everything is as of ``slot`` at least, when the chain's clock showed ``time``.

    ``looked`` is when the keeper last asked for what is new, unix seconds of its machine, whose clock needn't
    be the chain's; ``lag`` how many seconds ago.
    """

    slot: int
    time: int
    looked: int
    lag: int
    behind: int = 0
    """Slots that are known to be final and aren't in it yet, while it catches up."""


class Index:
    """What is read for a visitor; ``clock`` gives unix seconds."""

    def __init__(
        self, database: Database, clock: Callable[[], float] = time.time, lag_slots: int | None = None
    ) -> None:
        """Read from ``database``; behind by more than ``lag_slots`` the API doesn't answer from it."""
        self.database, self.lag_slots = database, lag_slots
        self._clock = clock
        self._read_at = -SAME_SECONDS
        self.last: State | None = None
        """What was found when it was read last, for who is told that it can't be now."""
        self._genesis: str | None = None
        self._decoders = {name: account_decoders(program) for name, program in PROGRAMS.items()}

    async def state(self) -> State:
        """How far it is, as of the last second. Raises NothingIndexed when no program is indexed yet."""
        known = self.last_known()
        if known is None or time.monotonic() - self._read_at >= SAME_SECONDS:
            return await self.read_state()
        return known

    async def read_state(self) -> State:
        """The same as of now."""
        asked_at = time.monotonic()
        async with self.database.reading() as connection:
            found = await as_of(connection)
        if found is None:
            raise NothingIndexed(EMPTY)
        self._read_at = asked_at
        self.last = State(found.slot, found.time, found.at, self._age(found.at), found.behind)
        return self.last

    def last_known(self) -> State | None:
        """The state that was read last, as old as it is by now; None when none ever was."""
        return None if self.last is None else replace(self.last, lag=self._age(self.last.looked))

    async def genesis(self) -> str:
        """The hash of the network's first block, read once. Raises NothingIndexed when it isn't known yet."""
        if self._genesis is None:
            async with self.database.reading() as connection:
                self._genesis = (await connection.execute(sa.select(CHAIN.c.genesis_hash))).scalar()
            if self._genesis is None:
                raise NothingIndexed(EMPTY)
        return self._genesis

    def _age(self, looked: int) -> int:
        return max(0, int(self._clock()) - looked)

    async def account(
        self, on: AsyncConnection, program: str, kind: str, address: Pubkey | str
    ) -> Fields | None:
        """An account's fields; None when there is none of that kind at the address."""
        query = sa.select(ACCOUNTS.c.fields).filter_by(program=program, address=str(address), kind=kind)
        found = (await on.execute(query)).scalar()
        return None if found is None else self.decoded(program, kind, found)

    async def accounts(
        self, on: AsyncConnection, program: str, kind: str, at: Iterable[Pubkey] | None = None
    ) -> dict[Pubkey, Fields]:
        """Accounts of a kind by address: all of them, where there are few, or those ``at`` some addresses."""
        query = sa.select(ACCOUNTS.c.address, ACCOUNTS.c.fields).filter_by(program=program, kind=kind)
        if at is not None:
            query = query.where(ACCOUNTS.c.address.in_(list(map(str, at))))
        return {
            Pubkey.from_string(address): self.decoded(program, kind, fields)
            for address, fields in await on.execute(query)
        }

    def decoded(self, program: str, kind: str, fields: Mapping[str, Any]) -> Fields:
        """An account's fields from its row."""
        found: Fields = self._decoders[program][kind](fields)
        return found
