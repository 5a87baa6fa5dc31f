"""What changes nothing of the demo's own chain, in another process beside all that goes on."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from keeper.demo.checks import DemoFailed
from keeper.demo.processes import context

T = TypeVar("T")


class Beside:
    """A process that does one thing after the other; what comes of them is taken at the end, in their order.

    So no figure depends on how fast either process is.
    """

    def __init__(self) -> None:
        """The process starts with the first thing to do."""
        # Whoever started it ends it: an interrupt at the terminal reaches both.
        ignoring = signal.signal, (signal.SIGINT, signal.SIG_IGN)
        self.pool = ProcessPoolExecutor(1, context(), *ignoring)
        self._begun: list[tuple[Future[Any], Callable[[Any], None] | None]] = []

    def start(self, work: Callable[..., T], *arguments: Any, then: Callable[[T], None] | None = None) -> None:
        """Have ``work`` done there, and what it returns taken by ``then`` when all is taken."""
        with _whole():
            self._begun.append((self.pool.submit(work, *arguments), then))

    async def finish(self) -> None:
        """Wait until all is done, and take it. Raises what the first that failed has raised, DemoFailed."""
        with _whole():
            for future, then in self._begun:
                found = await asyncio.wrap_future(future)
                if then is not None:
                    then(found)
        self._begun.clear()


@contextmanager
def _whole() -> Iterator[None]:
    """Say what it means that the process isn't there any more."""
    try:
        yield
    except BrokenExecutor as error:
        raise DemoFailed("a process of the demo's was ended from outside: run it again") from error


@contextmanager
def beside() -> Iterator[Beside]:
    """A process that ends with this block; what it hasn't begun by then, after a failure, is left."""
    found = Beside()
    try:
        yield found
    finally:
        found.pool.shutdown(cancel_futures=True)
