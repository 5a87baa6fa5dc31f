"""A process beside an audit's own, for what takes a core for long and asks nothing of a chain."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from keeper.errors import UserError

T = TypeVar("T")


class ProcessEnded(UserError):
    """A process of the audit's was ended from outside."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "a process of the audit's was ended from outside: audit again, perhaps with --sample"
        )


@contextmanager
def beside() -> Iterator[Executor]:
    """One process; it starts with the first thing to do, and ends with this block."""
    # Not forked: this process has threads and an event loop. Whoever started it ends it: an interrupt at the
    # terminal reaches both.
    ignoring = signal.signal, (signal.SIGINT, signal.SIG_IGN)
    pool = ProcessPoolExecutor(1, get_context("spawn"), *ignoring)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


async def done(pool: Executor | None, work: Callable[..., T], *arguments: Any) -> T:
    """What ``work`` returns, done there, or on a thread of this process where there is none.

    Raises ProcessEnded.
    """
    if pool is None:
        return await asyncio.to_thread(work, *arguments)
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)
    except BrokenExecutor as error:
        raise ProcessEnded from error
