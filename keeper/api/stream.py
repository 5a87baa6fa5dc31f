"""What becomes final, as it does: server-sent events to whoever listens, from one look at the index for all.

The index is read once for all listeners, not once for each. Who reads too slowly is let go, and may come
again: nobody waits for anybody. What was missed meanwhile is in the lists.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.index import Index, NothingIndexed, State
from keeper.api.queries import activity
from keeper.db import DatabaseError
from keeper.errors import UserError
from keeper.indexer.lookup import Happened
from keeper.indexer.views import addresses

LISTENERS = 100
WAITING = 64
"""Looks whose news wait for a listener before it is let go."""
EVERY = 2.0
"""Seconds between looks at the index."""
MOST = 200
"""Events that are told at a time; of more than that the newest slot is told alone, as lists have them all."""
IDLE = 15.0
"""Seconds after which a listener is told that it is still heard: proxies close what is silent."""


class TooMany(UserError):
    """As many listen as can."""


def message(kind: str, data: Mapping[str, Any]) -> bytes:
    """A server-sent event of a kind."""
    return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class Stream:
    """Tells listeners of an index what becomes final."""

    def __init__(self, index: Index, every: float = EVERY) -> None:
        """Nobody listens yet, and nothing is read."""
        self._index, self._every = index, every
        self._listeners: set[asyncio.Queue[bytes | None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._last: State | None = None

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def join(self) -> asyncio.Queue[bytes | None]:
        """Listen from now on; None in the queue is the end. Raises TooMany."""
        if len(self._listeners) >= LISTENERS:
            raise TooMany(f"{LISTENERS} listen already: ask the lists, or come again later")
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING)
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._last = None
            self._task = asyncio.create_task(self._go_on())
        return queue

    def leave(self, queue: asyncio.Queue[bytes | None]) -> None:
        """Listen no more."""
        self._listeners.discard(queue)

    async def heard(self, queue: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
        """What a listener is sent until it leaves or is let go."""
        try:
            while True:
                try:
                    said = await asyncio.wait_for(queue.get(), IDLE)
                except TimeoutError:
                    said = b": here\n\n"
                if said is None:
                    return
                yield said
        finally:
            self.leave(queue)

    async def _go_on(self) -> None:
        """Look while anybody listens; a database that can't be read is tried again."""
        while self._listeners:
            with suppress(DatabaseError, NothingIndexed):
                await self.look()
            await asyncio.sleep(self._every)

    async def look(self) -> None:
        """Tell all listeners what is new since the last look: at the first one, how far the index is."""
        state, last = await self._index.read_state(), self._last
        if last is None or (state.slot, state.time) != (last.slot, last.time):
            # In one piece: who reads as it is told has room for all that happened at a time.
            self._tell(b"".join(await self._news(last, state)))
        self._last = state

    async def _news(self, last: State | None, state: State) -> list[bytes]:
        """What is told of a new state: its events, if it isn't the first, and how far the index is."""
        found: Sequence[Happened] = ()
        if last is not None and state.slot > last.slot:
            async with self._index.database.reading() as on:
                found = await self._happened(on, last.slot, state.slot)
        told = [message("event", _event(each)) for each in found]
        return [*told, message("slot", {"slot": state.slot, "time": state.time})]

    async def _happened(self, on: AsyncConnection, above: int, up_to: int) -> Sequence[Happened]:
        found = await activity.between(on, above, up_to, MOST + 1)
        return found if len(found) <= MOST else ()

    def _tell(self, said: bytes) -> None:
        for queue in list(self._listeners):
            try:
                queue.put_nowait(said)
            except asyncio.QueueFull:
                # It reads too slowly: what waits is dropped, and it is told to come again.
                self.leave(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)


def _event(each: Happened) -> dict[str, Any]:
    """An event as it is told: what it is, where, and whom it names."""
    return {
        "program": each.program,
        "event": each.event.name,
        "slot": each.place.slot,
        "time": each.place.time,
        "signature": each.signature,
        "addresses": list(dict.fromkeys(map(str, addresses(each.event.fields)))),
    }
