"""The websocket of a node: it takes subscriptions and gives notices when told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress

from solders.pubkey import Pubkey
from solders.signature import Signature
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed


class WebsocketNode:
    """Takes subscriptions and gives notices when told."""

    def __init__(self, programs: Sequence[Pubkey]) -> None:
        """Nobody may ask about others than ``programs``."""
        self.url = ""
        self.connections = 0
        self.mentions = [{"mentions": [str(each)]} for each in programs]
        self.subscribed: list[str] = []
        self.nonsense: list[str | bytes] = []
        """What is answered in place of the next answers."""
        self.clients: set[ServerConnection] = set()
        self.ready = asyncio.Event()
        self.server: Server

    async def start(self) -> None:
        self.server = await serve(self._client, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{next(iter(self.server.sockets)).getsockname()[1]}"

    async def stop(self) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def _client(self, client: ServerConnection) -> None:
        self.clients.add(client)
        self.connections += 1
        with suppress(ConnectionClosed):
            async for text in client:
                question = json.loads(text)
                self.subscribed.append(question["method"])
                answer = {"jsonrpc": "2.0", "id": question["id"], "result": len(self.subscribed)}
                await client.send(self.nonsense.pop(0) if self.nonsense else json.dumps(answer))
                if question["method"] == "logsSubscribe":
                    assert question["params"][0] in self.mentions
                    self.ready.set()
        self.clients.discard(client)

    async def tell(self, method: str, result: object) -> None:
        params = {"result": result, "subscription": 1}
        for client in list(self.clients):
            with suppress(ConnectionClosed):
                await client.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    async def tell_logs(self) -> None:
        value = {"signature": str(Signature.default()), "err": None, "logs": []}
        await self.tell("logsNotification", {"context": {"slot": 1}, "value": value})

    async def hang_up(self) -> None:
        self.ready.clear()
        for client in list(self.clients):
            client.transport.abort()
