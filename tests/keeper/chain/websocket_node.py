"""A node's websocket, of the tests' own or before another one's: what is lost, doubled and cut there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress

from solders.pubkey import Pubkey
from solders.signature import Signature
from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.keeper.chain.mischief import Mischief
from tests.keeper.chain.reply import Lost


class _Websocket:
    """Serves on a port of this machine; notices go out as ``mischief`` lets them through."""

    def __init__(self) -> None:
        self.url = ""
        self.mischief: Mischief | None = None
        self.server: Server

    async def start(self) -> None:
        self.server = await serve(self._client, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{next(iter(self.server.sockets)).getsockname()[1]}"

    async def stop(self) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def _client(self, client: ServerConnection) -> None:
        raise NotImplementedError

    async def _tell(self, client: ServerConnection, text: str) -> None:
        try:
            for each in self.mischief.notice(text) if self.mischief else [text]:
                await client.send(each)
        except Lost:
            client.transport.abort()
        except ConnectionClosed:
            pass


class WebsocketNode(_Websocket):
    """Takes subscriptions and gives notices when told."""

    def __init__(self, programs: Sequence[Pubkey]) -> None:
        """Nobody may ask about others than ``programs``."""
        super().__init__()
        self.connections = 0
        self.mentions = [{"mentions": [str(each)]} for each in programs]
        self.subscribed: list[str] = []
        self.nonsense: list[str | bytes] = []
        """What is answered in place of the next answers."""
        self.clients: set[ServerConnection] = set()
        self.ready = asyncio.Event()

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
            await self._tell(client, json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    async def tell_logs(self) -> None:
        value = {"signature": str(Signature.default()), "err": None, "logs": []}
        await self.tell("logsNotification", {"context": {"slot": 1}, "value": value})

    async def hang_up(self) -> None:
        self.ready.clear()
        for client in list(self.clients):
            client.transport.abort()


class WebsocketProxy(_Websocket):
    """In front of the websocket at ``upstream``, which may go away and come back."""

    def __init__(self, upstream: str, mischief: Mischief | None = None) -> None:
        super().__init__()
        self.mischief = mischief
        self._upstream = upstream

    async def _client(self, client: ServerConnection) -> None:
        with suppress(OSError, TimeoutError, WebSocketException):
            async with connect(self._upstream) as node:

                async def ask() -> None:
                    try:
                        async for text in client:
                            await node.send(text)
                    finally:
                        # Whoever hung up, or was killed, is told nothing more.
                        await node.close()

                asking = asyncio.create_task(ask())
                try:
                    async for text in node:
                        assert isinstance(text, str)
                        if "Notification" in text:
                            await self._tell(client, text)
                        else:
                            await client.send(text)
                finally:
                    asking.cancel()
                    await asyncio.gather(asking, return_exceptions=True)
