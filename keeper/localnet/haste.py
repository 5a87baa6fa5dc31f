"""How fast time passes where devices prove: quickly while nobody has anything to do, and else not at all.

Devices and operators have seconds by their own clocks for what a block asks, however fast the chain's is. So
on a network of one's own time passes quickly in between, and stands from each thing that somebody has to do
until it is done: what comes of an hour doesn't follow from how fast the machine is. Nothing is waited for
much longer than operators take it: who isn't there loses its pay, as anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, Protocol

from keeper.chain.heads import SLOTS_PER_SECOND
from keeper.chain.records import Head
from keeper.pow.clock import HOUR, OPEN_AFTER, Network, Wave, WaveClock

SEAL_AFTER = 100
"""Slots from a wave's block to the end of its commits."""
OPENED_AFTER = OPEN_AFTER + 150
"""Slots from a wave's block to the end of its openings, with a minute for them."""
PING_SLOTS = 50
"""In which a ping is answered: 20 seconds."""
EVIDENCE_SECONDS = 300
"""Of an hour, in which operators post what they saw of the one before."""
AGREE_FROM, AGREE_UNTIL = 900, 1_800
"""Seconds of an hour: operators attest the one before from the first on, and aren't waited for any longer
than to the second."""
AHEAD = 256
"""Slots that nobody has read yet at most: operators look at block after block."""
COMMIT, POST, OPEN, PONG, EVIDENCE, READ = 60.0, 60.0, 75.0, 30.0, 120.0, 60.0
"""Seconds of ours for which time stands at most until each is done: what a machine takes that does much
besides, and somewhat longer than operators take it for."""
TRADING = 4.0
"""How fast time passes at most while an order waits for devices, or a device's lease for its acceptance: an
operator's turn at a tick is six seconds, and a tick can be matched for two minutes."""
ANCHORED = frozenset({"closed", "drawn", "collected", "void"})
"""States of a wave (:class:`keeper.operator.waves.State`) in which its file was posted, or never will be."""
OVER = frozenset({"collected", "void"})
WRITTEN = frozenset({"posted", "late", "missed"})
"""States of an hour in which nothing is left to post of it."""


KEPT = 256
"""Things that it is remembered since when time stood for them."""


class WaveAt(NamedTuple):
    """How far an operator is with a wave: its state, commits, openings that lack, None before it's drawn."""

    state: str
    commits: int
    lacking: int | None


class Report(NamedTuple):
    """What an operator's ``/ready`` says (:mod:`keeper.operator.progress`): up to where it has read, hours
    by number, waves and pings by slot."""

    read: int
    hours: Mapping[int, str]
    waves: Mapping[int, WaveAt]
    pings: Mapping[int, int]


class Crew(Protocol):
    """Who works on a network, as far as time waits for them."""

    @property
    def workers(self) -> int:
        """How many devices are at work."""
        ...

    @property
    def reports(self) -> Collection[Report | None]:
        """What each operator that runs has said last; None of one that hasn't said anything yet."""
        ...

    def is_agreed(self, hour: int) -> bool:
        """Whether operators have agreed on an hour."""
        ...

    def is_trading(self) -> bool:
        """Whether an order waits for devices that there are, or a lease for its acceptance."""
        ...


class Haste:
    """Says how fast the time passes now, of which nothing is skipped: block after block is looked at."""

    def __init__(
        self,
        network: Network,
        slot: int,
        head: Callable[[int], Head | None],
        crew: Crew,
        clock: Callable[[], float],
    ) -> None:
        """Look at blocks from ``slot`` on; ``head`` gives the first from a slot on, None if none is there.

        ``clock`` gives seconds of ours.
        """
        self._clock = WaveClock(network, slot)
        self._head = head
        self._crew = crew
        self._ours = clock
        self._waves: list[int] = []
        self._pings: list[int] = []
        """Slots of those that are looked after."""
        self._since: dict[tuple[str, int], float] = {}
        """Since when time has stood for each thing."""

    def speed(self, slot: int, time: int, wanted: float) -> tuple[float, float]:
        """Seconds that pass in one of ours at a slot and time of the chain, and for how many slots."""
        while head := self._head(self._clock.next_slot):
            event = self._clock.feed(head)
            if event is not None:
                (self._waves if isinstance(event, Wave) else self._pings).append(event.slot)
        self._waves = [each for each in self._waves if slot < each + OPENED_AFTER]
        self._pings = [each for each in self._pings if slot < each + PING_SLOTS]
        reports = self._crew.reports
        heard = [each for each in reports if each is not None]
        # Whoever isn't up yet would miss what begins.
        if len(heard) < len(reports) or self._is_due(heard, slot, time):
            return 0, 1
        ends: list[float] = [self._clock.next_slot, *(each + PING_SLOTS for each in self._pings)]
        for each in self._waves:
            ends += [each + after for after in (SEAL_AFTER, OPEN_AFTER, OPENED_AFTER) if slot < each + after]
        network = self._clock.network
        hour = network.hour_of(time)
        into = time - network.start_of(hour)
        marks = [each for each in (EVIDENCE_SECONDS, AGREE_FROM, AGREE_UNTIL, HOUR) if into < each]
        ends.append(slot + (marks[0] - into) * SLOTS_PER_SECOND)
        if AGREE_FROM <= into < AGREE_UNTIL and hour > 0 and not self._crew.is_agreed(hour - 1):
            wanted = min(wanted, 1.0)
        elif wanted > TRADING and self._crew.is_trading():
            wanted = TRADING
        return wanted, max(1.0, min(ends) - slot)

    def _is_due(self, heard: Collection[Report], slot: int, time: int) -> bool:
        """Whether somebody has something to do for which time stands."""
        due = [self._waits_at_wave(each, heard, slot) for each in self._waves]
        for each in self._pings:
            due.append(
                self._stands(
                    "pong", each, PONG, all(x.pings.get(each, -1) >= self._crew.workers for x in heard)
                )
            )
        network = self._clock.network
        hour = network.hour_of(time)
        if time - network.start_of(hour) < EVIDENCE_SECONDS:
            is_done = all(x.hours.get(hour - 1, "posted") in WRITTEN and hour in x.hours for x in heard)
            due.append(self._stands("evidence", hour, EVIDENCE, is_done))
        read = min((x.read for x in heard), default=slot)
        due.append(self._stands("read", read, READ, slot - read <= AHEAD))
        return any(due)

    def _waits_at_wave(self, wave: int, heard: Collection[Report], slot: int) -> bool:
        """Whether time stands for a wave's commits, for its files on chain, or for its openings."""
        found = [x.waves.get(wave) for x in heard]
        if slot < wave + SEAL_AFTER:
            is_done = all(x and (x.state != "open" or x.commits >= self._crew.workers) for x in found)
            return self._stands("commit", wave, COMMIT, is_done)
        if slot < wave + OPEN_AFTER:
            return self._stands("post", wave, POST, all(x and x.state in ANCHORED for x in found))
        is_done = all(x and (x.state in OVER or x.lacking == 0) for x in found)
        return self._stands("open", wave, OPEN, is_done)

    def _stands(self, what: str, of: int, most: float, is_done: bool) -> bool:
        """Whether time stands for something, which it does ``most`` seconds of ours at most."""
        since = self._since.setdefault((what, of), self._ours())
        while len(self._since) > KEPT:
            del self._since[next(iter(self._since))]
        return not is_done and self._ours() - since < most
