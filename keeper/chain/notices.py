"""A node's notices over its websocket: what wakes the indexer before its next poll.

They are a matter of latency alone. Whatever goes wrong ends in a new connection, and every new
connection counts as a notice, as nobody knows what was missed without one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pydantic_core import from_json, to_json
from solders.pubkey import Pubkey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

SILENCE_SECONDS = 30.0
"""Slots come several a second: a connection without a notice of one for so long is dead."""
LONGEST_PAUSE_SECONDS = 30.0
"""Between attempts to connect: each waits a random part of a pause that doubles up to this."""


class Notices:
    """Listens at ``url`` from the first question on, until closed."""

    def __init__(
        self, url: str, *, silence: float = SILENCE_SECONDS, longest_pause: float = LONGEST_PAUSE_SECONDS
    ) -> None:
        """Name the websocket; nothing is opened yet."""
        self.url = url
        self.connections = 0
        """Opened so far."""
        self._silence = silence
        self._longest_pause = longest_pause
        self._woken = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None

    async def next(self, programs: Sequence[Pubkey]) -> None:
        """Return at the next notice about one of ``programs``; the first call fixes them for good."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen(list(programs)), name="notices")
        await self._woken.wait()
        self._woken.clear()

    async def close(self) -> None:
        """Stop listening."""
        if self._listener:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener

    async def _listen(self, programs: list[Pubkey]) -> None:
        failures = 0
        while True:
            # A node that answers with anything but JSON objects raises ValueError.
            with suppress(OSError, TimeoutError, WebSocketException, ValueError):
                async with connect(self.url) as connection:
                    await self._subscribe(connection, programs)
                    self.connections += 1
                    failures = 0
                    self._woken.set()
                    while True:
                        if (await self._receive(connection)).get("method") == "logsNotification":
                            self._woken.set()
            failures += 1
            pause = min(self._longest_pause, 0.5 * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(0, pause))

    async def _subscribe(self, connection: ClientConnection, programs: Sequence[Pubkey]) -> None:
        """Ask for notices of slots and of programs; raises ValueError when the node refuses any."""
        questions: list[tuple[str, list[Any]]] = [("slotSubscribe", [])]
        for program in programs:
            filters = [{"mentions": [str(program)]}, {"commitment": "confirmed"}]
            questions.append(("logsSubscribe", filters))
        for number, (method, parameters) in enumerate(questions):
            question = {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
            await connection.send(to_json(question).decode())
            while (answer := await self._receive(connection)).get("id") != number:
                pass  # Notices of what is subscribed to already: it wakes in any case.
            if "result" not in answer:
                raise ValueError(f"the node takes no {method}")

    async def _receive(self, connection: ClientConnection) -> dict[str, Any]:
        message = from_json(await asyncio.wait_for(connection.recv(), self._silence))
        if not isinstance(message, dict):
            raise ValueError("a message that isn't an object")
        return message
