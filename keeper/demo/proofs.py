"""The demo's proofs of work: operators, everybody's workers, and a clock that stops at all that is due.

Time passes in steps, from one thing to the next: a wave's block, its sealing, its picks, the end of its
openings, a ping, an hour's evidence, its attestation. At each the chain stands still until the workers have
answered, however long this machine takes.
"""

from __future__ import annotations

import asyncio
import copy
import heapq
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from math import ceil
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from keeper.budgets import Rate
from keeper.chain import Commitment, Head
from keeper.chain.heads import SLOTS_PER_SECOND, blockhash
from keeper.clients import staking
from keeper.demo.cheats import code_of, commits, latency_ms, took_ms
from keeper.demo.checks import DemoFailed
from keeper.demo.crew import Told, demo_profiles
from keeper.demo.fleet import Fleet, Luck, Machine
from keeper.demo.network import Network
from keeper.demo.pipes import Clerk
from keeper.demo.processes import Post, Processes
from keeper.demo.staking import HOURS, Stakers
from keeper.jobs.blocks import ATTEST_SECONDS
from keeper.operator.claims import Due, is_drawn
from keeper.operator.intake import Asked, Intake
from keeper.operator.limits import Gate, Limits
from keeper.operator.operator import Operator
from keeper.operator.refusals import Refusal
from keeper.operator.running import network_of, served
from keeper.operator.waves import OPENING_SECONDS, SEAL_AFTER, Held, Taken
from keeper.pow.clock import APART, HOUR, OPEN_AFTER, Ping, Wave, WaveClock, WaveKind, epoch_start
from keeper.pow.codes import Code
from keeper.pow.files import ROOTS
from keeper.pow.profiles_by_hour import BESIDE, ByHour
from keeper.pow.replay import clock_at, events, first_at
from keeper.pow.verification import Batch
from keeper.pow.verification import Processes as Verification
from keeper.resources import POW_DEMO_PROFILES
from keeper.rewards.peers import Peers
from keeper.runtime.listen import listen
from keeper.worker.client import EpochAt

PROCESSES, EACH = 40, 5
"""Worker processes, and how many machines' keys each holds."""
PIPED = 100
"""How many each holds after the hours of HTTP: then they answer in fewer processes, through pipes."""
WORKERS = "workers"
"""The folder of their states, which is deleted at the end."""
BEGIN_SECONDS, EVIDENCE_SECONDS, EXCHANGE_SECONDS = 30, HOUR + 100, HOUR + 200
"""After an hour's start: when operators note its devices, post its evidence, fetch one another's files."""
WAIT_SECONDS = 600.0
"""For answers of workers, by this machine's clock: however loaded it is, after so long something is wrong."""
ASK_SECONDS = 0.005
"""How often it is looked what came over HTTP."""
MANY = Rate(100_000, 100_000)
"""All workers have one address here."""


class TimedIntake(Intake):
    """An intake whose commits come when the demo's clock says, whatever this machine's says."""

    def __init__(
        self,
        gate: Gate,
        profiles: ByHour,
        arrives: Callable[[Held, bytes], int],
        bound: set[tuple[bytes, ...]],
    ) -> None:
        """``arrives`` gives the milliseconds from a wave's block to a device's commit of these bytes.

        What is in ``bound`` another operator has found to be the opening of its root: they run in one
        process here.
        """
        super().__init__(gate, profiles)
        self._arrives, self._bound = arrives, bound
        self.opened: dict[bytes, set[bytes]] = {}
        """By the wave's seed, the devices whose openings were taken."""

    def commit(self, data: bytes, address: str, now: float) -> Taken | Refusal:
        """See :class:`~keeper.operator.intake.Intake`."""
        held = self.waves.get(data[:32])
        if held is not None and held.seen is not None:
            now = held.seen + self._arrives(held, data) / 1000
        return super().commit(data, address, now)

    def bind(self, expected: Due, blob: bytes) -> Refusal | None:
        """See :class:`~keeper.operator.intake.Intake`."""
        commit = expected.commit
        seed, device = commit.wave_seed, bytes(commit.device)
        if (name := (seed, device, commit.root, blob)) not in self._bound:
            if refusal := super().bind(expected, blob):
                return refusal
            self._bound.add(name)
        self.opened.setdefault(seed, set()).add(device)
        return None


