"""Blocks as they come: which start waves and pings, and whether they are in the final chain.

Two clocks read the same candidates. The one ahead takes confirmed blocks, from which the time of a wave
counts; the one behind takes final ones and is right where they differ.
"""

from __future__ import annotations

import copy

from keeper.chain import Commitment
from keeper.operator.book import WaveEntry
from keeper.operator.desk import Desk
from keeper.operator.intake import Asked
from keeper.operator.waves import DEAF_SLOTS, Held, State
from keeper.pow.clock import Ping, Wave, WaveClock
from keeper.pow.replay import clock_at, events

LONG_AGO = float("-inf")
HOURS_BACK = 1
"""Hours before this one whose waves and pings are read again at a start."""


class Watcher:
    """Feeds the clocks, and puts what they tell on the desk."""

    def __init__(self, desk: Desk) -> None:
        """Nothing was seen yet."""
        self._desk = desk
        self._ahead: WaveClock | None = None
        self._final: WaveClock | None = None
        self._since = 0

    async def look(self) -> None:
        """Take all blocks that there are; raises ChainUnreachable, and goes on from there the next time."""
        desk = self._desk
        desk.newest = max(desk.newest, (await desk.chain.clock(Commitment.CONFIRMED)).slot)
        if self._final is None:
            self._final = await self._start()
            await self._confirm(self._final)
        # From the first block on until it is seen the time of a wave counts: the clock ahead goes first.
        self._ahead = self._ahead or copy.copy(self._final)
        async for event in events(desk.chain, self._ahead, Commitment.CONFIRMED):
            if event is not None:
                await self._saw(event)
        await self._confirm(self._final)
        desk.read = self._final.next_slot
        desk.news.came_to(desk.newest)
        desk.book.save()

    def is_over(self, hour: int) -> bool:
        """Whether all waves and pings of an hour are final."""
        return self._final is not None and self._final.is_over(hour)

    async def _start(self) -> WaveClock:
        desk = self._desk
        # A chain in a file comes to the present when it is asked for its time; clock_at begins with its slot.
        await desk.chain.clock(Commitment.FINALIZED)
        now = (await desk.chain.clock(Commitment.CONFIRMED)).unix_timestamp
        hour = desk.watched_from = max(0, desk.network.hour_of(now) - HOURS_BACK)
        await desk.refresh_roster()
        for entry in desk.book.waves(hour):
            desk.intake.waves[entry.wave.seed] = self._again(entry)
        for number in range(hour, max(hour, desk.network.hour_of(now)) + 1):
            for ping in desk.book.pings(number):
                answered = desk.book.answers(ping.seed)
                desk.intake.pings[ping.seed] = Asked(ping, LONG_AGO, answered)
        clock = await clock_at(desk.chain, desk.network, hour, Commitment.FINALIZED)
        self._since = clock.next_slot
        return clock

    def _again(self, entry: WaveEntry) -> Held:
        """A wave that was in work when the service ended."""
        desk, held = self._desk, Held.of_entry(entry)
        if held.state is State.OPEN:
            # Its commits had times by a clock that is gone: no time is made up for them.
            held.state = State.CLOSED
            desk.metrics.waves.labels("lost").inc()
            desk.log.warning("pow.wave_lost", slot=held.wave.slot, hour=held.wave.hour)
            desk.book.put_wave(held.entry())
        if held.state is State.DRAWN:
            held.drawn_at = desk.monotonic()
        return held

    async def _saw(self, event: Wave | Ping) -> None:
        """A block has started something; what is known stays as it is."""
        desk, now = self._desk, self._desk.monotonic()
        if event.seed in desk.intake.waves or event.seed in desk.intake.pings:
            return
        # As of now: reading many blocks takes minutes, in which the chain goes on.
        desk.newest = max(desk.newest, (await desk.chain.clock(Commitment.CONFIRMED)).slot)
        is_late = desk.newest - event.slot > DEAF_SLOTS
        if isinstance(event, Ping):
            desk.intake.pings[event.seed] = Asked(event, LONG_AGO if is_late else now)
            desk.book.put_ping(event, heard=not is_late)
            desk.news.ping(event)
            return
        held = Held(event, None if is_late else now, State.CLOSED if is_late else State.OPEN)
        desk.intake.waves[event.seed] = held
        desk.book.put_wave(held.entry())
        desk.news.wave(event)
        words = {"slot": event.slot, "hour": event.hour, "kind": event.kind.name.lower(), "spot": event.spot}
        if is_late:
            desk.metrics.waves.labels("missed").inc()
            desk.log.warning("pow.wave_missed", **words, slots_late=desk.newest - event.slot)
        else:
            desk.log.info("pow.wave_seen", **words)

    async def _confirm(self, final: WaveClock) -> None:
        """Take final blocks; what they don't have is void, and the clock ahead starts again from them."""
        desk = self._desk
        async for event in events(desk.chain, final, Commitment.FINALIZED):
            if event is not None:
                desk.finals.add(event.seed)
                await self._saw(event)
        decided = range(self._since, final.next_slot)
        differs = False
        for held in list(desk.intake.waves.values()):
            known = held.wave.slot not in decided or held.wave.seed in desk.finals
            if not known and held.state is not State.VOID:
                held.state, differs = State.VOID, True
                held.taken.clear()
                desk.book.put_wave(held.entry())
                desk.metrics.waves.labels("void").inc()
                desk.log.warning("pow.wave_void", slot=held.wave.slot, hour=held.wave.hour)
        for asked in list(desk.intake.pings.values()):
            if asked.ping.slot in decided and asked.ping.seed not in desk.finals:
                differs = True
                del desk.intake.pings[asked.ping.seed]
                desk.book.void_ping(asked.ping)
        if differs:
            self._ahead = copy.copy(final)
