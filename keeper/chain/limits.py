"""A node's limit on the calls of one method, shared by all that call it.

Whoever sells nodes lets so many calls of a method through in so many seconds. Without a common gate each of
sixteen readers would find that out by itself, again and again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from keeper.chain.errors import ChainUnreachable, NodeRefused

T = TypeVar("T")

SURE = 3
"""Refusals one after the other, without a good answer in between, that are a limit; fewer are one node of
several behind a URL."""
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 4.0
"""How long nobody calls, if the node doesn't say: twice as long each time, give or take a quarter."""
LONGEST_RETRY_AFTER_SECONDS = 300.0
"""The most that a node is believed when it does say."""


class Limited(ChainUnreachable):
    """The node takes no more calls of a method for now; ``retry_after`` seconds, if it says so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Keep what the node says."""
        super().__init__(message)
        self.retry_after = retry_after


class Gate:
    """Lets the calls of one method through; while the node limits them one at a time, after a pause."""

    def __init__(self) -> None:
        """Open."""
        self.opens_at = 0.0
        """When the next call may go through, by the event loop's clock."""
        self._closed = False
        self._closings = 0
        self._in_a_row = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._reason = ""
        self._one = asyncio.Lock()

    async def through(self, call: Callable[[], Awaitable[T]], until: float) -> T:
        """Make a call when it may be made; raises Limited when it is refused, or can't be made ``until``."""
        if not self._closed:
            return await self._watched(call)
        try:
            async with asyncio.timeout_at(until) as patience, self._one:
                if self._closed:
                    if self.opens_at > until:
                        raise TimeoutError
                    await asyncio.sleep(self.opens_at - asyncio.get_running_loop().time())
                    patience.reschedule(None)
                    return await self._watched(call)
        except TimeoutError:
            raise Limited(self._reason) from None
        return await self._watched(call)

    async def _watched(self, call: Callable[[], Awaitable[T]]) -> T:
        closings = self._closings
        try:
            answer = await call()
        except Limited as limited:
            self._reason = str(limited)
            self._refused(closings, limited.retry_after)
            raise
        except NodeRefused:
            self._served(closings)
            raise
        self._served(closings)
        return answer

    def _served(self, closings: int) -> None:
        self._in_a_row = 0
        if closings == self._closings:
            self._closed = False

    def _refused(self, closings: int, retry_after: float | None) -> None:
        if closings != self._closings:
            return  # It was under way when the gate closed, and tells nothing new.
        self._in_a_row += 1
        if retry_after is None and not self._closed and self._in_a_row < SURE:
            return
        self._pause = min(LONGEST_PAUSE_SECONDS, 2 * self._pause) if self._closed else FIRST_PAUSE_SECONDS
        self._closed = True
        self._closings += 1
        if retry_after is None:
            pause = self._pause * random.uniform(0.75, 1.25)
        else:
            pause = min(retry_after, LONGEST_RETRY_AFTER_SECONDS)
        self.opens_at = asyncio.get_running_loop().time() + pause
