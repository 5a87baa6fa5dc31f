"""TCP from this machine into a cluster's network: a listener out here, a connector in there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from keeper.compute.namespace import SandboxFailed
from keeper.errors import UserError, why

CHUNK = 1 << 16
MOST = 256
"""Connections at a time: further ones are closed at once."""
HOST = "127.0.0.1"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Open = Callable[[], Awaitable[Streams]]
"""A new connection inside; raises OSError, TimeoutError, SandboxFailed, UserError."""


class PortTaken(UserError):
    """A port of this machine that something else has."""


class Callers:
    """Those who have connected to a server, each served by a task that ends with it."""

    def __init__(self, serve: Callable[[Streams], Awaitable[None]]) -> None:
        """``serve`` is called for each."""
        self._serve = serve
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What the server is started with."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve((reader, writer))
        finally:
            self._tasks.discard(task)

    @asynccontextmanager
    async def of(self, server: asyncio.Server) -> AsyncIterator[None]:
        """The server's time; all of it is over afterwards."""
        try:
            yield
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)


class Forwarder:
    """The connections of all listeners."""

    def __init__(self) -> None:
        """There are none yet."""
        self._open = 0

    @asynccontextmanager
    async def listening(self, port: int, opens: Open) -> AsyncIterator[int]:
        """Forward a port of 127.0.0.1 (0: any that is free) meanwhile; gives it. Raises PortTaken."""
        callers = Callers(lambda outside: self.join(outside, opens))
        try:
            server = await asyncio.start_server(callers.serve, HOST, port)
        except OSError as error:
            raise PortTaken(f"port {port} can't be forwarded ({why(error)}): name another one") from error
        async with callers.of(server):
            yield server.sockets[0].getsockname()[1]

    async def join(self, outside: Streams, opens: Open) -> None:
        """Carry all bytes both ways until both have ended, or one can't go on."""
        if self._open >= MOST:
            await close(outside[1])
            return
        self._open += 1
        try:
            try:
                inside = await opens()
            except (OSError, TimeoutError, SandboxFailed, UserError):
                return
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(_copy(outside[0], inside[1]))
                    both.create_task(_copy(inside[0], outside[1]))
            except* OSError:
                pass
            finally:
                await close(inside[1])
        finally:
            self._open -= 1
            await close(outside[1])


async def close(writer: asyncio.StreamWriter) -> None:
    """End a connection, whatever state it is in."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """All that comes, and then its end; raises OSError."""
    while data := await source.read(CHUNK):
        target.write(data)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()
