"""A renter's way out: what its code asks of a port of its own loopback, the agent fetches from named hosts.

The agent listens by sockets of the sandbox's network, and connects by sockets of the machine's. It speaks
CONNECT alone, to names that the supplier allows (:mod:`keeper.compute.egress`), and hands bytes on unread:
they count against the lease's bytes, and against the one line that its overlay has, too.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from keeper.budgets import Buckets, Rate
from keeper.compute.carrier import yields
from keeper.compute.egress import PORT, Address, Network, allows, is_name, reachable
from keeper.compute.namespace import Namespaces

HOST, LISTENS = "127.0.0.1", 3_128
"""Where a renter's code finds it, in each sandbox."""
SHOWN = 3_129
"""Where the others of the overlay see its figures, and nothing else."""
VARIABLES: Mapping[str, str] = {
    **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), f"http://{HOST}:{LISTENS}"),
    # Members speak to each other without it.
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.0/8,10.0.0.0/8"),
}
"""What programs know a proxy by. Not HTTP_PROXY: nothing is fetched that isn't encrypted."""
MOST_OPEN = 64
"""Connections at a time."""
MOST_HEAD = 8_192
"""Bytes of a request."""
HEAD_SECONDS = 30.0
"""Longer than a wave has a renter's code stand still."""
LOOKUP_SECONDS, DIAL_SECONDS = 10.0, 5.0
IDLE_SECONDS = 300.0
"""After which a connection without a byte is closed."""
TRIES = 3
"""Addresses of a name that are tried."""
LOOKUPS = 4
"""At a time: a resolver that is slow holds up nothing else of the agent's."""
PACE = Rate(64, 16)
"""Connections: more than an installer opens. Further ones wait in the kernel, and cost the agent nothing."""
WAITING = 64
"""Of those; the kernel takes no more."""
RETRY_SECONDS = 1.0
"""After a connection that couldn't be taken, as of too many open files."""
CHUNK = 1 << 15
"""Bytes at a time: no more than a line's budget has at once."""
TOLD = 256
"""Names that are told in the log, each once."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Resolve = Callable[[str], Awaitable[Sequence[str]]]
Dial = Callable[[Address, int], Awaitable[Streams]]
_CONNECT = re.compile(rb"CONNECT ([!-~]{1,300}):([0-9]{1,5}) HTTP/1\.[01]\r\n")
_LOOK = re.compile(rb"GET (?:http://127\.0\.0\.1:3128)?/ HTTP/1\.[01]\r\n")


def look_up(name: str) -> list[str]:
    """The addresses that a name has here just now, as the system finds them; raises OSError, UnicodeError."""
    rows = socket.getaddrinfo(name, PORT, socket.AF_UNSPEC, socket.SOCK_STREAM)
    return [str(row[4][0]) for row in rows]


class _Refused(Exception):
    """What isn't done, and the sentence that the renter's code gets for it."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class Meter:
    """What a lease has used of its way out, in bytes; it outlives the sandbox."""

    limit: int
    sent: int = 0
    received: int = 0
    connections: int = 0
    refused: int = 0

    @property
    def left(self) -> int:
        """How many more go through it."""
        return max(0, self.limit - self.sent - self.received)


