"""What takes long to read is read once, however many ask for it at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from fastapi.concurrency import run_in_threadpool

P = ParamSpec("P")
V = TypeVar("V")


class Once(Generic[P, V]):
    """A function's value for what it was asked for last; it is called in a thread, for one visitor alone."""

    def __init__(self, read: Callable[P, V]) -> None:
        """Keep what ``read`` returns."""
        self._read = read
        self._key: object = None
        self._task: asyncio.Task[V] | None = None

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> V:
        """The value; who asks meanwhile waits for it. Raises what ``read`` raises, and keeps no failure."""
        key = args, tuple(sorted(kwargs.items()))
        if self._task is None or self._key != key:
            self._key = key
            self._task = asyncio.create_task(run_in_threadpool(self._read, *args, **kwargs))
        task = self._task
        try:
            # Whoever goes away doesn't end it for those that wait.
            return await asyncio.shield(task)
        except Exception:
            if self._task is task:
                self._task = None
            raise
