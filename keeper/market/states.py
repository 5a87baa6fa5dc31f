"""A tick's snapshot from the chain: its block, the events up to it, and which devices passed their work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Commitment
from keeper.chain.records import Head
from keeper.clients.staking import Block, Class, Device
from keeper.economy.calendar import HOUR
from keeper.economy.orders import TICK
from keeper.market.facts import Facts
from keeper.market.participants import State, snapshot
from keeper.market.sampling import sample, sample_ticks
from keeper.market.snapshot import Snapshot
from keeper.market.steps import HourSamples, StepTable
from keeper.pow.profiles_by_hour import ByHour
from keeper.pow.replay import first_at

Passed = Callable[[Block], Collection[Pubkey]]
"""The devices that passed their proof of work in the hour of a block that operators agreed on, by the files
that it names; raises UserError where these aren't here."""


@dataclass(slots=True)
class States:
    """What ticks are decided from. Ask for ticks in order: an earlier one begins with the first event.

    ``profiles`` say for which classes a proof of work is known; devices of others take part without.
    """

    chain: ChainReader
    facts: Facts
    profiles: ByHour
    passed: Passed
    near: Head | None = field(default=None, init=False)
    """The first block of the last tick asked for: that of the next one isn't far from it."""

    async def at(self, tick: int) -> Snapshot | None:
        """A tick's snapshot; None while its first block isn't final.

        Raises ChainUnreachable and FoldError as :meth:`~keeper.market.facts.Facts.at`, and UserError where
        the files of the hour are missing that says which devices passed: there is no snapshot that guesses.
        """
        head = await self.first(tick * TICK)
        return await self._of(tick, head) if head else None

    async def steps(self, hour: int) -> StepTable | None:
        """The steps that follow from an hour (unix time over 3,600); None while the next one isn't final.

        Raises as :meth:`at`.
        """
        head = await self._end(hour)
        samples = await self._samples(hour, head) if head else None
        if samples is None or head is None:
            return None
        accounts = await self.facts.at(head.slot)
        classes = [number for number, each in accounts.classes.items() if each.is_open(head.time)]
        return samples.table(classes, self.profiles.at(hour * HOUR).classes)

    async def classes(self, hour: int) -> Mapping[int, Class]:
        """The classes as of the first slot after an hour (unix time over 3,600) whose steps were computed.

        Raises as :meth:`at`.
        """
        head = await self._end(hour)
        return (await self.facts.at(head.slot)).classes if head else {}

    async def samples(self, hour: int) -> HourSamples | None:
        """What was counted in an hour (unix time over 3,600); None while the next one isn't final.

        Raises as :meth:`at`.
        """
        head = await self._end(hour)
        return await self._samples(hour, head) if head else None

    async def _samples(self, hour: int, head: Head) -> HourSamples | None:
        samples = {}
        for tick in sample_ticks(hour, head.blockhash):
            found = await self.at(tick)
            if found is None:
                return None
            samples[tick] = sample(found)
        return HourSamples.of(hour, head.blockhash, samples)

    async def _end(self, hour: int) -> Head | None:
        """The first final block after an hour."""
        return await self.first((hour + 1) * HOUR)

    async def first(self, time: int) -> Head | None:
        """The first final block at ``time``, unix seconds, or later; None while there is none."""
        found = await first_at(self.chain, time, Commitment.FINALIZED, self.near)
        self.near = found or self.near
        return found

    async def _of(self, tick: int, head: Head) -> Snapshot:
        accounts = await self.facts.at(head.slot)
        weights = self.facts.weights(tick * TICK)
        time = tick * TICK
        unproven = self._unproven(accounts.devices, time)
        state = State(accounts, weights, unproven, self.profiles.at(time).classes)
        return snapshot(tick, head.slot, head.blockhash, state)

    def _unproven(self, devices: Mapping[Pubkey, Device], time: int) -> set[Pubkey]:
        profiled = self.profiles.at(time).classes
        asked = {address for address, each in devices.items() if each.device_class in profiled}
        agreed = self.facts.agreed
        if agreed is None or not asked:
            # Before the first hour that operators agree on, nobody has passed anything.
            return asked
        return asked.difference(self.passed(agreed))
