"""The keeper's loop: every job at its interval, beside all others, until it is told to stop.

Each job is a task on the loop's own clock, which no step of this machine's wall clock moves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from structlog.typing import FilteringBoundLogger

from keeper.chain.errors import AnotherChain
from keeper.runtime.keeper import PASSING, Keeper
from keeper.runtime.operation import SWEEP
from keeper.sender import Stopped

MAX_BACKOFF_SECONDS = 300
"""A job that keeps failing is tried this often at least."""
WAKER_SECONDS = 1.0
"""The interval of a waker that fails at once: it waits twice as long for each failure in a row."""
LAST_SECONDS = 3.0
"""How long the transaction under way at a stop may take to land. Cut off, it is settled by the next start."""
LOOK = "look"
"""The task that looks around; no job has this name."""

Waker = Callable[[], Awaitable[None]]


def backoff(every: float, failures: int) -> float:
    """Seconds until a job's next run after this many failures in a row: doubled by each."""
    doubled: float = every * 2 ** min(failures, 20)
    return every if failures == 0 else max(every, min(MAX_BACKOFF_SECONDS, doubled))


async def run(
    keeper: Keeper,
    *,
    every: float,
    stop: asyncio.Event,
    intervals: Mapping[str, float] | None = None,
    wakers: Mapping[str, Waker] | None = None,
) -> None:
    """Look around and run every job, at once and then every ``every`` seconds until ``stop`` is set.

    ``intervals`` are those of jobs that have their own, from their first run as the leader's on; ``wakers``
    return when their job should run before its time.

    Jobs look often instead of at each hour's end: the chain's clock decides what is due, and it
    may differ from this machine's. They run side by side, but for SWEEP, which comes first; the sender
    has them take turns. A job that is late runs once, not as often as it was missed; one that fails waits
    longer each time, and nothing wakes it before. At the stop only the transaction under way may still
    land; then leadership is given up. Raises AnotherChain, after all this, when the chain's file turns out
    to be another chain's.
    """
    swept = asyncio.Event()

    async def run_job(name: str) -> int | None:
        if name != SWEEP:
            await swept.wait()
        try:
            outcome = await keeper.run_job(name)
        finally:
            if name == SWEEP:
                swept.set()
        return keeper.health[name].failures if outcome else None

    async def look() -> int:
        await keeper.look()
        return 0

    if SWEEP not in keeper.jobs:
        swept.set()
    keeper.log.info(
        "keeper.started",
        name=keeper.name,
        payer=str(keeper.sender.payer),
        jobs=list(keeper.jobs),
        every_seconds=every,
    )
    repeated = [_Repeated(LOOK, look, every, every, keeper.log)]
    for name in keeper.jobs:
        interval = (intervals or {}).get(name, every)
        act = partial(run_job, name)
        log, waker = keeper.log.bind(job=name), (wakers or {}).get(name)
        repeated.append(_Repeated(name, act, interval, every, log, waker))
    tasks = {each.name: asyncio.create_task(each.go_on(), name=each.name) for each in repeated}
    stopping = asyncio.create_task(stop.wait())
    try:
        # A task ends by itself only where there is nothing left to keep.
        await asyncio.wait({stopping, *tasks.values()}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        keeper.sender.stop()
        for name, task in tasks.items():
            if name != keeper.sender.acting:
                task.cancel()
        await asyncio.wait(tasks.values(), timeout=LAST_SECONDS)
        stopping.cancel()
        for task in tasks.values():
            task.cancel()
        ends = await asyncio.gather(*tasks.values(), return_exceptions=True)
        await keeper.resign()
        keeper.log.info("keeper.stopped")
    for each in ends:
        if isinstance(each, AnotherChain):
            raise each


@dataclass(frozen=True, slots=True)
class _Repeated:
    """Something done again and again: ``act`` returns how often in a row it has failed by now.

    It returns None where it did nothing, as another keeper leads: then it is tried again after ``standby``.
    """

    name: str
    act: Callable[[], Awaitable[int | None]]
    interval: float
    standby: float
    log: FilteringBoundLogger
    waker: Waker | None = None

    async def go_on(self) -> None:
        """Do it at once, and then until cancelled or stopped. Raises AnotherChain."""
        clock = asyncio.get_running_loop().time
        notice = self._noticed()
        try:
            while True:
                if notice.done():
                    notice.result()
                    notice = self._noticed()
                began = clock()
                failures = await self._done()
                if failures:
                    await asyncio.sleep(backoff(self.interval, failures))
                else:
                    interval = self.standby if failures is None else self.interval
                    await asyncio.wait({notice}, timeout=max(0, began + interval - clock()))
        except Stopped:
            return
        finally:
            notice.cancel()

    async def _done(self) -> int | None:
        try:
            return await self.act()
        except PASSING:
            raise
        except BaseException:
            # A job's own failures don't get here: this is a defect of what runs it.
            self.log.exception("loop.failed", what=self.name)
            return 1

    def _noticed(self) -> asyncio.Task[None]:
        """Ends when it should be done before its time."""
        return asyncio.create_task(self._wake(), name=f"{self.name}'s waker")

    async def _wake(self) -> None:
        if self.waker is None:
            await asyncio.Event().wait()
            return
        failures = 0
        while True:
            try:
                await self.waker()
                return
            except PASSING:
                raise
            except BaseException as error:
                failures += 1
                self.log.exception("waker.failed", reason=f"{type(error).__name__}: {error}")
                await asyncio.sleep(backoff(WAKER_SECONDS, failures))
