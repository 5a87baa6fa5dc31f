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


class Forwarder:
    """The connections of all listeners."""

    def __init__(self) -> None:
        """There are none yet."""
        self._open = 0

    @asynccontextmanager
    async def listening(self, port: int, opens: Open) -> AsyncIterator[int]:
        """Forward a port of 127.0.0.1 (0: any that is free) meanwhile; gives it. Raises PortTaken."""
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await self.join((reader, writer), opens)
            finally:
                tasks.discard(task)

        try:
            server = await asyncio.start_server(serve, HOST, port)
        except OSError as error:
            raise PortTaken(f"port {port} can't be forwarded ({why(error)}): name another one") from error
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def join(self, outside: Streams, opens: Open) -> None:
        """Carry all bytes both ways until both have ended, or one can't go on."""
        if self._open >= MOST:
            await _close(outside[1])
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
                await _close(inside[1])
        finally:
            self._open -= 1
            await _close(outside[1])


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """All that comes, and then its end; raises OSError."""
    while data := await source.read(CHUNK):
        target.write(data)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
