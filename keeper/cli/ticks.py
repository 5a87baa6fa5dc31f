"""What ``ionet market`` makes again from published files and from the chain's events: ticks and hours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from solders.pubkey import Pubkey

from keeper.chain import Commitment, Event
from keeper.chain.connect import connect
from keeper.cli.indexed import database
from keeper.clients import orders, staking
from keeper.economy.calendar import HOUR
from keeper.economy.orders import TICK, tick_ends
from keeper.errors import UserError
from keeper.indexer import ProgramIndexer
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from keeper.jobs.proven import Proven
from keeper.market import audit
from keeper.market.assignment import assign
from keeper.market.audit import SAME, Replayed, Verdict
from keeper.market.facts import Facts
from keeper.market.files import TICKS_AN_HOUR, Batch
from keeper.market.folder import MarketFolder
from keeper.market.reputation import Reputation
from keeper.market.snapshot import Snapshot
from keeper.market.states import States
from keeper.market.steps import Counted
from keeper.market.why import Why
from keeper.market.why import why as why_of
from keeper.pow.profiles_by_hour import read_profiles_by_hour
from keeper.pow.replay import first_at
from keeper.settings import Settings


class NotFinal(UserError):
    """A tick or an hour that nobody can look at yet."""


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
        async with sources(chosen, rewards) as found:
            state = await found.state(tick)
            about = why_of(state, assign(state), device)
            return about, found.states.facts.reputation(device, state.now)

    return asyncio.run(read())


def samples(chosen: Settings, rewards: Path | None, hours: int) -> list[Counted]:
    """What was counted in the last ``hours`` that are over, the oldest first, by the chain's events."""

    async def read() -> list[Counted]:
        async with sources(chosen, rewards) as there:
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


@dataclass(frozen=True, slots=True)
class Sources:
    """Earlier states of a chain, and its events."""

    states: States
    ledgers: tuple[Ledger, ...]

    async def state(self, tick: int) -> Snapshot:
        """The state of a tick's slot; raises NotFinal, and as :meth:`~keeper.market.states.States.at`."""
        found = await self.states.at(tick)
        if found is None:
            raise NotFinal(f"tick {tick} isn't over, or not final yet: ask again in a minute")
        return found

    async def events(self, begins: int, ends: int) -> list[Event]:
        """The programs' events between two times, unix seconds, as far as they are final."""
        chain, events = self.states.chain, []
        first, last = [await first_at(chain, time, Commitment.FINALIZED) for time in (begins, ends)]
        above = first.slot - 1 if first else await chain.slot(Commitment.FINALIZED)
        up_to = last.slot if last else await chain.slot(Commitment.FINALIZED)
        for ledger in self.ledgers:
            await ledger.index(up_to)
            async with ledger.database.reading() as connection:
                found = await ledger.indexer.tables.read(connection, above, up_to, ("Posted", "LeaseMatched"))
            events += [event for _, event in found]
        return events


@asynccontextmanager
async def sources(chosen: Settings, rewards: Path | None) -> AsyncIterator[Sources]:
    """Open a chain and its index."""
    async with AsyncExitStack() as stack:
        chain = await stack.enter_async_context(connect(chosen.chain))
        place = Path(stack.enter_context(TemporaryDirectory()))
        index = await database(stack, chosen, place)
        ledgers = []
        for program in (staking.PROGRAM, orders.PROGRAM):
            indexer = ProgramIndexer(chain, index, program)
            await indexer.prepare()
            ledgers.append(Ledger(chain, index, indexer, FOLDS[program.name]))
        profiles = read_profiles_by_hour()
        states = States(chain, Facts(ledgers), profiles, Proven(rewards or chosen.rewards))
        yield Sources(states, tuple(ledgers))


@dataclass(frozen=True, slots=True)
class _Replay:
    """What a replay goes by."""

    settings: Settings
    folder: Path | None
    rewards: Path | None
    on_chain: bool

    async def tick(self, tick: int) -> Replayed:
        """Compute a tick again."""
        batch, folder = None, MarketFolder(self.folder) if self.folder else None
        found = Replayed(tick=tick, by_files=folder is not None)
        if folder:
            batch, found.finding = audit.of_files(folder, tick)
        if batch:
            found.of(batch.snapshot, batch.matches)
        if found.finding == SAME and self.on_chain:
            async with sources(self.settings, self.rewards) as there:
                await _compare(found, tick, there, folder, batch)
        return found

    async def hour(self, hour: int) -> Replayed:
        """Compute an hour's steps again."""
        found = Replayed(hour=hour, by_files=self.folder is not None)
        async with sources(self.settings, self.rewards) as there:
            rule = await there.states.steps(hour)
            table = await staking.read_prices(there.states.chain, hour)
        if rule is None:
            raise NotFinal(f"hour {hour} isn't over, or not final yet: ask again later")
        found.steps = rule
        if self.folder:
            found.finding = audit.of_published(MarketFolder(self.folder), rule)
        if found.finding == SAME:
            found.finding = audit.of_vote(table, rule)
        return found


async def _compare(
    found: Replayed, tick: int, there: Sources, folder: MarketFolder | None, batch: Batch | None
) -> None:
    """Compare a tick with the chain, up to the first difference."""
    first = tick // TICKS_AN_HOUR * TICKS_AN_HOUR
    events = await there.events(first * TICK, tick_ends(tick) + 1)
    posted, made = audit.postings(events, first, tick), audit.matches(events, tick)
    bases = {}
    for operator in posted.get(tick, ()):
        base = audit.base_tick(posted, operator, tick)
        bases[operator] = await there.state(base) if base is not None and batch is None else None
    state, of_tick = await there.state(tick), posted.get(tick, {})
    rule = assign(state)
    found.of(state, rule)
    found.on_chain, found.posted = len(made), len(of_tick)
    unknown: set[Pubkey] = set()
    if batch and (other := audit.of_rules(batch, state)) != SAME:
        found.finding = other
        return
    if folder and batch:
        found.finding = audit.of_state(folder, batch, state, rule)
        if found.finding == SAME:
            found.finding = audit.of_posting(batch, of_tick, made)
    else:
        found.finding, unknown = audit.of_hashes(state, rule, of_tick, bases, made)
    if found.finding.verdict is not Verdict.DIFFERENT:
        finding, found.skipped = audit.of_matches(rule, made, unknown)
        found.finding = finding if finding != SAME else found.finding
    found.finding = audit.vouched(found.finding, batch, of_tick)
