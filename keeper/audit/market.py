"""Ticks and steps of the market: batches, matches, votes and prices, each held to the rule."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from solders.pubkey import Pubkey

from keeper.audit.findings import Code, Finding, Part, Unchecked
from keeper.audit.index import Index, indexed
from keeper.audit.sources import Source, Told, untold
from keeper.chain import Event
from keeper.clients import staking
from keeper.clients.staking import Block
from keeper.db.events import EventPlace
from keeper.economy.calendar import unix_hour
from keeper.errors import UserError
from keeper.market import audit, audit_hours
from keeper.market.assignment import assign
from keeper.market.due import pairs_of
from keeper.market.facts import Facts
from keeper.market.findings import Culprit, Replayed, Verdict
from keeper.market.findings import Finding as Said
from keeper.market.folder import MarketFolder
from keeper.market.matching import SUPPLIERS_TICK
from keeper.market.replay import SAID, NotFinal, Sources, of_tick
from keeper.market.states import States
from keeper.market.steps import StepTable
from keeper.pow.anchored import PostKind
from keeper.pow.profiles_by_hour import read_profiles_by_hour
from keeper.rewards.proven import Proven
from keeper.rewards.publication import PublicationError

PART = "market"


class _Passed:
    """Which devices passed their work, by the files of whichever folder has the hour that was agreed on."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._all = [Proven(each) for each in folders]

    def __call__(self, block: Block) -> Collection[Pubkey]:
        error: PublicationError | None = None
        for each in self._all:
            try:
                return each(block)
            except PublicationError as lacking:
                error = lacking
        raise error or PublicationError("no folder of published hours: --rewards")


async def check(
    source: Source, told: Told = untold, *, tick: int | None = None, hour: int | None = None
) -> Part:
    """Hold every tick and hour that operators spoke of to the rule, or one of them alone.

    With an operator's folder its files are named where they differ; without, hashes and matches alone are.
    """
    async with indexed(source) as index:
        found = Replays(source, index)
        await found.run(told, tick, hour)
        return Part(PART, found.counts, tuple(found.unchecked), tuple(found.findings))


