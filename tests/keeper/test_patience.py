"""Whoever opens connections and asks nothing, or reads nothing, loses them."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from keeper.patience import Patient

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
MUCH = 64 * 2**20
"""Bytes of an answer: more than the system takes for somebody who reads nothing."""


class Hurried(Patient):
    seconds = 0.2
    take_seconds = 0.2


class Strict(Patient):
    most = 2

    @staticmethod
    def is_own(address: str) -> bool:
        return False


@asynccontextmanager
async def serving(http: type[Patient]) -> AsyncIterator[int]:
    """Serve meanwhile; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(answer, http=http, lifespan="off", log_config=None, timeout_keep_alive=600)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        await running


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    size = MUCH if scope["path"] == "/much" else 1
    if scope["path"] == "/late":
        await asyncio.sleep(Hurried.seconds * 2)
    headers = [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * size})


async def ends(reader: asyncio.StreamReader) -> bytes:
    """All that is sent before the connection is ended."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "said",
    [b"", b"\r\n", b"GET / HT", REQUEST[:-2] + b"x: 1\r\n", b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n1"],
)
async def test_half_a_question(said: bytes) -> None:
    async with serving(Hurried) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        await ends(reader)
        writer.close()


async def test_a_connection_that_was_of_use_is_not_kept_by_a_byte_now_and_then() -> None:
    async with serving(Hurried) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST + b"GET")
        assert (await ends(reader)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_an_answer_that_nobody_reads() -> None:
    async with serving(Hurried) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.write(REQUEST.replace(b"/ ", b"/much "))
        await reader.readexactly(1)
        await asyncio.sleep(Hurried.seconds * 3)
        assert len(await ends(reader)) < MUCH
        writer.close()


async def test_a_question_that_takes_long_is_answered() -> None:
    """Patience is with who asks: what is asked has limits of its own."""
    async with serving(Hurried) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST.replace(b"/ ", b"/late "))
        assert (await ends(reader)).endswith(b"\r\n\r\nx")
        writer.close()


async def test_an_address_has_so_many_connections() -> None:
    async with serving(Strict) as port:
        some = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, writer in some:  # Both are there, as they are answered.
            writer.write(REQUEST)
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await ends(reader) == b""
        for _, each in [*some, (reader, writer)]:
            each.close()
