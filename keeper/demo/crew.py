"""Workers of the demo: an agent for some machines, as they are, and what they say to operators."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.demo.cheats import code_of, took_ms
from keeper.demo.fleet import Fleet, Luck, Machine
from keeper.operator.intake import Intake
from keeper.operator.operator import Operator as Service
from keeper.operator.refusals import Refusal
from keeper.operator.waves import Taken
from keeper.pow.backend import NumpyBackend
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.pow.messages import SIGNATURE, Commit, Opening
from keeper.pow.product import SEGMENT, block_product
from keeper.pow.profiles import Profiles, read_profiles
from keeper.pow.prove import NotRepeated, prove
from keeper.pow.residency import reside
from keeper.resources import POW_DEMO_PROFILES
from keeper.worker.agent import Agent
from keeper.worker.client import NO_HEADERS, SECONDS, EpochAt, News, Operator, Refused, WaveAt
from keeper.worker.line import Lines
from keeper.worker.sources import Source
from keeper.worker.state import Store
from keeper.worker.work import Device, Proof, Works

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

    def generate(self, seed: bytes, rows: Sequence[int], K: int, rounds: int = 0) -> NDArray[Any]:
        """See :class:`~keeper.pow.backend.Backend`."""
        if rounds or len(rows) < SEGMENT:
            return super().generate(seed, rows, K, rounds)
        if seed not in self._shared:
            self._shared[seed] = super().generate(seed, rows, K)
            if len(self._shared) > SHARED:
                del self._shared[next(iter(self._shared))]
        return self._shared[seed]

    def product(self, a: NDArray[Any], bt: NDArray[Any]) -> NDArray[Any]:
        """See :class:`~keeper.pow.backend.Backend`; a block deep, as the demo's table has it."""
        return block_product(a, bt)


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

    async def prove(self, device: Device, seed: bytes, kind: WaveKind) -> Proof:
        """See :class:`~keeper.worker.work.Works`; at once, as it is little."""
        machine, luck = self.machines[device.address], self.luck[device.address]
        if code_of(machine) is Code.NO_COMMIT:
            raise NotRepeated("there is no card")
        if kind is WaveKind.RESIDENCY:
            return reside(self._plots[device.address][1], seed)
        backend = self._wrong if luck.errs or code_of(machine) is Code.WORK_WRONG else self.backend
        return prove(backend, seed, device.address, device.profile, device.processors)

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

    async def _ask(
        self,
        method: str,
        path: str,
        content: bytes | AsyncIterator[bytes] | None = None,
        seconds: float = SECONDS,
        headers: Mapping[str, str] = NO_HEADERS,
        dropped: int = 0,
    ) -> bytes:
        assert not isinstance(content, AsyncIterator)  # Connections aren't measured here.
        cheat = self._cheats.get(content[32:64]) if content else None
        code = code_of(cheat) if cheat else None
        if path == "/pow/opening" and code is Code.NO_OPENING:
            return b""
        answer = await self._send(method, path, content, seconds)
        if path == "/pow/commit" and cheat and content and code is Code.COMMIT_CONFLICT:
            # The other machine with this key computes otherwise, so that it comes to another root.
            mine = Commit.of_body(content[:-SIGNATURE])
            other = replace(mine, root=sha256(mine.root).digest()).sign(cheat.worker).encode()
            with suppress(Refused):
                await self._send(method, path, other, seconds)
        return answer

    async def _send(self, method: str, path: str, content: bytes | None, seconds: float) -> bytes:
        return await super()._ask(method, path, content, seconds)


class Unmeasured(Lines):
    """Connections that nobody measures: all machines are one here, and a rate would be that machine's."""

    async def measure(self, device: Device, wave: WaveAt, seed: bytes, at: float) -> None:
        """Transfer nothing."""


class ShortLine(Line):
    """The same to an operator in this process: without a socket between."""

    def __init__(self, service: Service, about: bytes, machines: Mapping[Pubkey, Machine]) -> None:
        """``about`` is what the operator says that it is, in JSON."""
        super().__init__("", httpx.AsyncClient(verify=False), machines)
        self._service, self._about = service, about

    async def _send(self, method: str, path: str, content: bytes | None, seconds: float) -> bytes:
        desk = self._service.desk
        where, _, after = path.partition("?after=")
        found: Refusal | Taken | None
        match where:
            case "/pow/operator":
                return self._about
            case "/pow/waves":
                return json.dumps(desk.news.after(int(after))).encode()
            case "/pow/commit":
                found = desk.intake.commit(content or b"", "", desk.monotonic())
                if isinstance(found, Taken):
                    return await desk.receipt(found)
            case "/pow/ping":
                found = desk.intake.ping(content or b"", "", desk.monotonic())
            case _:
                found = self._open(content or b"", desk.intake)
        if isinstance(found, Refusal):
            raise Refused(found.why, found.detail, found.retry_after)
        return b""

    def _open(self, content: bytes, intake: Intake) -> Refusal | None:
        head, blob = content[: Opening.HEADER], content[Opening.HEADER :]
        due = intake.expected(head, len(content), "", self._service.desk.monotonic())
        if isinstance(due, Refusal):
            return due
        if refusal := intake.bind(due, blob):
            return refusal
        self._service.collecting.keep(due, blob, self._service.desk.store.put_opening(blob))
        return None


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
        self.agent.hear(News(told.epoch.slot, (told.epoch,)))
        while not all(  # noqa: ASYNC110 - the agent tells nobody when it has made a plot
            self._is_ready(each, told.epoch.day) for each in self._devices
        ):
            await asyncio.sleep(0.001)

    def _is_ready(self, device: Device, day: int) -> bool:
        """Whether there is nothing to wait for before a wave."""
        luck = self.works.luck[device.address]
        spared = luck.is_down or luck.has_no_plot or device.address in self.works.hired
        return device.profile.tested is None or spared or self.works.has_plot(device, day)
