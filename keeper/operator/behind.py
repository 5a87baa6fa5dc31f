"""Hours from before this service watched the chain that can still matter: which, and what they are about.

An operator that was down for hours has none of their files, and those may be what the others wait for. An
hour matters until enough operators agree on it; what they agreed on is taken over from its own files
(:mod:`keeper.jobs.adoption`). So what is looked at here begins with the first hour that isn't final, and ends
``MAX_HOURS_AHEAD`` hours later, as the program takes no attestations of later ones.
"""

from __future__ import annotations

from typing import NamedTuple

from keeper.chain import ChainError, Commitment
from keeper.clients import staking
from keeper.economy.calendar import DAY, HOUR
from keeper.operator.desk import Desk
from keeper.operator.store import DAYS_PASSED
from keeper.operator.waves import Held, State
from keeper.pow.replay import read_hour

MOST_HOURS = DAYS_PASSED * DAY // HOUR
"""Hours back that are looked at, at most: nobody keeps right openings of earlier ones."""
AGAIN_SECONDS = 300.0
"""So often an hour is looked at again: as often as one that isn't agreed on is put together anew."""


class About(NamedTuple):
    """What an hour's files can be about: its waves, and how many pings it has."""

    hour: int
    waves: list[Held]
    pings: int


class Behind:
    """The earlier hours that operators haven't agreed on, one at a time, the first one first."""

    def __init__(self, desk: Desk) -> None:
        """Nothing was looked at yet."""
        self._desk = desk
        self._known: dict[int, About] = {}
        self._looked: dict[int, float] = {}

    async def first(self, now: int) -> int:
        """The first hour that may matter at the chain's time ``now``. Raises ChainUnreachable."""
        config = await staking.read_config(self._desk.chain)
        newest = self._desk.network.hour_of(now)
        return max(0, newest - MOST_HOURS, config.next_hour if config else 0)

    async def turn(self, now: int, before: int) -> About | None:
        """The hour, of those before ``before``, that is to be looked at now, until it is :meth:`done`.

        ``now`` is the chain's time. None where all have been lately, or the chain doesn't say all of it.
        Raises ChainUnreachable.
        """
        waiting = await self._open(now, before)
        self._desk.metrics.behind.set(len(waiting))
        due = [
            hour
            for hour in waiting
            if self._desk.monotonic() >= self._looked.get(hour, float("-inf")) + AGAIN_SECONDS
        ]
        if not due:
            return None
        # Those of the longest ago first: one of which something is always missing holds no other up.
        hour = min(due, key=lambda each: (self._looked.get(each, float("-inf")), each))
        if hour not in self._known:
            try:
                found = await self._read(hour)
            except ChainError as error:
                # A node that has no blocks of one hour may have those of the next.
                self.done(hour)
                self._desk.log.warning("pow.behind_waits", hour=hour, reason=str(error))
                return None
            if found is None:
                return None
            self._known[hour] = found
        return self._known[hour]

    def done(self, hour: int) -> None:
        """An hour was looked at; what was learned from its files is let go, as it can be many megabytes."""
        self._looked[hour] = self._desk.monotonic()
        for held in self._known[hour].waves if hour in self._known else ():
            held.roots.clear()
            held.prepared = False

    async def _open(self, now: int, before: int) -> list[int]:
        """The hours that may matter and that operators haven't agreed on."""
        first = await self.first(now)
        hours = range(first, min(before, first + staking.MAX_HOURS_AHEAD))
        config = await staking.read_config(self._desk.chain) if hours else None
        if config is None:
            return []
        blocks = await staking.read_hours(self._desk.chain, hours)
        found = [hour for hour in hours if not ((block := blocks.get(hour)) and block.is_decided(config))]
        for each in (self._known, self._looked):
            for gone in each.keys() - set(found):
                del each[gone]
        return found

    async def _read(self, hour: int) -> About | None:
        """An hour's waves and pings, by final blocks; its openings aren't taken from devices any more."""
        desk = self._desk
        plan = await read_hour(desk.chain, desk.network, hour)
        if plan is None:
            return None
        waves = []
        for wave in plan.waves:
            opening = await desk.chain.head(wave.open_from, Commitment.FINALIZED)
            if opening is None:
                return None
            waves.append(Held(wave, state=State.COLLECTED, opening=opening))
        return About(hour, waves, len(plan.pings))
