"""Ticks and hours computed again from a chain's events, and compared with what operators said and did."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from keeper.chain import Commitment, Event
from keeper.economy.calendar import unix_hour
from keeper.errors import UserError
from keeper.indexer.ledger import Ledger
from keeper.indexer.watermark import BEFORE_ALL
from keeper.market import audit, audit_hours
from keeper.market.assignment import assign
from keeper.market.files import TICKS_AN_HOUR
from keeper.market.findings import SAME, Finding, Replayed, Verdict
from keeper.market.folder import MarketFolder
from keeper.market.snapshot import Snapshot
from keeper.market.states import States

SAID = "Posted", "LeaseMatched", "PricesVoted", "PriceApplied"
"""The events by which operators say what they found, and do what follows."""


class NotFinal(UserError):
    """A tick or an hour that nobody can look at yet."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Earlier states of a chain, and what operators said and did. Ask for ticks in order."""

    states: States
    ledgers: Sequence[Ledger]
    _known: dict[int, Snapshot] = field(default_factory=dict, init=False, repr=False)

    async def state(self, tick: int, keep: Collection[int] = ()) -> Snapshot:
        """The state of a tick's slot; raises NotFinal, and as :meth:`~keeper.market.states.States.at`.

        It is kept in memory until another one is asked for, and as long as it is one of those to ``keep``.
        """
        if tick not in self._known:
            found = await self.states.at(tick)
            if found is None:
                raise NotFinal(f"tick {tick} isn't over, or not final yet: ask again in a minute")
            for each in [each for each in self._known if each not in keep]:
                del self._known[each]
            self._known[tick] = found
        return self._known[tick]

    def forget(self) -> None:
        """Make states again where they are asked for: events came to light."""
        self._known.clear()

    async def events(self, begins: int | None = None, ends: int | None = None) -> list[Event]:
        """What operators said and did between two times, unix seconds, as far as it is final.

        From the first event on, and up to the last one, unless they are given.
        """
        newest = await self.states.chain.slot(Commitment.FINALIZED)
        above, up_to = BEFORE_ALL, newest
        if begins is not None:
            first = await self.states.first(begins)
            above = first.slot - 1 if first else newest
        if ends is not None:
            last = await self.states.first(ends)
            up_to = last.slot if last else newest
        events: list[Event] = []
        for ledger in self.ledgers:
            await ledger.index(up_to)
            async with ledger.database.reading() as connection:
                found = await ledger.indexer.tables.read(connection, above, up_to, SAID)
            events += [event for _, event in found]
        return events


async def of_tick(
    tick: int, there: Sources, events: Sequence[Event], folder: MarketFolder | None = None
) -> Replayed:
    """Compare a tick with the chain, and before that with files in ``folder``, up to the first difference.

    ``events`` are those from the beginning of the tick's hour on. Raises as :meth:`Sources.state`.
    """
    found, batch = audit.by_files(folder, tick) if folder else (Replayed(tick=tick), None)
    first = tick // TICKS_AN_HOUR * TICKS_AN_HOUR
    posted, made = audit.postings(events, first, tick), audit.matches(events, tick)
    of_tick = posted.get(tick, {})
    found.on_chain, found.posted = len(made), len(of_tick)
    if found.finding != SAME:
        found.finding = audit.vouched(found.finding, batch, of_tick)
        return found
    bases = audit.base_ticks(posted, tick)
    if batch is None:
        # In order: an earlier state than the last is made from the first event on.
        for each in sorted({bases[operator] for operator in of_tick if operator in bases}):
            await there.state(each, bases.values())
    state = await there.state(tick, bases.values())
    rule = assign(state)
    found.of(state, rule)
    if batch and (other := audit.of_rules(batch, state)) != SAME:
        found.finding = other
        return found
    unknown: set[Pubkey] = set()
    if folder and batch:
        found.finding = audit.of_state(folder, batch, state, rule)
        if found.finding == SAME:
            found.finding = audit.of_posting(batch, of_tick, made)
        # What another one's batch was decided by is in files of its own.
        unknown = of_tick.keys() - {Pubkey.from_string(batch.manifest.operator)}
    else:
        before = {
            operator: await there.state(bases[operator], bases.values()) if operator in bases else None
            for operator in of_tick
        }
        found.finding, unknown = audit.of_hashes(state, rule, of_tick, before, made)
    if found.finding.verdict is not Verdict.DIFFERENT:
        finding, found.skipped = audit.of_matches(rule, made, unknown)
        found.finding = finding if finding != SAME else found.finding
    found.finding = audit.vouched(found.finding, batch, of_tick)
    found.unknown = tuple(sorted(unknown, key=bytes))
    return found


async def of_hour(
    hour: int, states: States, events: Sequence[Event], folders: Sequence[MarketFolder]
) -> Replayed:
    """Compare an hour's steps with files, with what was voted for and with what was announced."""
    rule = await states.steps(hour)
    if rule is None:
        raise NotFinal(f"{unix_hour(hour)} isn't over, or not final yet: ask again later")
    if not rule.steps:
        raise UserError(
            f"{unix_hour(hour)} had no class: hours of the market are unix time over 3,600, not counted from "
            "the emission's beginning"
        )
    found = Replayed(hour=hour, by_files=bool(folders), steps=rule)
    classes = await states.classes(hour)
    of_files: list[Finding] = [audit_hours.of_published(each, rule) for each in folders]
    announced, found.announced = audit_hours.of_announced(events, rule, classes)
    findings = [*of_files, audit_hours.of_vote(events, rule), announced]
    found.finding = next((each for each in findings if each != SAME), SAME)
    return found
