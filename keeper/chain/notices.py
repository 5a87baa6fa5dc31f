"""A node's notices over its websocket: what wakes the indexer before its next poll.

They are a matter of latency alone. Whatever goes wrong ends in a new connection, and every new
connection counts as a notice, as nobody knows what was missed without one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress

from solana.rpc.commitment import Confirmed
from solana.rpc.jsonrpc import SolanaJsonRpcError
from solana.rpc.websocket_api import OverflowPolicy, SolanaWsClient
from solders.pubkey import Pubkey
from solders.rpc.config import RpcTransactionLogsFilterMentions
from solders.rpc.responses import LogsNotification
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
            with suppress(OSError, TimeoutError, WebSocketException, SolanaJsonRpcError):
                # What a dropped notice says doesn't matter: that one came is enough.
                async with SolanaWsClient(self.url, overflow=OverflowPolicy.DROP_OLDEST) as client:
                    await client.slot_subscribe()
                    for program in programs:
                        mentions = RpcTransactionLogsFilterMentions(program)
                        await client.logs_subscribe(filter_=mentions, commitment=Confirmed)
                    self.connections += 1
                    failures = 0
                    self._woken.set()
                    while True:
                        notice = await asyncio.wait_for(client.recv(), self._silence)
                        if isinstance(notice, LogsNotification):
                            self._woken.set()
            failures += 1
            pause = min(self._longest_pause, 0.5 * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(0, pause))
