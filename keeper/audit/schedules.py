"""What was minted, released, paid and changed, against what the calendar allowed at that time.

By the formulas of :mod:`keeper.economy`, which the tests hold to the published figures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from solders.pubkey import Pubkey

from keeper.audit.decoded import Happened
from keeper.audit.findings import Code, Finding
from keeper.chain.program import Fields
from keeper.clients.programs import PROGRAMS
from keeper.economy import emission
from keeper.economy.vesting import Schedule

MIN_NOTICE: int = PROGRAMS["staking"].constants["MIN_NOTICE"]
"""Seconds between a proposal of parameters and when it can come into force, at least."""
GUARDIAN_NOTICE: int = PROGRAMS["tokenomics"].constants["GUARDIAN_NOTICE"]
"""The same of another guardian of tokenomics, which has no parameters: elsewhere it is that of parameters."""


@dataclass
class _Season:
    total: int
    start: int
    end: int
    claimed: int = 0
    stopped: bool = False


class Schedules:
    """Follows events by their order and time."""

    def __init__(self, part: str) -> None:
        """Start before the first; findings are of ``part``."""
        self.checked = 0
        self._part = part
        self._start_month: int | None = None
        self._emitted = 0
        self._allocations: dict[int, tuple[Schedule, int]] = {}
        self._seasons: dict[int, _Season] = {}
        self._due: dict[str, int] = {}
        """When what was proposed may come into force, by its program and what it is."""

    def follow(
        self, events: Iterable[Happened], stopped: Collection[str] = (), doubted: Collection[str] = ()
    ) -> Iterator[Finding]:
        """Look at each event that a schedule allows, or doesn't.

        Of programs that are ``stopped`` it is known that something is missing: it isn't told again. After an
        event in one of the ``doubted`` transactions, which are shown otherwise than they were signed, nothing
        of its program is called early: it would be blamed on others.
        """
        blind: set[str] = set()
        for each in events:
            name = each.event.name
            look = _OF_PROGRAM.get(each.program.name, {}).get(name) or _OF_ALL.get(name)
            if look is None:
                continue
            self.checked += 1
            if each.executed.name in doubted:
                blind.add(each.program.name)
            for code, row, allowed, found in look(self, each, each.event.fields, each.executed.record.time):
                program = each.program.name
                if program in blind or (code is Code.EVENT_IMPOSSIBLE and program in stopped):
                    continue
                executed = each.executed
                slot = executed.record.slot
                signers = None if code is Code.EVENT_IMPOSSIBLE else executed.signers
                yield Finding(self._part, code, executed.name, row, slot, allowed, found, signers)

    def _launched(self, each: Happened, event: Fields, now: int) -> _Wrong:
        self._start_month = event["start_month"]
        return iter(())

    def _emission(self, each: Happened, event: Fields, now: int) -> _Wrong:
        start = self._start_month
        if start is None:
            yield Code.EVENT_IMPOSSIBLE, "emission", "a launch before it", None
            return
        ended = emission.hours_ended(start, now)
        if event["to_hour"] > ended:
            yield Code.EMISSION_EARLY, "hours", ended, event["to_hour"]
        allowed = emission.cumulative(start, min(event["to_hour"], ended))
        self._emitted += event["amount"]
        for row, found in (("emitted", event["emitted"]), ("amounts", self._emitted)):
            if found > allowed:
                yield Code.EMISSION_EARLY, row, allowed, found

    def _allocation(self, each: Happened, event: Fields, now: int) -> _Wrong:
        names = ("amount", "tge_bps", "cliff_months", "tranches")
        self._allocations[event["id"]] = Schedule(*(event[name] for name in names)), 0
        return iter(())

    def _release(self, each: Happened, event: Fields, now: int) -> _Wrong:
        number, start = event["allocation"], self._start_month
        if start is None or number not in self._allocations:
            yield Code.EVENT_IMPOSSIBLE, f"allocation {number}", "one that was added and launched", None
            return
        schedule, released = self._allocations[number]
        released += event["amount"]
        self._allocations[number] = schedule, released
        allowed = schedule.vested(start, now)
        for row, found in (("released", event["released"]), ("amounts", released)):
            if found > allowed:
                yield Code.VESTING_EARLY, f"allocation {number}, {row}", allowed, found

    def _season_opened(self, each: Happened, event: Fields, now: int) -> _Wrong:
        total = sum(event["pools"])
        self._seasons[event["season"]] = _Season(total, event["claim_start"], event["claim_end"])
        return iter(())

    def _season_claimed(self, each: Happened, event: Fields, now: int) -> _Wrong:
        number = event["season"]
        season = self._seasons.get(number)
        if season is None:
            yield Code.EVENT_IMPOSSIBLE, f"season {number}", "one that was opened", None
            return
        season.claimed += event["amount"]
        if season.claimed > season.total:
            yield Code.SEASON_OVERPAID, f"season {number}", season.total, season.claimed
        if season.stopped or not season.start <= now < season.end:
            when = "no claim any more" if season.stopped else f"from {season.start} up to {season.end}"
            yield Code.SEASON_OVERPAID, f"season {number}, time", when, now

    def _season_ended(self, each: Happened, event: Fields, now: int) -> _Wrong:
        if event["season"] in self._seasons:
            self._seasons[event["season"]].stopped = True
        return iter(())

    def _proposed(self, each: Happened, event: Fields, now: int, what: str, notice: int) -> _Wrong:
        name = f"{each.program.name} {what}"
        if event.get("pending") == Pubkey.default():
            # Nobody is proposed any more.
            self._due.pop(name, None)
            return
        self._due[name] = event["at"]
        if event["at"] < now + notice:
            yield Code.NOTICE_SHORT, name, now + notice, event["at"]

    def _done(self, each: Happened, event: Fields, now: int, what: str) -> _Wrong:
        """What was proposed came into force."""
        name = f"{each.program.name} {what}"
        since = self._due.pop(name, None)
        if since is None:
            yield Code.EVENT_IMPOSSIBLE, name, "a proposal before it", None
        elif now < since:
            yield Code.NOTICE_SHORT, name, since, now


_Wrong = Iterator[tuple[Code, str, Any, Any]]
"""What is wrong: code, row, what was allowed, what there is."""
_Look = Callable[[Schedules, Happened, Fields, int], _Wrong]
_OF_PROGRAM: Mapping[str, Mapping[str, _Look]] = {
    "tokenomics": {
        "GuardianProposed": partial(Schedules._proposed, what="guardian", notice=GUARDIAN_NOTICE),
        "Launched": Schedules._launched,
        "Emitted": Schedules._emission,
        "AllocationAdded": Schedules._allocation,
        "Released": Schedules._release,
        "SeasonOpened": Schedules._season_opened,
        "SeasonClaimed": Schedules._season_claimed,
        "SeasonCancelled": Schedules._season_ended,
        "SeasonClosed": Schedules._season_ended,
    },
}
_OF_ALL: Mapping[str, _Look] = {
    "ParamsProposed": partial(Schedules._proposed, what="parameters", notice=MIN_NOTICE),
    "ParamsApplied": partial(Schedules._done, what="parameters"),
    "GuardianProposed": partial(Schedules._proposed, what="guardian", notice=MIN_NOTICE),
    "GuardianChanged": partial(Schedules._done, what="guardian"),
}
"""Events that several programs have."""