class Replays:
    """Ticks and hours computed again; ask for ticks in order."""

    def __init__(self, source: Source, index: Index) -> None:
        """Have computed nothing yet."""
        self.findings: list[Finding] = []
        self.unchecked: list[Unchecked] = []
        self.counts = {"batches": 0, "matches": 0, "hours": 0, "votes": 0, "prices": 0}
        self._index = index
        self._places = [MarketFolder(each) for each in source.market]
        profiles, passed = read_profiles_by_hour(source.profiles), _Passed(source.rewards)
        states, self._ended = (States(source.chain, Facts(index.ledgers), profiles, passed) for _ in range(2))
        self._sources = Sources(states, index.ledgers)

    async def run(self, told: Told, tick: int | None, hour: int | None) -> None:
        """All of it, or one tick, or one hour."""
        said = await self.said()
        events = [event for _, event in said]
        numbers = {each.fields["tick"] for each in events if each.name == "LeaseMatched"}
        ticks = sorted((numbers - {SUPPLIERS_TICK}) | audit.postings(events).keys())
        hours = sorted({each.fields["hour"] for each in events if each.name == "PricesVoted"})
        if tick is not None or hour is not None:
            ticks = [each for each in (tick,) if each is not None]
            hours = [each for each in (hour,) if each is not None]
        for at, each in enumerate(ticks):
            await self._tick(each, events)
            told("ticks", at + 1, len(ticks))
        for at, each in enumerate(hours):
            await self._hour(each, said)
            told("hours of prices", at + 1, len(hours))

    async def said(self) -> list[tuple[EventPlace, Event]]:
        """What operators said and did, in the order of each program."""
        found = []
        for ledger in self._index.ledgers:
            found += await self._index.events(ledger.program, SAID)
        return found

    async def of_match(
        self, tick: int, order: Pubkey, device: Pubkey, matcher: Pubkey, events: Sequence[Event]
    ) -> None:
        """Whether the rule gives one match of an operator, who posted the batch that it is of.

        Where it isn't so, the operator's files say where they differ, or the chain alone does.
        """

        def is_of_it(each: Event) -> bool:
            fields = each.fields
            if each.name == "LeaseMatched" and fields["tick"] == tick:
                return (fields["order"], fields["device"], fields["matcher"]) == (order, device, matcher)
            is_batch = each.name == "Posted" and fields["kind"] == PostKind.BATCH
            return not (is_batch and fields["number"] == tick) or fields["operator"] == matcher

        own = (each for each in self._places if each.has(tick) and each.operator(tick) == matcher)
        place = next(own, None)
        try:
            rule = set(pairs_of(assign(await self._sources.state(tick))))
            if (order, device) in rule and matcher in audit.postings(events, tick, tick).get(tick, {}):
                return
            found = await of_tick(tick, self._sources, list(filter(is_of_it, events)), place)
        except UserError as error:
            self.unchecked.append(Unchecked(f"the match of {device} in tick {tick}", str(error)))
            return
        self._of_tick(tick, found, place)

    # -- ticks ---------------------------------------------------------------------------------

    async def _tick(self, tick: int, events: Sequence[Event]) -> None:
        """A tick by each folder that has it, or by the chain alone."""
        having: list[MarketFolder | None] = [each for each in self._places if each.has(tick)]
        for place in having or [None]:
            try:
                found = await of_tick(tick, self._sources, events, place)
            except UserError as error:
                self.unchecked.append(Unchecked(f"tick {tick}", str(error)))
                return
            self._of_tick(tick, found, place)
        self.counts["matches"] += len(audit.matches(events, tick))

    def _of_tick(self, tick: int, found: Replayed, place: MarketFolder | None) -> None:
        said = found.finding
        self.counts["batches"] += 1
        if said.verdict is Verdict.MISSING:
            self.unchecked.append(Unchecked(f"tick {tick}", said.what))
        elif said.verdict is Verdict.DIFFERENT:
            self.findings.append(of_culprit(tick, said, place))

    # -- hours ---------------------------------------------------------------------------------

    async def _hour(self, hour: int, said: Sequence[tuple[EventPlace, Event]]) -> None:
        """An hour's steps: those published, each vote, and the prices that were announced."""
        try:
            rule = await self._ended.steps(hour)
            if rule is None:
                raise NotFinal(f"{unix_hour(hour)} isn't over, or not final yet")
            classes = await self._ended.classes(hour)
        except UserError as error:
            self.unchecked.append(Unchecked(f"steps of {unix_hour(hour)}", str(error)))
            return
        self.counts["hours"] += 1
        for place in self._places:
            if place.has_steps(hour):
                self._published(place, rule)
        self.findings += self._votes(hour, rule, said)
        events = [event for _, event in said]
        announced, count = audit_hours.of_announced(events, rule, classes)
        self.counts["prices"] += count
        if announced.verdict is Verdict.DIFFERENT:
            where = str(staking.prices_address(hour))
            self.findings.append(
                Finding(PART, Code.PRICE_DIFFERS, where, "", None, None, announced.what, None)
            )

    def _published(self, place: MarketFolder, rule: StepTable) -> None:
        found = audit_hours.of_published(place, rule)
        if found.verdict is Verdict.DIFFERENT:
            where = f"{place.path}, steps of {unix_hour(rule.hour)}"
            self.findings.append(Finding(PART, Code.STEPS_DIFFER, where, "", None, None, found.what, None))
        elif found.verdict is Verdict.MISSING:
            self.unchecked.append(Unchecked(f"steps of {unix_hour(rule.hour)} in {place.path}", found.what))

    def _votes(
        self, hour: int, rule: StepTable, said: Sequence[tuple[EventPlace, Event]]
    ) -> Iterator[Finding]:
        """Votes for another root than that of the rule's steps, by whoever voted."""
        for place, event in said:
            fields = event.fields
            if event.name != "PricesVoted" or fields["hour"] != hour:
                continue
            self.counts["votes"] += 1
            if fields["root"] != rule.root:
                where = str(staking.prices_address(hour))
                values = rule.root.hex(), fields["root"].hex()
                signer = str(fields["operator"])
                yield Finding(PART, Code.VOTE_DIFFERS, where, "root", place.slot, *values, signer)


def of_culprit(tick: int, said: Said, place: MarketFolder | None) -> Finding:
    """A tick's first difference as what it is: of files, of a posting, or of a match."""
    culprit = said.culprit
    if culprit is None:
        return Finding(PART, Code.BATCH_DIFFERS, f"tick {tick}", "", None, None, said.what, None)
    signer = str(culprit.operator)
    if culprit.file is not None:
        row = "" if culprit.row is None else f"line {culprit.row}"
        where = f"{place.path}, tick {tick}, {culprit.file}" if place else f"tick {tick}, {culprit.file}"
        values = culprit.expected, culprit.found
        return Finding(
            PART, Code.BATCH_DIFFERS, where, row, None, *values, signer if culprit.vouched else None
        )
    found = said.what if culprit.found is None else culprit.found
    return Finding(PART, _code(culprit), f"tick {tick}", signer, None, culprit.expected, found, signer)


def _code(culprit: Culprit) -> Code:
    if culprit.expected == audit.SILENT:
        return Code.BATCH_UNPOSTED
    if culprit.found is not None and " " in culprit.found:
        return Code.MATCH_UNFOUNDED
    return Code.POSTING_DIFFERS if culprit.found is not None else Code.BATCH_DIFFERS
