"""What ``ionet market`` makes again from published files and from the chain's events: ticks and hours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Commitment
from keeper.chain.connect import connect
from keeper.cli.indexed import database
from keeper.cli.options import require_folders
from keeper.clients import orders, staking
from keeper.db import Database
from keeper.economy.calendar import HOUR
from keeper.economy.orders import TICK, tick_ends
from keeper.indexer import ProgramIndexer
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from keeper.market import audit
from keeper.market.assignment import assign
from keeper.market.facts import Facts
from keeper.market.files import TICKS_AN_HOUR
from keeper.market.findings import Replayed
from keeper.market.folder import MarketFolder
from keeper.market.matching import SUPPLIERS_TICK
from keeper.market.replay import Sources, of_hour, of_tick
from keeper.market.reputation import Reputation
from keeper.market.states import States
from keeper.market.steps import Counted
from keeper.market.why import Why
from keeper.market.why import why as why_of
from keeper.pow.profiles_by_hour import read_profiles_by_hour
from keeper.rewards.proven import Proven
from keeper.settings import Settings
from keeper.terminal.records import Record

Advanced = Callable[[int, int], None]
"""Told how many of how many are done."""


def replay(
    chosen: Settings,
    folder: Path | None,
    rewards: Path | None,
    *,
    tick: int | None,
    hour: int,
    on_chain: bool,
) -> Replayed:
    """A tick, or else an hour's steps, computed again and compared; raises UserError where that can't be.

    A tick only from its files in ``folder``, unless it is ``on_chain``, too.
    """
    work = _Replay(chosen, folder, rewards, on_chain)
    return asyncio.run(work.hour(hour) if tick is None else work.tick(tick))


def replay_all(
    chosen: Settings, folders: Sequence[Path], rewards: Path | None, advanced: Advanced
) -> list[Replayed]:
    """Every tick that operators posted or matched and every hour whose steps they voted for, computed again.

    Compared with the chain, and with the files in any of ``folders``; raises UserError where that can't be.
    """
    places = [MarketFolder(each) for each in folders]

    async def compare() -> list[Replayed]:
        async with sources(chosen, rewards) as (there, ended):
            events = await there.events()
            numbers = {each.fields["tick"] for each in events if each.name == "LeaseMatched"}
            ticks = sorted((numbers - {SUPPLIERS_TICK}) | audit.postings(events).keys())
            hours = sorted({each.fields["hour"] for each in events if each.name == "PricesVoted"})
            found, count = [], len(ticks) + len(hours)
            for at, tick in enumerate(ticks):
                having: list[MarketFolder | None] = [each for each in places if each.has(tick)]
                for place in having or [None]:
                    found.append(await of_tick(tick, there, events, place))
                advanced(at + 1, count)
            for at, hour in enumerate(hours, len(ticks)):
                having_steps = [each for each in places if each.has_steps(hour)]
                found.append(await of_hour(hour, ended, events, having_steps))
                advanced(at + 1, count)
            return found

    return asyncio.run(compare())


def why(
    chosen: Settings, folder: Path | None, rewards: Path | None, device: Pubkey, tick: int
) -> tuple[Why, Reputation | None]:
    """What became of a device in a tick, by the files in ``folder`` or else by the chain's events.

    Those alone tell what its reputation follows from; files have no more than its weight.
    """

    async def read() -> tuple[Why, Reputation | None]:
        if folder:
            batch = MarketFolder(folder).read(tick)
            return why_of(batch.snapshot, batch.matches, device), None
        async with sources(chosen, rewards) as (found, _):
            state = await found.state(tick)
            about = why_of(state, assign(state), device)
            return about, found.states.facts.reputation(device, state.now)

    return asyncio.run(read())


def is_at_hand(chosen: Settings) -> bool:
    """Whether events can be had without reading a node's whole history: of a chain in a file, or an index.

    Raises DatabaseError for an index that can't be read.
    """

    async def read() -> bool:
        found = Database(chosen.database)
        try:
            return await found.exists()
        finally:
            await found.close()

    return "://" not in chosen.chain or asyncio.run(read())


def record(chosen: Settings, device: Pubkey) -> Record | None:
    """A device's reputation as of the newest final block, with the leases that it follows from, by events.

    None for a device that isn't in it yet.
    """

    async def read() -> Record | None:
        async with sources(chosen, None) as (there, _):
            chain, facts = there.states.chain, there.states.facts
            slot, clock = await chain.slot(Commitment.FINALIZED), await chain.clock(Commitment.FINALIZED)
            if device not in (await facts.at(slot)).devices:
                return None
            return Record(facts.reputation(device, clock.unix_timestamp), facts.lease_ends(device))

    return asyncio.run(read())


def samples(chosen: Settings, rewards: Path | None, hours: int) -> list[Counted]:
    """What was counted in the last ``hours`` that are over, the oldest first, by the chain's events."""

    async def read() -> list[Counted]:
        async with sources(chosen, rewards) as (there, _):
            newest = await there.states.chain.clock(Commitment.FINALIZED)
            last = newest.unix_timestamp // HOUR
            found = [await there.states.samples(hour) for hour in range(last - hours, last)]
            profiles = there.states.profiles
            return [
                (each, each.table(each.classes, profiles.at(each.hour * HOUR).classes))
                for each in found
                if each is not None
            ]

    return asyncio.run(read())


# -- from the chain ----------------------------------------------------------------------------


@asynccontextmanager
async def sources(
    chosen: Settings, rewards: Path | None, chain: ChainReader | None = None
) -> AsyncIterator[tuple[Sources, States]]:
    """Open a chain that isn't given, and its index: sources of ticks, and states for hours that are over."""
    if rewards:
        require_folders(rewards)
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(connect(chosen.chain)) if chain is None else chain
        place = Path(stack.enter_context(TemporaryDirectory()))
        index = await database(stack, chosen, place, reader)
        ledgers = []
        for program in (staking.PROGRAM, orders.PROGRAM):
            indexer = ProgramIndexer(reader, index, program)
            await indexer.prepare()
            ledgers.append(Ledger(reader, index, indexer, FOLDS[program.name]))
        profiles, passed = read_profiles_by_hour(chosen.profiles), Proven(rewards or chosen.rewards)
        states, ended = (States(reader, Facts(ledgers), profiles, passed) for _ in range(2))
        yield Sources(states, ledgers), ended


@dataclass(frozen=True, slots=True)
class _Replay:
    """What a replay goes by."""

    settings: Settings
    folder: Path | None
    rewards: Path | None
    on_chain: bool

    async def tick(self, tick: int) -> Replayed:
        """Compute a tick again."""
        place = MarketFolder(self.folder) if self.folder else None
        if place and not self.on_chain:
            return audit.by_files(place, tick)[0]
        async with sources(self.settings, self.rewards) as (there, _):
            first = tick // TICKS_AN_HOUR * TICKS_AN_HOUR
            events = await there.events(first * TICK, tick_ends(tick) + 1)
            return await of_tick(tick, there, events, place)

    async def hour(self, hour: int) -> Replayed:
        """Compute an hour's steps again."""
        async with sources(self.settings, self.rewards) as (there, ended):
            events = await there.events((hour + 1) * HOUR, (hour + 2) * HOUR)
            return await of_hour(hour, ended, events, [MarketFolder(self.folder)] if self.folder else [])
