"""The keeper's loop: every job at its interval, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from keeper.chain.errors import AnotherChain
from keeper.runtime.keeper import Keeper

MAX_BACKOFF_SECONDS = 300
"""A job that keeps failing is tried this often at least."""
LOOK = "look"
"""The scheduler's id for looking around; no job has this name."""


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
    wakers: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
) -> None:
    """Look around and run every job, at once and then every ``every`` seconds until ``stop`` is set.

    ``intervals`` are those of jobs that have their own; ``wakers`` return when their job should run
    before its time.

    Jobs look often instead of at each hour's end: the chain's clock decides what is due, and it
    may differ from this machine's. One job runs at a time, as they pay from one key; a job that is
    late runs once, not as often as it was missed; one that fails waits longer each time. The one
    under way is finished before returning, and leadership is given up. Raises AnotherChain, after all this,
    when the chain's file turns out to be another chain's.
    """
    turn, eyes = asyncio.Lock(), asyncio.Lock()
    replaced: list[AnotherChain] = []
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )

    @contextmanager
    def ending() -> Iterator[None]:
        try:
            yield
        except AnotherChain as error:
            replaced.append(error)
            stop.set()

    async def take_turn(name: str) -> None:
        async with turn:
            if stop.is_set():
                return
            with ending():
                await keeper.run_job(name)
        if failures := keeper.health[name].failures:
            later = datetime.now(UTC) + timedelta(seconds=backoff(interval(name), failures))
            scheduler.modify_job(name, next_run_time=later)

    async def look() -> None:
        async with eyes:
            if not stop.is_set():
                with ending():
                    await keeper.look()

    async def wake(name: str, waker: Callable[[], Awaitable[None]]) -> None:
        while True:
            await waker()
            await asyncio.shield(take_turn(name))

    def interval(name: str) -> float:
        return (intervals or {}).get(name, every)

    def schedule(function: object, name: str, *arguments: object) -> None:
        scheduler.add_job(
            function,
            "interval",
            args=arguments,
            id=name,
            seconds=interval(name),
            next_run_time=datetime.now(UTC),
        )

    schedule(look, LOOK)
    for name in keeper.jobs:
        schedule(take_turn, name, name)
    keeper.log.info(
        "keeper.started",
        name=keeper.name,
        payer=str(keeper.sender.payer),
        jobs=list(keeper.jobs),
        every_seconds=every,
    )
    scheduler.start()
    waking = [asyncio.create_task(wake(name, waker)) for name, waker in (wakers or {}).items()]
    try:
        await stop.wait()
    finally:
        stop.set()
        scheduler.pause()
        for task in waking:
            # A job that it has begun goes on: the turn below waits for it.
            task.cancel()
        await asyncio.gather(*waking, return_exceptions=True)
        # What is still under way would be cancelled, perhaps in the middle of a transaction.
        async with turn, eyes:
            scheduler.shutdown(wait=False)
        await keeper.resign()
        keeper.log.info("keeper.stopped")
    if replaced:
        raise replaced[0]