class Proxy:
    """One sandbox's; :meth:`open` is its time."""

    def __init__(
        self,
        allowed: Sequence[str],
        meter: Meter,
        line: tuple[Buckets, Buckets],
        own: Callable[[], Sequence[Network]],
        log: Any,
        *,
        resolve: Resolve | None = None,
        dial: Dial | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``line`` is the budget of bytes out and in; ``own`` gives the networks that the machine is on."""
        self._allowed, self.meter, self._line, self._own, self._log = tuple(allowed), meter, line, own, log
        self._resolve, self._dial, self._monotonic = resolve or self._look_up, dial or _dial, monotonic
        self._threads: ThreadPoolExecutor | None = None
        self._pace = Buckets(PACE, 2)
        self._open = 0
        self._told: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self, inside: socket.socket, shown: socket.socket) -> AsyncIterator[None]:
        """Serve at two sockets that listen meanwhile: connections at one, figures alone at the other.

        Both are closed with it, and so is every connection.
        """
        serves = {inside: self._serve, shown: self._show}
        self._threads = ThreadPoolExecutor(LOOKUPS, "egress")
        self._log.info("worker.egress_opened", names=len(self._allowed), left=self.meter.left)
        try:
            self._tasks |= {asyncio.create_task(self._accept(*each)) for each in serves.items()}
            yield
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            try:
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                for made in serves:
                    made.close()
            self._threads.shutdown(wait=False, cancel_futures=True)
            used = self.meter
            told = {"sent": used.sent, "received": used.received}
            told |= {"connections": used.connections, "refused": used.refused}
            self._log.info("worker.egress_closed", **told)

    def figures(self) -> dict[str, object]:
        """What a renter is told: the list, and what is used of the limit."""
        used = self.meter
        return {
            "allowed": list(self._allowed),
            "limit": used.limit,
            "sent": used.sent,
            "received": used.received,
            "connections": used.connections,
            "refused": used.refused,
        }

    # -- inside ----------------------------------------------------------------------------------

    async def _accept(
        self, made: socket.socket, serve: Callable[[Streams], Coroutine[Any, Any, None]]
    ) -> None:
        """Take connections at a pace: a renter's code that asks without end slows nobody but itself."""
        loop = asyncio.get_running_loop()
        while True:
            await self._afford(self._pace, made)
            try:
                taken, _ = await loop.sock_accept(made)
                streams = await _streams(taken, MOST_HEAD)
            except OSError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            task = asyncio.create_task(serve(streams))
            self._tasks.add(task)
            # Also of one that is cancelled before it begins; what somebody doesn't read isn't kept for them.
            task.add_done_callback(partial(self._gone, streams[1]))

    def _gone(self, writer: asyncio.StreamWriter, task: asyncio.Task[None]) -> None:
        writer.transport.abort()
        self._tasks.discard(task)

    async def _serve(self, inside: Streams) -> None:
        self._open += 1
        try:
            if self._open <= 2 * MOST_OPEN:  # More of those that say nothing aren't waited for.
                await self._answered(inside, self._connect)
        finally:
            self._open -= 1

    async def _show(self, inside: Streams) -> None:
        await self._answered(inside, None)

    async def _answered(
        self, inside: Streams, connect: Callable[[bytes, Streams], Awaitable[None]] | None
    ) -> None:
        """Answer one request, and end its connection whatever came of it."""
        reader, writer = inside
        writer.transport.set_write_buffer_limits(0)  # So that what was drained is with the kernel.
        try:
            head = await _head(reader)
            if _LOOK.match(head):
                body = json.dumps(self.figures()).encode()
                await _answer(writer, HTTPStatus.OK, "OK", "application/json", body)
            elif connect is None:
                raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "there are figures here, at GET /, and no more")
            else:
                await connect(head, inside)
        except _Refused as error:
            self.meter.refused += 1
            with suppress(OSError, TimeoutError):
                await _answer(writer, error.status, str(error), "text/plain", f"{error}\n".encode())
        except (OSError, TimeoutError):
            pass

    async def _connect(self, head: bytes, inside: Streams) -> None:
        name = self._wanted(head)
        addresses = reachable(await self._addresses(name), self._own())
        if not addresses:
            raise _Refused(
                HTTPStatus.FORBIDDEN,
                f"{name} has no public address that this device may reach: ask its supplier about it",
            )
        outside = await self._reach(name, addresses[:TRIES])
        try:
            outside[1].transport.set_write_buffer_limits(0)
            self.meter.connections += 1
            if name not in self._told and len(self._told) < TOLD:
                self._told.add(name)
                self._log.info("worker.egress_name", name=name)
            inside[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await inside[1].drain()
            await self._carry(inside, outside)
        finally:
            outside[1].transport.abort()

    def _wanted(self, head: bytes) -> str:
        """The name that is asked for, which is allowed; raises _Refused."""
        found = _CONNECT.match(head)
        if found is None:
            raise _Refused(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "only CONNECT is served: fetch it by https://, with this proxy as HTTPS_PROXY",
            )
        name, port = found[1].decode().lower(), int(found[2])
        if not is_name(name):
            raise _Refused(HTTPStatus.FORBIDDEN, "this proxy goes to hosts by their names, not to addresses")
        if port != PORT:
            raise _Refused(HTTPStatus.FORBIDDEN, f"port {port} isn't open, of any host: only {PORT} is")
        if not allows(self._allowed, name):
            raise _Refused(
                HTTPStatus.FORBIDDEN,
                f"{name} isn't on the list of this device's supplier, which http://{HOST}:{LISTENS}/ shows: "
                "bring it by submit --wheel, or by ionet cluster put",
            )
        if not self.meter.left:
            raise _Refused(
                HTTPStatus.FORBIDDEN,
                f"the {self.meter.limit} bytes of this lease are used: bring the rest by ionet cluster put",
            )
        if self._open > MOST_OPEN:
            raise _Refused(
                HTTPStatus.TOO_MANY_REQUESTS, f"{MOST_OPEN} connections are open: end one, and try again"
            )
        return name

    async def _addresses(self, name: str) -> Sequence[str]:
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                # As an absolute name, it is in none of the domains that the machine searches.
                return await self._resolve(f"{name}.")
        except (OSError, TimeoutError, UnicodeError) as error:
            raise _Refused(
                HTTPStatus.BAD_GATEWAY, f"{name} isn't found by this device just now: try again"
            ) from error

    async def _look_up(self, name: str) -> Sequence[str]:
        assert self._threads is not None
        return await asyncio.get_running_loop().run_in_executor(self._threads, look_up, name)

    async def _reach(self, name: str, addresses: Sequence[Address]) -> Streams:
        for each in addresses:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(DIAL_SECONDS):
                    return await self._dial(each, PORT)
        raise _Refused(HTTPStatus.BAD_GATEWAY, f"{name} doesn't answer this device just now: try again")

    async def _carry(self, inside: Streams, outside: Streams) -> None:
        """All bytes both ways until both have ended, one fails, none comes for long, or all are used."""
        spoken = self._monotonic()

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, outward: bool) -> None:
            nonlocal spoken
            budget = self._line[0 if outward else 1]
            while data := await source.read(CHUNK):
                if len(data) > self.meter.left:
                    self._spend()
                    raise ConnectionAbortedError
                if outward:
                    self.meter.sent += len(data)
                else:
                    self.meter.received += len(data)
                await self._afford(budget, None, len(data))
                target.write(data)
                await target.drain()
                spoken = self._monotonic()
            if target.can_write_eof():
                target.write_eof()

        copies = {
            asyncio.create_task(copy(inside[0], outside[1], True)),
            asyncio.create_task(copy(outside[0], inside[1], False)),
        }
        going = copies
        try:
            while going and self._monotonic() - spoken < IDLE_SECONDS:
                done, going = await asyncio.wait(
                    going, timeout=IDLE_SECONDS / 10, return_when=asyncio.FIRST_COMPLETED
                )
                if any(each.exception() for each in done):
                    return
        finally:
            for each in copies:
                each.cancel()
            await asyncio.gather(*copies, return_exceptions=True)

    async def _afford(self, budget: Buckets, name: Hashable, cost: int = 1) -> None:
        """Wait until a budget has so much, and take it."""
        while True:
            wait = budget.take(name, self._monotonic(), cost)
            if not wait:
                return
            await asyncio.sleep(wait)

    def _spend(self) -> None:
        """What didn't fit is as good as sent: nothing more goes through, so that it is said once."""
        if self.meter.left:
            self.meter.limit = self.meter.sent + self.meter.received
            self._log.warning("worker.egress_spent", bytes=self.meter.limit)


