"""The network as a whole: who governs it, what is in force, where all IO is."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.index import Index, NothingIndexed
from keeper.chain.program import Fields
from keeper.clients import tokenomics
from keeper.db.views import DAY_TOTAL
from keeper.economy.calendar import month_start


@dataclass(frozen=True, slots=True)
class Books:
    """Where all IO is by the programs' own books, base units.

    ``genesis + emitted - burned = supply`` and ``supply = locked + seasons + rewards + circulating``. IO that
    its owner burned without the program is counted once somebody has it counted (``sync_burned``).
    """

    genesis: int
    emitted: int
    burned: int
    locked: int
    seasons: int
    rewards: int

    @property
    def supply(self) -> int:
        """All IO that exists."""
        return self.genesis + self.emitted - self.burned

    @property
    def circulating(self) -> int:
        """What no vault of the protocol owes to somebody."""
        return self.supply - self.locked - self.seasons - self.rewards


async def config(on: AsyncConnection, index: Index, program: str) -> Fields:
    """A program's root account. Raises NothingIndexed where it was never set up."""
    found = await index.accounts(on, program, "Config")
    if not found:
        raise NothingIndexed(f"{program} is not set up on this chain: ionet genesis does that")
    return next(iter(found.values()))


def emission_start(config: tokenomics.Config) -> int | None:
    """When the first hour of emission began, unix seconds; None before launch."""
    return month_start(config.start_month) if config.launched else None


async def flows(on: AsyncConnection) -> dict[int, dict[str, int]]:
    """What tokenomics moved on each day (unix time // 86,400) on which anything was, base units by name."""
    table = DAY_TOTAL.c
    query = sa.select(table.day, table.name, table.amount).where(table.program == "tokenomics")
    found: dict[int, dict[str, int]] = {}
    for day, name, amount in await on.execute(query.order_by(table.day)):
        found.setdefault(day, {})[name] = int(amount)
    return found


async def books(on: AsyncConnection, index: Index, tokens: Fields, staking: Fields) -> Books:
    """Add the books up, by the root accounts of tokenomics and of staking."""
    seasons = await index.accounts(on, "tokenomics", "Season")
    open_seasons = [each for each in seasons.values() if each["status"] != tokenomics.SeasonStatus.CLOSED]
    return Books(
        genesis=tokens["allocated"] if tokens["launched"] else 0,
        emitted=tokens["emitted"],
        burned=tokens["burned"],
        locked=tokens["allocated"] - tokens["released"] if tokens["launched"] else 0,
        seasons=sum(each["total"] - each["claimed"] for each in open_seasons),
        rewards=tokens["emitted"] - staking["claimed"],
    )
