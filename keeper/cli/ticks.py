"""What ``ionet market`` makes again from published files and from the chain's events: ticks and hours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
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
from keeper.indexer.program import BEFORE_ALL
from keeper.jobs.proven import Proven
from keeper.market import audit
from keeper.market.assignment import assign
from keeper.market.audit import SAME, Replayed, Verdict
from keeper.market.facts import Facts
from keeper.market.files import TICKS_AN_HOUR
from keeper.market.folder import MarketFolder
from keeper.market.matching import SUPPLIERS_TICK
from keeper.market.reputation import Reputation
from keeper.market.snapshot import Snapshot
from keeper.market.states import States
from keeper.market.steps import Counted
from keeper.market.why import Why
from keeper.market.why import why as why_of
from keeper.pow.profiles_by_hour import read_profiles_by_hour
from keeper.pow.replay import first_at
from keeper.settings import Settings

SAID = "Posted", "LeaseMatched", "PricesVoted", "PriceApplied"
"""The events by which operators say what they found, and do what follows."""
Advanced = Callable[[int, int], None]
"""Told how many of how many are done."""


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


def replay_all(
    chosen: Settings, folders: Sequence[Path], rewards: Path | None, advanced: Advanced
) -> list[Replayed]:
    """Every tick that operators posted or matched and every hour whose steps they voted for, computed again.

    Compared with the chain, and with the files in any of ``folders``; raises UserError where that can't be.
    """
    places = [MarketFolder(each) for each in folders]

    async def compare() -> list[Replayed]:
        async with sources(chosen, rewards) as there:
            events = await there.events()
            numbers = {each.fields["tick"] for each in events if each.name == "LeaseMatched"}
            ticks = sorted((numbers - {SUPPLIERS_TICK}) | audit.postings(events).keys())
            hours = sorted({each.fields["hour"] for each in events if each.name == "PricesVoted"})
            found, count = [], len(ticks) + len(hours)
            for at, tick in enumerate(ticks):
                having: list[MarketFolder | None] = [each for each in places if each.has(tick)]
                for place in having or [None]:
                    found.append(await _tick(tick, there, events, place))
                advanced(at + 1, count)
            for at, hour in enumerate(hours, len(ticks)):
                found.append(
                    await _hour(hour, there, events, [each for each in places if each.has_steps(hour)])
                )
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
    """Earlier states of a chain, one for ticks and one for hours that are over, and its events."""

    states: States
    ended: States
    ledgers: tuple[Ledger, ...]
    known: dict[int, Snapshot] = field(default_factory=dict)
    """The states of ticks that were asked for in the last one's hour."""

    async def state(self, tick: int) -> Snapshot:
        """The state of a tick's slot; raises NotFinal, and as :meth:`~keeper.market.states.States.at`."""
        if tick not in self.known:
            found = await self.states.at(tick)
            if found is None:
                raise NotFinal(f"tick {tick} isn't over, or not final yet: ask again in a minute")
            for each in [each for each in self.known if each // TICKS_AN_HOUR != tick // TICKS_AN_HOUR]:
                del self.known[each]
            self.known[tick] = found
        return self.known[tick]

    async def events(self, begins: int | None = None, ends: int | None = None) -> list[Event]:
        """What operators said and did between two times, unix seconds, as far as it is final.

        From the first event on, and up to the last one, unless they are given.
        """
        chain, events = self.states.chain, []
        newest = await chain.slot(Commitment.FINALIZED)
        above, up_to = BEFORE_ALL, newest
        if begins is not None:
            first = await first_at(chain, begins, Commitment.FINALIZED)
            above = first.slot - 1 if first else newest
        if ends is not None:
            last = await first_at(chain, ends, Commitment.FINALIZED)
            up_to = last.slot if last else newest
        for ledger in self.ledgers:
            await ledger.index(up_to)
            async with ledger.database.reading() as connection:
                found = await ledger.indexer.tables.read(connection, above, up_to, SAID)
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
        profiles, passed = read_profiles_by_hour(), Proven(rewards or chosen.rewards)
        states, ended = (States(chain, Facts(ledgers), profiles, passed) for _ in range(2))
        yield Sources(states, ended, tuple(ledgers))


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
        async with sources(self.settings, self.rewards) as there:
            first = tick // TICKS_AN_HOUR * TICKS_AN_HOUR
            events = await there.events(first * TICK, tick_ends(tick) + 1)
            return await _tick(tick, there, events, place)

    async def hour(self, hour: int) -> Replayed:
        """Compute an hour's steps again."""
        async with sources(self.settings, self.rewards) as there:
            events = await there.events((hour + 1) * HOUR, (hour + 2) * HOUR)
            return await _hour(hour, there, events, [MarketFolder(self.folder)] if self.folder else [])


async def _tick(tick: int, there: Sources, events: Sequence[Event], folder: MarketFolder | None) -> Replayed:
    """Compare a tick with the chain, and before that with files in ``folder``, up to the first difference."""
    found, batch = audit.by_files(folder, tick) if folder else (Replayed(tick=tick), None)
    first = tick // TICKS_AN_HOUR * TICKS_AN_HOUR
    posted, made = audit.postings(events, first, tick), audit.matches(events, tick)
    of_tick = posted.get(tick, {})
    found.on_chain, found.posted = len(made), len(of_tick)
    if found.finding != SAME:
        found.finding = audit.vouched(found.finding, batch, of_tick)
        return found
    bases = {}
    for operator in of_tick:
        base = audit.base_tick(posted, operator, tick)
        bases[operator] = await there.state(base) if base is not None and batch is None else None
    state = await there.state(tick)
    rule = assign(state)
    found.of(state, rule)
    unknown: set[Pubkey] = set()
    if batch and (other := audit.of_rules(batch, state)) != SAME:
        found.finding = other
        return found
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
    return found


async def _hour(
    hour: int, there: Sources, events: Sequence[Event], folders: Sequence[MarketFolder]
) -> Replayed:
    """Compare an hour's steps with files, with what was voted for and with what was announced."""
    rule = await there.ended.steps(hour)
    if rule is None:
        raise NotFinal(f"hour {hour} isn't over, or not final yet: ask again later")
    if not rule.steps:
        raise UserError(
            f"hour {hour} had no class: hours of the market are unix time over 3,600, not counted from the "
            "emission's beginning"
        )
    found = Replayed(hour=hour, by_files=bool(folders), steps=rule)
    classes = await there.ended.classes(hour)
    of_files = (audit.of_published(each, rule) for each in folders)
    announced, found.announced = audit.of_announced(events, rule, classes)
    findings = [*of_files, audit.of_vote(events, rule), announced]
    found.finding = next((each for each in findings if each != SAME), SAME)
    return found