async def listening(spaces: Namespaces, address: IPv4Address) -> tuple[socket.socket, socket.socket]:
    """The sockets for :meth:`Proxy.open` in a sandbox that is at ``address`` of its overlay.

    Raises SandboxFailed; OSError where the renter's own code has one of the ports.
    """
    inside, shown = await spaces.socket("tcp"), await spaces.socket("tcp")
    try:
        for made, place in ((inside, (HOST, LISTENS)), (shown, (str(address), SHOWN))):
            # What went through the last one may still be ending.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(place)
            made.listen(WAITING)
    except OSError:
        inside.close()
        shown.close()
        raise
    return inside, shown


async def _head(reader: asyncio.StreamReader) -> bytes:
    """A request without what follows it; raises _Refused, OSError, TimeoutError."""
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise _Refused(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"a request has {MOST_HEAD} bytes at most"
        ) from error
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError from error


async def _answer(
    writer: asyncio.StreamWriter, status: HTTPStatus, reason: str, kind: str, body: bytes
) -> None:
    """An answer whose first line has the reason, too: many programs show nothing else of it."""
    lines = (
        f"HTTP/1.1 {status.value} {reason}",
        f"Content-Type: {kind}; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    async with asyncio.timeout(HEAD_SECONDS):
        await writer.drain()


async def _dial(address: Address, port: int) -> Streams:
    """A connection to exactly this address, behind all else of the machine; raises OSError."""
    made = socket.socket(
        socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET, socket.SOCK_STREAM
    )
    try:
        made.setblocking(False)
        yields(made)
        await asyncio.get_running_loop().sock_connect(made, (str(address), port))
    except BaseException:
        made.close()
        raise
    return await _streams(made, CHUNK)


async def _streams(made: socket.socket, limit: int) -> Streams:
    """A connection's streams; it is closed where they can't be had. Raises OSError."""
    try:
        return await asyncio.open_connection(sock=made, limit=limit)
    except BaseException:
        made.close()
        raise
