"""The agent on a device: hears of waves and pings, and lets the devices of this process answer them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain import SigningFailed
from keeper.pow.clock import DAY, PLOT_SECONDS, epoch_start
from keeper.pow.messages import PONGS, Pong
from keeper.pow.prove import NotRepeated
from keeper.pow.seeds import epoch_seed, wave_seed
from keeper.worker.client import EpochAt, News, OpenAt, Operator, PingAt, Refused, WaveAt
from keeper.worker.delivery import sign, until
from keeper.worker.leases import Leases
from keeper.worker.line import Lines
from keeper.worker.serving.serving import Serving
from keeper.worker.sources import Source
from keeper.worker.state import StateError, Store
from keeper.worker.waves import Waves
from keeper.worker.work import Device, Works

SLOT_SECONDS = 0.4
PONG_SECONDS = 20.0
PAST_SECONDS = 3_600.0
"""What began before is no matter any more; a wave since then is noted as missed."""
DAYS = 64
"""Days whose first block is remembered."""
FORGET_SECONDS = 3_600.0
"""How often the disk forgets what is old, at most; an opening has tens of kilobytes."""
KNOWN = 2_048
"""Waves, pings and days that it is remembered to have heard of; the disk knows those it worked for."""


class Agent:
    """The devices of one process, on one chain. All that it needs is given: it reads no settings."""

    def __init__(
        self,
        devices: Sequence[Device],
        operators: Sequence[Operator],
        sources: Sequence[Source],
        works: Works,
        store: Store,
        network: tuple[bytes, Pubkey],
        log: Any,
        clock: Callable[[], float] = time.time,
        lines: Lines | None = None,
    ) -> None:
        """``network`` is the chain's genesis hash and the staking program.

        ``clock`` gives unix seconds: only how they pass matters, and which day it is.
        """
        self.devices = devices
        self.operators = operators
        self.sources = sources
        self.works = works
        self.store = store
        self.network = network
        self.waves = Waves(operators, works, store, log, clock)
        self.lines = lines or Lines(operators, log, clock)
        self.leases: Leases | None = None
        """The devices' leases, looked after while this runs; without a node there are none."""
        self.serving: Serving | None = None
        """What serves them; without it they are accepted, and nothing runs."""
        self.pongs = 0
        """Pings that were answered since the start, by all devices."""
        self.slot = 0
        """The newest slot that was heard of."""
        self._log = log
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._defects = asyncio.Queue[asyncio.Task[None]]()
        self._known: dict[object, None] = {}
        self._forgot: float | None = None
        """When the disk was last made to forget."""
        self._days: dict[int, EpochAt] = {}
        """The first block of each day, as it was told first."""
        self._doubtful: set[int] = set()
        """Days of which another block was told, too."""

    async def run(self, stop: asyncio.Event) -> None:
        """Go on with what was begun, then with what is heard, until ``stop``.

        What is under way then is resumed by the next run. Raises StateError when the state can't be read at
        the start.
        """
        self.resume()
        listening = [asyncio.create_task(self._listen(each)) for each in self.sources]
        if self.leases is not None:
            listening.append(asyncio.create_task(self.leases.run()))
        if self.serving is not None:
            listening.append(asyncio.create_task(self.serving.run()))
        stopped, defect = asyncio.create_task(stop.wait()), asyncio.create_task(self._defect())
        ending = [stopped, defect, *listening]
        try:
            done, _ = await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            tasks = [*ending, *self._tasks]
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for source in self.sources:
                await source.close()

    def resume(self) -> None:
        """Go on with the waves that the disk has unfinished. Raises StateError."""
        self._forget()
        for device in self.devices:
            for kept in self.store.unfinished(device.address):
                self._start(self.waves.run(device, kept))

    def hear(self, news: News) -> None:
        """Take what somebody trusted says, and begin what follows from it; twice is as once."""
        self.slot = max(self.slot, news.slot)
        for item in news.items:
            if isinstance(item, OpenAt):
                self.waves.tell(item)
            elif item not in self._known:
                self._known[item] = None
                if isinstance(item, EpochAt) and self._differs(item):
                    continue
                age = max(0, news.slot - item.slot) * SLOT_SECONDS
                if age < PAST_SECONDS or isinstance(item, EpochAt):
                    self._begin(item, self._clock() - age)
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]

    async def settle(self) -> None:
        """Wait until all that was begun is over."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # -- inside ----------------------------------------------------------------------------------

    async def _listen(self, source: Source) -> None:
        while True:
            self.hear(await source.look())

    def _begin(self, item: WaveAt | PingAt | EpochAt, at: float) -> None:
        if isinstance(item, PingAt):
            for number in range(0, len(self.devices), PONGS):
                self._start(self._pongs(self.devices[number : number + PONGS], item, at))
            return
        for device in self.devices:
            if isinstance(item, WaveAt):
                self._start(self._wave(device, item, at))
                seed = wave_seed(*self.network, item.slot, item.blockhash)
                self._start(self.lines.measure(device, item, seed, at))
            elif any(each.tested for each in (device.profile, *(later for _, later in device.later))):
                self._start(self._fill(device, item))

    def _differs(self, item: EpochAt) -> bool:
        """Whether sources differ on a day's first block: then there is no plot, as one may be wrong work."""
        first = self._days.setdefault(item.day, item)
        while len(self._days) > DAYS:
            del self._days[next(iter(self._days))]
        if first == item:
            return False
        self._doubtful.add(item.day)
        for device in self.devices:
            self.works.drop(device, item.day)
        self._log.error("worker.epoch_differs", day=item.day, slots=[first.slot, item.slot])
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._over)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """What a disk, a signer or a processor does wrong ends one piece of work, not the agent."""
        try:
            await work
        except StateError as error:
            self._log.error("worker.state_failed", reason=str(error))
        except SigningFailed as error:
            self._log.error("worker.signing_failed", reason=str(error))
        except NotRepeated as error:
            self._log.error("worker.not_repeated", reason=str(error))

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._defects.put_nowait(task)

    async def _defect(self) -> None:
        """Raise what none of the errors is that can happen: nothing goes on after it."""
        (await self._defects.get()).result()

    async def _wave(self, device: Device, item: WaveAt, at: float) -> None:
        seed = wave_seed(*self.network, item.slot, item.blockhash)
        kept = self.store.begin(device.address, seed, item.slot, item.kind, item.spot, item.time, at)
        if kept is not None:
            await self.waves.run(device, kept)
            self._forget()

    def _forget(self) -> None:
        """Have the disk forget what is old; not at a start alone: a worker runs for months.

        Seldom, as all of the disk's waves are looked at, which many devices have many of.
        """
        now = self._clock()
        if self._forgot is None or abs(now - self._forgot) >= FORGET_SECONDS:
            self.store.forget(now)
            self._forgot = now

    async def _pongs(self, devices: Sequence[Device], item: PingAt, at: float) -> None:
        """Answer a ping for some devices, in one request to each operator: their time is no matter."""

        def left() -> float:
            return PONG_SECONDS + at - self._clock()

        if left() <= 0:
            return
        log = self._log.bind(slot=item.slot)
        signed = await asyncio.gather(*(self._pong(each, item) for each in devices))
        answers = {each.address: pong for each, pong in zip(devices, signed, strict=True) if pong}
        waiting = {each: dict(answers) for each in self.operators}
        took = Counter[Pubkey]()

        async def send(operator: Operator) -> None:
            mine = waiting[operator]
            again: Refused | None = None
            for device, refusal in zip(list(mine), await operator.pongs(list(mine.values())), strict=True):
                if refusal is not None and not refusal.is_final:
                    again = max(again or refusal, refusal, key=lambda each: each.wait)
                    continue
                del mine[device]
                if refusal is None:
                    took[device] += 1
                else:
                    words = {"url": operator.url, "code": refusal.code, "reason": str(refusal)}
                    log.warning("worker.refused", device=str(device), **words)
            if again is not None:
                raise again

        if answers:
            await until(self.operators, send, left, log)
        self.pongs += len(answers)
        for device in answers:
            log.info("worker.pong", device=str(device), operators=took[device], of=len(self.operators))

    async def _pong(self, device: Device, item: PingAt) -> bytes | None:
        """A device's answer to a ping; None where its signer fails, which is no matter of the others."""
        try:
            return (await sign(Pong(item.seed, device.address), device.signer)).encode()
        except SigningFailed as error:
            self._log.error("worker.signing_failed", reason=str(error))
            return None

    async def _fill(self, device: Device, epoch: EpochAt) -> None:
        """Make the plot of the day that has begun, from when on waves are about it.

        And once more in each hour of it from which on the device has another profile.
        """
        first = epoch.day + PLOT_SECONDS
        changes = [since for since, _ in device.later if first < since < first + DAY]
        for since in (first, *changes):
            await asyncio.sleep(max(0.0, since - self._clock()))
            if (now := device.at(int(self._clock()))).profile.tested is not None:
                await self._fill_now(now, epoch)

    async def _fill_now(self, device: Device, epoch: EpochAt) -> None:
        stale = epoch_start(int(self._clock())) != epoch.day
        if stale or epoch.day in self._doubtful or self.works.has_plot(device, epoch.day):
            return
        begun = time.monotonic()
        await self.works.fill(device, epoch_seed(*self.network, epoch.slot, epoch.blockhash), epoch.day)
        if epoch.day in self._doubtful:
            self.works.drop(device, epoch.day)
            return
        seconds = round(time.monotonic() - begun, 1)
        self._log.info("worker.plot", device=str(device.address), seconds=seconds)
