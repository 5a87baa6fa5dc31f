"""What a keeper sees of the chain and of its database when it looks, and what of it is wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import sqlalchemy as sa
from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Commitment
from keeper.clients import staking, tokenomics
from keeper.db import Database
from keeper.db.tables import ATTEMPTS, INTENTS, LEADERSHIP, WATERMARKS
from keeper.economy import emission
from keeper.economy.calendar import HOUR
from keeper.indexer import lookup
from keeper.rewards.publication import PublicationError, read_manifest

T = TypeVar("T")


class Glance(Generic[T]):
    """Looks at one thing, for so long and no longer."""

    def __init__(self) -> None:
        """Nothing was looked at yet."""
        self._task: asyncio.Future[T] | None = None

    async def within(self, seconds: float, look: Callable[[], Awaitable[T]]) -> T:
        """What ``look`` finds; raises TimeoutError when it hasn't ended then.

        It is given up then, which may take as long as it likes: a server that is frozen answers to nothing,
        and so isn't asked anew before it has ended.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        if self._task is not None and not self._task.done():
            await asyncio.wait({self._task}, timeout=seconds)
            if not self._task.done():
                raise TimeoutError
        self._task = asyncio.ensure_future(look())
        try:
            await asyncio.wait({self._task}, timeout=until - clock())
            if not self._task.done():
                raise TimeoutError
            return self._task.result()
        finally:
            if not self._task.done():
                self._task.cancel()
                self._task.add_done_callback(_heard)


def _heard(task: asyncio.Future[T]) -> None:
    """Nobody waits for how it ended any more."""
    if not task.cancelled():
        task.exception()


@dataclass(frozen=True, slots=True)
class Conflict:
    """An operator attested something else for an hour than this keeper's own files say."""

    hour: int
    operator: Pubkey
    attested: bytes


@dataclass(frozen=True, slots=True)
class Blocks:
    """Reward blocks by the hours since emission began; -1 for none yet.

    ``waiting`` counts hours whose challenge window could be over and that are not final.
    """

    ended: int
    attested: int
    final: int
    waiting: int
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class Prices:
    """Operators' votes for the prices of the hour that ended last, and how long ago any were announced.

    ``votes_missing`` until enough agree: in an hour's first minutes nobody has voted. ``lag`` counts ended
    hours since the last one with announced steps; 0 where there were none yet.
    """

    votes_missing: int
    differ: bool
    lag: int


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """The chain: ``unminted`` counts ended hours, ``blocks`` is None before staking exists."""

    genesis: str
    slot: int
    time: int
    balance: int
    unminted: int
    blocks: Blocks | None
    prices: Prices | None = None


@dataclass(frozen=True, slots=True)
class DatabaseSeen:
    """The database: who leads, how far each program is indexed, what halts everything, what was sent.

    ``attempts`` are counts and fees (lamports) of signed transactions by job and state, of all time;
    ``intents`` counts of actions by state.
    """

    holder: str | None = None
    epoch: int = 0
    indexed: Mapping[str, int] = field(default_factory=dict)
    halts: Mapping[str, str] = field(default_factory=dict)
    attempts: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    intents: Mapping[str, int] = field(default_factory=dict)


async def look_at_chain(chain: ChainReader, address: Pubkey, rewards: Path) -> ChainSeen:
    """Read what concerns the keeper of ``address``, which publishes in ``rewards``."""
    questions = (
        asyncio.ensure_future(chain.genesis_hash()),
        asyncio.ensure_future(chain.slot(Commitment.FINALIZED)),
        asyncio.ensure_future(chain.clock()),
        asyncio.ensure_future(chain.accounts([address])),
        asyncio.ensure_future(tokenomics.read_config(chain)),
    )
    try:
        genesis, slot, clock, (account,), economy = await asyncio.gather(*questions)
    finally:
        for each in questions:
            each.cancel()
        await asyncio.gather(*questions, return_exceptions=True)
    now = clock.unix_timestamp
    unminted, blocks = 0, None
    config = await staking.read_config(chain)
    prices = await _look_at_prices(chain, config, now) if config else None
    if economy and economy.launched:
        unminted = emission.hours_ended(economy.start_month, now) - economy.emitted_hours
        if config is not None:
            blocks = await _look_at_blocks(chain, config, economy.start_month, now, address, rewards)
    return ChainSeen(genesis, slot, now, account.lamports if account else 0, unminted, blocks, prices)


async def _look_at_prices(chain: ChainReader, config: staking.Config, now: int) -> Prices:
    hour = now // HOUR - 1
    table = await staking.read_prices(chain, hour)
    slots = range(len(config.params.operators))
    votes = [table.votes[slot] for slot in slots if table and config.stands(slot, table.revision)]
    said = [each for each in votes if any(each)]
    announced = max((each.price_hour for each in (await staking.read_classes(chain)).values()), default=0)
    most = max(Counter(said).values(), default=0)
    missing = 0 if table and table.agreed else config.params.threshold - most
    return Prices(missing, len(set(said)) > 1, hour - announced if announced else 0)


async def _look_at_blocks(
    chain: ChainReader, config: staking.Config, start_month: int, now: int, address: Pubkey, rewards: Path
) -> Blocks:
    ended = emission.hours_ended(start_month, now)
    hours = range(config.next_hour, min(ended, config.next_hour + staking.MAX_HOURS_AHEAD))
    found = await staking.read_hours(chain, hours)
    attested, conflicts = config.next_hour - 1, []
    for hour, block in found.items():
        if block.is_decided(config) or block.vote(config, address):
            attested = max(attested, hour)
        try:
            ours = read_manifest(rewards, hour).attestation.hash
        except PublicationError:
            continue
        for operator in config.params.operators:
            vote = block.vote(config, operator)
            if operator != address and vote and vote != ours:
                conflicts.append(Conflict(hour, operator, vote))
    could_be_final = emission.hours_ended(start_month, now - config.params.challenge_window)
    return Blocks(
        ended=ended - 1,
        attested=attested,
        final=config.next_hour - 1,
        waiting=max(0, could_be_final - config.next_hour),
        conflicts=tuple(conflicts),
    )


async def look_at_database(database: Database) -> DatabaseSeen:
    """Read what concerns a keeper; raises DatabaseError."""
    async with database.reading() as connection:
        leader = (await connection.execute(sa.select(LEADERSHIP))).one_or_none()
        marks = await connection.execute(sa.select(WATERMARKS.c.program, WATERMARKS.c.final_slot))
        halts = await lookup.halts(connection)
        count, by = sa.func.count(), (ATTEMPTS.c.job, ATTEMPTS.c.state)
        attempts = await connection.execute(sa.select(*by, count, sa.func.sum(ATTEMPTS.c.fee)).group_by(*by))
        intents = await connection.execute(sa.select(INTENTS.c.state, count).group_by(INTENTS.c.state))
        return DatabaseSeen(
            leader.holder if leader else None,
            leader.epoch if leader else 0,
            {row.program: row.final_slot for row in marks},
            halts,
            {(job, state): (number, int(fees)) for job, state, number, fees in attempts},
            {state: number for state, number in intents},
        )
