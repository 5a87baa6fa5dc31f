"""Every tick that operators post or match, computed again by everybody who keeps a folder of the market.

Nothing is sent, and nobody is judged by a vote: whoever has the chain's events comes to the same. What
differs is told with operator, tick and row, and the files that show it are kept, so that it can be seen after
its operator has taken them back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2 as httpx
from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain import ChainError, Commitment, Event
from keeper.chain.http import PeerError
from keeper.economy.orders import TICK, tick_ends
from keeper.errors import UserError
from keeper.market import audit
from keeper.market.fetch import fetch_tick_from_any
from keeper.market.files import TICKS_A_DAY, TICKS_AN_HOUR, room
from keeper.market.findings import SAME, Finding, Replayed, Verdict
from keeper.market.folder import MarketFolder
from keeper.market.replay import Sources, of_tick

AHEAD = 120
"""Ticks that a node may be behind another one: a cursor that is further ahead is none of this chain's."""
AFTER = 600
"""Seconds after its beginning at which a tick is looked at: nothing can be matched any more, all of it is
final, and its operator has had eight minutes to publish what it posted."""
MOST_BEHIND = TICKS_A_DAY
"""Who was away for longer leaves the older ones to ``ionet market replay --all``."""
MOST_KEPT = 50
"""So many ticks of an operator are kept as evidence."""


class Outcome(StrEnum):
    """What became of a tick."""

    SAME = "same"
    DIFFERENT = "different"
    """It isn't what the rule gives, and everybody can see whose that is."""
    UNEXPLAINED = "unexplained"
    """A match that the rule doesn't give, of a batch whose files nobody has, or that states other rules."""
    OPEN = "open"
    """Its files aren't to be had, or not what it takes to look at them; its matches are the rule's."""


BAD = Outcome.DIFFERENT, Outcome.UNEXPLAINED


