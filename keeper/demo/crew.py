"""Workers of the demo: an agent for some machines, as they are, and what they say to operators."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.demo.cheats import code_of, took_ms
from keeper.demo.fleet import Fleet, Luck, Machine
from keeper.pow.backend import NumpyBackend
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.pow.messages import SIGNATURE, Commit
from keeper.pow.product import SEGMENT, block_product
from keeper.pow.profiles import Profiles, read_profiles
from keeper.pow.prove import NotRepeated, prove
from keeper.pow.residency import reside
from keeper.pow.seeds import epoch_seed
from keeper.resources import POW_DEMO_PROFILES
from keeper.worker.agent import Agent
from keeper.worker.client import EpochAt, Item, News, Operator, Refused, WaveAt
from keeper.worker.line import Lines
from keeper.worker.sources import Source
from keeper.worker.state import Store
from keeper.worker.work import Device, Proof, Works

PLACES = 20
"""Machines of a process that work at once: what these made is on its way while the next ones work."""
SHARED = 4
"""Operands that all devices share and that are kept: those of two profiles in this wave and the last."""


def demo_profiles() -> Profiles:
    """The demo's table: little work here, which takes as long as a card's by the demo's clock."""
    return read_profiles(POW_DEMO_PROFILES)


class Card(NumpyBackend):
    """A processor that makes what all devices of a profile share once for all of them."""

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._shared: dict[bytes, NDArray[Any]] = {}
        self._floats: dict[int, tuple[NDArray[Any], NDArray[np.float32]]] = {}
        """By its identity, a shared operand and the same as FP32, on its side."""

    def generate(self, seed: bytes, rows: Sequence[int], K: int, rounds: int = 0) -> NDArray[Any]:
        """See :class:`~keeper.pow.backend.Backend`."""
        if rounds or len(rows) < SEGMENT:
            return super().generate(seed, rows, K, rounds)
        if seed not in self._shared:
            made = self._shared[seed] = super().generate(seed, rows, K)
            # Each column's entries apart: BLAS takes half as long for few rows than by the transpose.
            self._floats[id(made)] = made, np.ascontiguousarray(made.T, np.float32)
            if len(self._shared) > SHARED:
                del self._floats[id(self._shared.pop(next(iter(self._shared))))]
        return self._shared[seed]

    def product(self, a: NDArray[Any], bt: NDArray[Any]) -> NDArray[Any]:
        """See :class:`~keeper.pow.backend.Backend`; a block deep, as the demo's table has it."""
        shared = self._floats.get(id(bt))
        if shared is None:
            return block_product(a, bt)
        sums: NDArray[np.float32] = a.astype(np.float32) @ shared[1]
        return sums.astype(np.int32)


class HalfTheBits(Card):
    """A processor that saves half of the bits of its operands: faster on many cards, and wrong."""

    def product(self, a: NDArray[Any], bt: NDArray[Any]) -> NDArray[Any]:
        """See :class:`~keeper.pow.backend.Backend`."""
        return super().product(a >> 4 << 4, bt)


class Machines(Works):
    """The machines' processors: what they make is real, how long it takes is by the demo's clock."""

    def __init__(self, machines: Mapping[Pubkey, Machine], devices: Sequence[Device]) -> None:
        """All of them have an ordinary hour until :attr:`luck` says otherwise."""
        super().__init__(Card(), devices)
        self.machines = machines
        self.luck: Mapping[Pubkey, Luck] = dict.fromkeys(machines, Luck())
        self.hired: Collection[Pubkey] = ()
        """Whose memory is a renter's at present."""
        self._wrong = HalfTheBits()
        self._places = asyncio.Semaphore(PLACES)

    async def prove(self, device: Device, seed: bytes, kind: WaveKind) -> Proof:
        """See :class:`~keeper.worker.work.Works`; at once, as it is little."""
        machine, luck = self.machines[device.address], self.luck[device.address]
        if code_of(machine) is Code.NO_COMMIT:
            raise NotRepeated("there is no card")
        async with self._places:
            # It takes no wait, and all of them would have worked before one of them says anything.
            await asyncio.sleep(0)
            return self._proven(device, luck, seed, kind)

    def _proven(self, device: Device, luck: Luck, seed: bytes, kind: WaveKind) -> Proof:
        if kind is WaveKind.RESIDENCY:
            return reside(self._plots[device.address][1], seed)
        errs = luck.errs or code_of(self.machines[device.address]) is Code.WORK_WRONG
        backend = self._wrong if errs else self.backend
        return prove(backend, seed, device.address, device.profile, device.processors)

    async def check(self, device: Device, seed: bytes, commit: Commit, drawn: bytes, blob: bytes) -> Code:
        """Nothing is looked at here: who cheats doesn't, and operators are to find what errs, too."""
        return Code.PASS

    async def timed(self, device: Device, seed: bytes, kind: WaveKind) -> tuple[Proof, int]:
        """See :class:`~keeper.worker.work.Works`."""
        machine, luck = self.machines[device.address], self.luck[device.address]
        residency = device.profile.tested
        T_ms = residency.T_ms if kind is WaveKind.RESIDENCY and residency else device.profile.T_ms
        return await self.prove(device, seed, kind), took_ms(machine, luck, T_ms, seed)

    def has_plot(self, device: Device, day: int) -> bool:
        """See :class:`~keeper.worker.work.Works`; worn memory doesn't hold one, nor does a renter's."""
        gone = self.luck[device.address].has_no_plot or device.address in self.hired
        return not gone and super().has_plot(device, day)


