"""A peer that answers every request with the same bytes, or in a way of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def says(body: bytes, status: str = "200 OK") -> Answer:
    """Answer with a body."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)

    return answer


async def endless(writer: asyncio.StreamWriter) -> None:
    """Send for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"ffff\r\n" + bytes(65_535) + b"\r\n")
        await writer.drain()


async def trickling(writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def closing(writer: asyncio.StreamWriter) -> None:
    """Hang up."""


@asynccontextmanager
async def peer(answer: Answer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Such a peer; gives its URL, and what it was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
            await answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
