"""JSON-RPC over HTTP on a port of this machine, with somebody in between."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from functools import partial

import httpx2 as httpx

from tests.keeper.chain.reply import Between, Lost, Reply


class HttpNode:
    """Serves what ``_answer`` says, as ``mischief`` lets it through."""

    def __init__(self, mischief: Between | None = None) -> None:
        self.mischief = mischief
        self.url = ""
        self._connections: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def start(self, port: int = 0) -> None:
        """Listen on a port of this machine, a free one unless told otherwise."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening and hang up."""
        self._server.close()
        tasks = [task for task in self._connections if task]
        for writer in self._connections.values():
            writer.close()
        await asyncio.gather(*tasks)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[asyncio.current_task()] = writer
        try:
            while True:
                asked = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
                fields = dict(line.lower().split(": ", 1) for line in asked[1:-1])
                body = await reader.readexactly(int(fields["content-length"]))
                reply = await self._reply(body)
                fields = {"content-length": str(len(reply.body)), **reply.headers}
                head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
                half = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
                writer.write(f"HTTP/1.1 {reply.status} x\r\n{head}\r\n".encode() + half)
                if reply.cut:
                    await writer.drain()
                    raise Lost
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            del self._connections[asyncio.current_task()]
            writer.close()

    async def _reply(self, body: bytes) -> Reply:
        ask = partial(self._answer, body)
        answer = await (self.mischief.answer(json.loads(body), ask) if self.mischief else ask())
        return answer if isinstance(answer, Reply) else Reply(answer)

    async def _answer(self, body: bytes) -> bytes:
        raise NotImplementedError


class HttpProxy(HttpNode):
    """In front of the node at ``upstream``, which may go away and come back."""

    def __init__(self, upstream: str, mischief: Between | None = None) -> None:
        super().__init__(mischief)
        self._upstream = upstream
        self._client = httpx.AsyncClient(timeout=60)

    async def stop(self) -> None:
        await super().stop()
        await self._client.aclose()

    async def _answer(self, body: bytes) -> bytes:
        with suppress(httpx.HTTPError):
            answer = await self._client.post(
                self._upstream, content=body, headers={"content-type": "application/json"}
            )
            return answer.content
        raise Lost