class Line(Operator):
    """A worker's line to an operator, and what cheats do with it."""

    def __init__(self, url: str, http: httpx.AsyncClient, machines: Mapping[Pubkey, Machine]) -> None:
        """``machines`` are those of the process."""
        super().__init__(url, http)
        self._cheats = {bytes(address): each for address, each in machines.items() if code_of(each)}

    async def _ask(self, method: str, path: str, content: Any = None, *args: Any, **how: Any) -> bytes:
        cheat = self._cheats.get(content[32:64]) if content else None
        code = code_of(cheat) if cheat else None
        if path == "/pow/opening" and code is Code.NO_OPENING:
            return b""
        answer = await self.send(method, path, content, *args, **how)
        if path == "/pow/commit" and cheat and code is Code.COMMIT_CONFLICT:
            # The other machine with this key computes otherwise, so that it comes to another root.
            mine = Commit.of_body(content[:-SIGNATURE])
            other = replace(mine, root=sha256(mine.root).digest()).sign(cheat.worker).encode()
            with suppress(Refused):
                await self.send(method, path, other)
        return answer

    async def send(self, method: str, path: str, content: Any = None, *args: Any, **how: Any) -> bytes:
        """What is on the line; as :class:`~keeper.worker.client.Operator` asks."""
        return await super()._ask(method, path, content, *args, **how)


class Unmeasured(Lines):
    """Connections that nobody measures: all machines are one here, and a rate would be that machine's."""

    async def measure(self, device: Device, wave: WaveAt, seed: bytes, at: float) -> None:
        """Transfer nothing."""


class Told(NamedTuple):
    """What the demo tells workers beside the operators: the hour, the time, the day's first block, leases."""

    hour: int
    now: int
    epoch: EpochAt
    hired: frozenset[Pubkey]


class Crew:
    """Some machines' agent, on a clock that is told."""

    def __init__(
        self,
        machines: Sequence[Machine],
        lines: Sequence[Operator],
        sources: Sequence[Source],
        folder: Path,
        genesis: bytes,
        log: Any,
    ) -> None:
        """Its state is in ``folder``, which has no keys."""
        self.machines = {each.address: each for each in machines}
        profiles = demo_profiles()
        self.now = 0
        self._heard = 0
        self._devices = []
        for address, each in self.machines.items():
            profile = profiles.of_class(each.kind.id)
            assert profile is not None  # The demo's table has all of the demo's classes.
            self._devices.append(Device(address, profile, each.processors, each.worker))
        self.works = Machines(self.machines, self._devices)
        self.store = Store(folder, durable=False)
        network = genesis, staking.PROGRAM.address
        self.agent = Agent(
            self._devices,
            lines,
            sources,
            self.works,
            self.store,
            network,
            log,
            lambda: self.now,
            Unmeasured(lines, log, lambda: self.now),
        )

    async def be(self, told: Told) -> None:
        """Take it from there: whoever is down isn't there, plots are made, and all else is as before."""
        luck = Fleet.luck(told.hour)
        self.now = told.now
        self.works.hired = told.hired
        self.works.luck = {address: luck[each.number] for address, each in self.machines.items()}
        self.agent.devices = [each for each in self._devices if not self.works.luck[each.address].is_down]
        seed = epoch_seed(*self.agent.network, told.epoch.slot, told.epoch.blockhash)
        for each in self._devices:
            if not self._is_ready(each, told.epoch.day):
                await self.works.fill(each, seed, told.epoch.day)

    async def hear(self, now: int) -> None:
        """Ask operators what is new, at a time, and have the agent take what more than half say."""
        self.now = now
        news = [await each.news(self._heard) for each in self.agent.operators]
        counts = Counter[Item](item for each in news for item in each.items)
        self._heard = min(each.slot for each in news)
        agreed = tuple(item for item, count in counts.items() if 2 * count > len(news))
        self.agent.hear(News(self._heard, agreed))

    def _is_ready(self, device: Device, day: int) -> bool:
        """Whether there is nothing to wait for before a wave."""
        luck = self.works.luck[device.address]
        spared = luck.is_down or luck.has_no_plot or device.address in self.works.hired
        return device.profile.tested is None or spared or self.works.has_plot(device, day)