@dataclass(slots=True)
class Watch:
    """Looks at ticks in their order; how far it has come is in ``folder``, so that it goes on from there.

    ``peers`` are asked for the files of batches whose hash doesn't follow from the chain alone.
    """

    folder: MarketFolder
    there: Sources
    peers: Sequence[str] = ()
    outcomes: Counter[Outcome] = field(default_factory=Counter, init=False)
    """Ticks by what became of them, since the start of this process."""
    against: Counter[Pubkey] = field(default_factory=Counter, init=False)
    """Of those that are different or unexplained, by operator."""
    reached: int = field(default=0, init=False)
    """The last tick that was looked at."""

    async def look(self, log: FilteringBoundLogger) -> list[Replayed]:
        """Look at the ticks that are old enough, those of one hour at most.

        Raises ChainError while the chain or its index can't be read: then the rest is looked at later.
        """
        now = (await self.there.states.chain.clock(Commitment.FINALIZED)).unix_timestamp
        newest = (now - AFTER) // TICK
        first = self._first(newest, log)
        self.reached = first - 1
        if first > newest:
            return []
        begins = first // TICKS_AN_HOUR * TICKS_AN_HOUR
        last = min(newest, begins + TICKS_AN_HOUR - 1)
        events = await self._events(begins, last)
        ticks = {each.fields["tick"] for each in events if each.name == "LeaseMatched"}
        posted = audit.postings(events, first, last)
        ticks |= posted.keys()
        self.against.update(dict.fromkeys({each for batches in posted.values() for each in batches}, 0))
        found = []
        for tick in sorted(each for each in ticks if first <= each <= last):
            found.append(await self._look_at(tick, events, log))
            self._done(tick)
        self._done(last)
        return found

    def _first(self, newest: int, log: FilteringBoundLogger) -> int:
        """The first tick that wasn't looked at; who begins, begins with the newest."""
        done = self.folder.replayed()
        if done is None:
            return newest
        if done > newest + AHEAD:
            # Another network's, or a chain that was begun anew.
            log.warning("ticks.cursor_ahead", done=done, newest=newest)
            return newest
        if newest - done > MOST_BEHIND:
            log.warning("ticks.not_replayed", first=done + 1, last=newest - MOST_BEHIND)
            return newest - MOST_BEHIND + 1
        return done + 1

    def _done(self, tick: int) -> None:
        self.folder.note_replayed(tick)
        self.reached = tick

    async def _events(self, begins: int, last: int) -> list[Event]:
        return await self.there.events(begins * TICK, tick_ends(last) + 1)

    async def _look_at(self, tick: int, events: Sequence[Event], log: FilteringBoundLogger) -> Replayed:
        try:
            found, outcome = await self._replayed(tick, events, log)
            if outcome in BAD:
                # What a node had left out is no operator's fault.
                if await self._healed():
                    events = await self._events(tick // TICKS_AN_HOUR * TICKS_AN_HOUR, tick)
                found, outcome = await self._replayed(tick, events, log, keeps=True)
        except ChainError:
            raise
        except UserError as error:
            found, outcome = Replayed(tick=tick, finding=Finding(Verdict.MISSING, str(error))), Outcome.OPEN
        self.outcomes[outcome] += 1
        culprit = found.finding.culprit
        if outcome in BAD and culprit is not None:
            self.against[culprit.operator] += 1
            fields = {
                "tick": tick,
                "operator": str(culprit.operator),
                "file": culprit.file,
                "row": culprit.row,
                "expected": culprit.expected,
                "found": culprit.found,
                "what": found.finding.what,
            }
            if outcome is Outcome.DIFFERENT:
                log.error("tick.different", **fields)
            else:
                log.error("tick.unexplained", **fields)
        elif outcome is not Outcome.SAME:
            log.warning("tick.open", tick=tick, what=found.finding.what)
        return found

    async def _healed(self) -> int:
        """How many transactions come to light when the newest are asked for again."""
        found = sum([await each.look_again() for each in self.there.ledgers])
        if found:
            self.there.forget()
        return found

    async def _replayed(
        self, tick: int, events: Sequence[Event], log: FilteringBoundLogger, *, keeps: bool = False
    ) -> tuple[Replayed, Outcome]:
        """A tick by the chain alone, and where that leaves it open by its operators' files."""
        found = await of_tick(tick, self.there, events)
        if found.finding.verdict is not Verdict.MISSING:
            return found, Outcome[found.finding.verdict.name]
        posted, by_files = audit.postings(events, tick, tick).get(tick, {}), set()
        for operator in found.unknown:
            with ExitStack() as stack:
                place = await self._files(stack, tick, operator, posted[operator].hash, log)
                each = found
                if place:
                    its_own = audit.of_name(place, tick, operator)
                    each = Replayed(tick=tick, by_files=True, finding=its_own)
                    if its_own == SAME:
                        each = await of_tick(tick, self.there, events, place)
                if place and keeps and each.finding.verdict is Verdict.DIFFERENT:
                    self.folder.keep(operator, tick, place, MOST_KEPT)
            if each.finding.verdict is Verdict.DIFFERENT:
                return each, Outcome.DIFFERENT
            by_files.add(each.finding.verdict)
        if by_files == {Verdict.SAME}:
            return each, Outcome.SAME
        return found, Outcome.UNEXPLAINED if found.finding.culprit else Outcome.OPEN

    async def _files(
        self, stack: ExitStack, tick: int, operator: Pubkey, digest: bytes, log: FilteringBoundLogger
    ) -> MarketFolder | None:
        """A folder that has an operator's tick, which is there until ``stack`` ends; None if none is."""

        def refused(peer: str, error: PeerError) -> None:
            log.info("tick.peer_refused", tick=tick, peer=httpx.URL(peer).host, reason=str(error))

        if self.folder.has(tick) and self.folder.operator(tick) == operator:
            return self.folder
        fetched = await fetch_tick_from_any(
            self.peers, tick, digest, room(await self.there.state(tick)), refused
        )
        if fetched is None:
            return None
        place = MarketFolder(Path(stack.enter_context(TemporaryDirectory())))
        for number, content in fetched.items():
            place.write(number, content)
        return place