class Once(Verification):
    """What one operator has verified the others needn't: they run in one process here.

    It is verified in another one, beside the workers' next answers.
    """

    def __init__(self) -> None:
        """Nothing is verified yet."""
        super().__init__(1)
        self._known: dict[Any, Code] = {}

    async def run(self, batches: Sequence[Batch]) -> list[list[Code]]:
        """See :class:`~keeper.pow.verification.Verifier`."""
        found = []
        for batch in batches:
            keys = [(batch.wave_seed, each.root, each.blob) for each in batch.claims]
            new = [at for at, key in enumerate(keys) if key not in self._known]
            if new:
                claims: Any = [batch.claims[at] for at in new]
                (codes,) = await super().run([batch._replace(claims=claims)])
                self._known.update(zip((keys[at] for at in new), codes, strict=True))
            found.append([self._known[key] for key in keys])
        return found


@dataclass(slots=True)
class Proofs:
    """The operators, the workers, and what is due; it leads the network's time."""

    network: Network
    stakers: Stakers
    """Whose machines and operators they are, and who attests each hour when it is due."""
    processes: Processes
    operators: list[Operator] = field(default_factory=list)
    _intakes: list[TimedIntake] = field(default_factory=list)
    _waves: list[Wave] = field(default_factory=list)
    _luck: list[Luck] = field(default_factory=list)
    _urls: list[str] = field(default_factory=list)
    _genesis: bytes = b""
    _piped: bool = False
    _clock: WaveClock | None = None
    _slots: list[int] = field(default_factory=list)
    """Where something is due, a heap; and times, with what is."""
    _times: list[tuple[int, int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _leading: bool = False
    _verifying: asyncio.Task[None] | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    # -- from the first hour to the last -------------------------------------------------------

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Lead the network's time meanwhile, from the start of the first hour."""
        try:
            await self._open()
            self.network.guide = self
            yield
        finally:
            self.network.guide = None
            self.processes.end()
            if self._verifying is not None:
                self._verifying.cancel()
                await asyncio.gather(self._verifying, return_exceptions=True)
            await self._stack.aclose()

    def leave(self) -> None:
        """Delete all but one operator's files: all hold the same, and one copy is enough to look at."""
        others = [f"operator-{number + 2}" for number in range(len(self.operators) - 1)]
        for name in (WORKERS, *others):
            self.stakers.other.start(_delete, self.stakers.proofs / name)

    async def finish(self) -> None:
        """Let the last hour be attested."""
        await self.network.go_to(self.operators[0].desk.network.start_of(HOURS - 1) + ATTEST_SECONDS)

    async def _open(self) -> None:
        """Start the operators' services and the worker processes."""
        chain = self.network.chain
        about = await network_of(chain)
        self._genesis = about.genesis
        verifier, profiles = Once(), demo_profiles()
        bound = set[tuple[bytes, ...]]()
        self._stack.callback(verifier.close)
        listeners = [listen("127.0.0.1", 0, "") for _ in self.stakers.operators]
        self._urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in listeners]
        limits = Limits(device=MANY, stranger=MANY, strangers=MANY, reader=MANY)
        for number, (signer, listener) in enumerate(zip(self.stakers.operators, listeners, strict=True)):
            peers = Peers([url for url in self._urls if url != self._urls[number]], clock=chain.now)
            self._stack.push_async_callback(peers.close)
            operator = Operator(
                self.network.port(signer),
                signer,
                about,
                profiles,
                self.stakers.proofs / f"operator-{number + 1}",
                verifier,
                peers,
                limits=limits,
                monotonic=chain.now,
                roster_seconds=HOUR,
                durable=False,
            )
            gate = operator.desk.intake.gate
            self._intakes.append(TimedIntake(gate, profiles, self._arrives(number), bound))
            operator.desk.intake = self._intakes[-1]
            self._stack.callback(operator.close)
            await self._stack.enter_async_context(served(operator, listener))
            self.operators.append(operator)
        # ionet pow verify takes the table from there: it isn't one of those that come with ionet.
        shutil.copyfile(POW_DEMO_PROFILES, self.stakers.proofs / "operator-1" / BESIDE)
        self.processes.start(self._posts(EACH))
        self._clock = await clock_at(chain, about, 0, Commitment.CONFIRMED)
        for hour in range(HOURS):
            start = about.start_of(hour)
            self._at(start + BEGIN_SECONDS, partial(self._begin, hour))
            self._at(start + EVIDENCE_SECONDS, self._work)
            self._at(start + EXCHANGE_SECONDS, self._exchange)
            self._at(start + ATTEST_SECONDS, partial(self.stakers.hour, hour))

    async def lead(self, until: int) -> None:
        """See :class:`~keeper.demo.network.Guide`."""
        if self._leading:
            return
        self._leading = True
        try:
            while (due := await self._next(until)) <= until:
                if due > self.network.chain.now():
                    self.network.chain.warp_to(due)
                await self._step()
        finally:
            self._leading = False

    # -- what is due ---------------------------------------------------------------------------

    def _at(self, due: int, does: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._times, (due, next(self._numbers), does))

    async def _next(self, until: int) -> int:
        """When the next thing is due; something after ``until`` when that is later."""
        newest = await self.network.chain.slot(Commitment.CONFIRMED)
        found = [self._times[0][0]] if self._times else []
        if self._slots:
            found.append(self._time_of(self._slots[0], newest))
        event = self._event(until, newest)
        if event is not None:
            found.append(event)
        return min(found, default=until + 1)

    def _time_of(self, slot: int, newest: int) -> int:
        """What the clock has to be set to for a slot to be there: now, where it is."""
        return self.network.chain.now() + max(0, ceil((slot - newest) / SLOTS_PER_SECOND))

    def _event(self, until: int, newest: int) -> int | None:
        """When the next wave or ping up to a time is: the demo's chain can be foretold."""
        assert self._clock is not None
        ahead = copy.copy(self._clock)
        while True:
            slot = ahead.next_slot
            due = self._time_of(slot, newest)
            if due > until:
                return None
            if ahead.feed(Head(slot, blockhash(self._genesis, slot), due)) is not None:
                return due

    async def _step(self) -> None:
        """Do what is due now."""
        chain = self.network.chain
        newest = await chain.slot(Commitment.CONFIRMED)
        while self._slots and self._slots[0] <= newest:
            heapq.heappop(self._slots)
        due = []
        while self._times and self._times[0][0] <= chain.now():
            due.append(heapq.heappop(self._times)[2])
        assert self._clock is not None
        begun = [each async for each in events(chain, self._clock, Commitment.CONFIRMED) if each]
        waves = [each for each in begun if isinstance(each, Wave)]
        for wave in waves:
            self._waves.append(wave)
            heapq.heappush(self._slots, wave.slot + SEAL_AFTER)
            heapq.heappush(self._slots, wave.slot + OPEN_AFTER + APART)
        if waves:
            await self._prepare(waves[0].hour)
        for operator in self.operators:
            await operator.watch()
        if self._piped:
            self.processes.hear(chain.now())
        for each in begun:
            await (self._commits(each) if isinstance(each, Wave) else self._pongs(each))
        await self._work()
        for does in due:
            await does()

    async def _work(self) -> None:
        """Let the operators do what is due, and the workers open what was drawn."""
        waiting = [each for each in self._held() if each.opening is None]
        for operator in self.operators:
            await operator.work()
        drawn = [each for each in waiting if each.opening is not None]
        if drawn:
            if self._piped:
                self.processes.hear(self.network.chain.now())
            for held in drawn:
                await self._openings(held)
                done = self.network.chain.now() + int(OPENING_SECONDS) + 1
                self._at(done, self._work)
            await self._verified()
            self._verifying = asyncio.create_task(self._verify())

    async def _verify(self) -> None:
        """Let the operators verify what they have: an hour's end needs it, and nothing before."""
        for operator in self.operators:
            await operator.collecting.verify()

    async def _verified(self) -> None:
        """Wait until what is being verified is."""
        if self._verifying is not None:
            await self._verifying

    async def _begin(self, hour: int) -> None:
        """An hour begins; its workers are there."""
        self._luck = Fleet.luck(hour)
        if hour >= self.stakers.http_hours and not self._piped:
            self.processes.end()
            await self._pipe()
        await self._prepare(hour)

    async def _pipe(self) -> None:
        """Let workers be in few processes from now on, and spare them HTTP."""
        self._piped = True
        clerk = Clerk(self.operators, await self.network.chain.genesis_hash())
        self.processes.start([replace(each, urls=()) for each in self._posts(PIPED)], clerk)

    def _posts(self, each: int) -> list[Post]:
        """For processes that hold so many machines' keys."""
        machines, folder = self.stakers.fleet.machines, self.stakers.proofs / WORKERS / str(each)
        return [
            Post(
                machines[at : at + each],
                len(self.operators),
                self._urls,
                folder / str(at),
                self._genesis,
            )
            for at in range(0, len(machines), each)
        ]

    async def _prepare(self, hour: int) -> None:
        """Tell workers what time it is, what plots are made of, and whose memory is a renter's."""
        chain, now = self.network.chain, self.network.chain.now()
        day = epoch_start(now)
        head = await first_at(chain, day, Commitment.FINALIZED)
        assert head is not None  # The chain is older than a day.
        devices = await staking.read_devices(chain)
        hired = frozenset(at for at, each in devices.items() if each.lease != Pubkey.default())
        told = Told(hour, now, EpochAt(head.slot, head.blockhash, day), hired)
        await self.processes.be(told)

    async def _exchange(self) -> None:
        await self._verified()
        for operator in self.operators:
            await operator.collecting.exchange()
            await operator.collecting.verify()

    # -- workers -------------------------------------------------------------------------------

    async def _commits(self, wave: Wave) -> None:
        expected = {bytes(each.address) for each in self._staked() if commits(each, self._luck[each.number])}
        twice = {bytes(x.address) for x in self._staked() if code_of(x) is Code.COMMIT_CONFLICT} & expected

        def are_there() -> bool:
            for operator in self.operators:
                taken = operator.desk.intake.waves[wave.seed].taken
                if taken.keys() != expected or any(len(taken[each]) < ROOTS for each in twice):
                    return False
            return True

        await self._until(f"commits to the wave at slot {wave.slot}", are_there)

    async def _pongs(self, ping: Ping) -> None:
        expected = {bytes(x.address) for x in self._staked() if not self._luck[x.number].is_down}

        def are_there() -> bool:
            asked: list[Asked] = [each.desk.intake.pings[ping.seed] for each in self.operators]
            return all(each.answered == expected for each in asked)

        await self._until(f"answers to the ping at slot {ping.slot}", are_there)

    async def _openings(self, held: Held) -> None:
        quiet = {bytes(x.address) for x in self.stakers.fleet.machines if code_of(x) is Code.NO_OPENING}
        expected = {
            device
            for device, roots in held.roots.items()
            if device not in quiet and is_drawn(held, device, next(iter(roots.values())).kind)
        }

        seed, hour = held.wave.seed, held.wave.hour

        def are_there() -> bool:
            if any(each.opened.get(seed, set()) != expected for each in self._intakes):
                return False
            # Taken, and then written to the folder before it is in the book.
            kept = [operator.desk.book.openings(hour) for operator in self.operators]
            return all({each.device for each in some if each.seed == seed} == expected for some in kept)

        await self._until(f"openings of the wave at slot {held.wave.slot}", are_there)

    async def _until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for workers. Raises DemoFailed when they don't do what they should."""
        end = time.monotonic() + WAIT_SECONDS
        while not condition():
            self.processes.check()
            if time.monotonic() > end:
                raise DemoFailed(f"{what}: not all came within {WAIT_SECONDS:g} seconds")
            await self.processes.moved(ASK_SECONDS)

    # -- shorthand -----------------------------------------------------------------------------

    def _staked(self) -> list[Machine]:
        """The machines that the operators know as staked enough."""
        entries = self.operators[0].desk.intake.roster.entries
        return [each for each in self.stakers.fleet.machines if bytes(each.address) in entries]

    def _held(self) -> list[Held]:
        """The waves of the first operator, in the order of the chain."""
        waves = self.operators[0].desk.intake.waves
        return [waves[each.seed] for each in self._waves if each.seed in waves]

    def _arrives(self, operator: int) -> Callable[[Held, bytes], int]:
        by_address = {bytes(each.address): each for each in self.stakers.fleet.machines}

        def arrives(held: Held, data: bytes) -> int:
            machine = by_address[data[32:64]]
            profile = self.operators[operator].desk.profiles.at(held.wave.time).of_class(machine.kind.id)
            assert profile is not None
            resides = data[64] == WaveKind.RESIDENCY and profile.residency
            T_ms = profile.residency.T_ms if resides and profile.residency else profile.T_ms
            took = took_ms(machine, self._luck[machine.number], T_ms, held.wave.seed)
            return took + latency_ms(machine, operator)

        return arrives


def _delete(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
