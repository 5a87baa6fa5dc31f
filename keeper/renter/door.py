"""How other processes of the same user use a connection that there is: over its Unix socket, one line each.

``{"do": "status"}`` is answered by one line; ``{"do": "open", "address": ..., "port": ...}`` by a line, and
then the bytes of a connection to a member, both ways.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from keeper.compute.namespace import SandboxFailed
from keeper.errors import why
from keeper.renter.forwarding import Callers, Forwarder, Streams, close
from keeper.renter.place import NotConnected, Place

MOST_LINE = 1 << 18
LINE_SECONDS = 10.0
ANSWER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Status:
    """How a connection stands."""

    state: str
    """The cluster's."""
    why: str
    """What it waits for; empty where it waits for nothing."""
    connected: bool
    """Whether the head answers."""
    epoch: int
    head: str
    """Its address in the overlay; empty without one."""
    away: str
    """Boards that don't answer, and why."""
    ports: Mapping[int, int]
    """This machine's, by the head's."""
    nodes: tuple[tuple[str, str, str], ...]
    """Each node's device, address and phase, the head first."""
    egress: bool
    """Whether a way out is asked for, so that jobs are told where it is."""

    def having(self, **changed: Any) -> Status:
        """The same with something changed."""
        return replace(self, **changed)


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")

    do: Literal["status", "open"]
    address: IPv4Address | None = None
    port: Annotated[int, Field(ge=1, lt=1 << 16)] = 1


_STATUS = TypeAdapter(Status)


@asynccontextmanager
async def answering(
    door: socket.socket,
    forwarder: Forwarder,
    status: Callable[[], Status],
    opens: Callable[[IPv4Address, int], Awaitable[Streams]],
) -> AsyncIterator[None]:
    """Answer whoever knocks meanwhile: they are of the same user, as the folder is nobody else's."""

    async def answer(outside: Streams) -> None:
        try:
            await serve(*outside)
        except (OSError, TimeoutError, ValueError):
            pass
        finally:
            await close(outside[1])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(LINE_SECONDS):
            line = await reader.readline()
        try:
            asked = _Ask.model_validate_json(line)
        except ValidationError:
            return
        if asked.do == "status" or asked.address is None:
            writer.write(_STATUS.dump_json(status()) + b"\n")
            await writer.drain()
            return
        try:
            inside = await opens(asked.address, asked.port)
        except (OSError, TimeoutError, SandboxFailed) as error:
            writer.write(json.dumps({"why": why(error)}).encode() + b"\n")
            await writer.drain()
            return
        writer.write(b"{}\n")

        async def opened() -> Streams:
            return inside

        await forwarder.join((reader, writer), opened)

    callers = Callers(answer)
    async with callers.of(await asyncio.start_unix_server(callers.serve, sock=door, limit=MOST_LINE)):
        yield


def ask_status(place: Place) -> Status:
    """How the connection of this machine stands; raises NotConnected."""
    with place.knock(ANSWER_SECONDS) as made:
        try:
            made.sendall(b'{"do": "status"}\n')
            return _STATUS.validate_json(_line(made))
        except (OSError, ValueError) as error:
            raise NotConnected(f"what is connected to the cluster doesn't answer: {why(error)}") from error


def open_way(place: Place, address: IPv4Address, port: int) -> socket.socket:
    """A connection to a member's port by the process that is connected; raises NotConnected."""
    made = place.knock(ANSWER_SECONDS)
    try:
        asked = {"do": "open", "address": str(address), "port": port}
        made.sendall(json.dumps(asked).encode() + b"\n")
        answer = json.loads(_line(made))
    except (OSError, ValueError) as error:
        made.close()
        raise NotConnected(f"what is connected to the cluster doesn't answer: {why(error)}") from error
    if answer:
        made.close()
        raise NotConnected(f"{address}:{port} can't be reached: {answer.get('why')}")
    return made


def _line(made: socket.socket) -> bytes:
    """One line and nothing behind it: the rest is the connection's."""
    found = bytearray()
    while not found.endswith(b"\n"):
        piece = made.recv(1)
        if not piece or len(found) > MOST_LINE:
            raise ValueError("it ended in the middle of a line")
        found += piece
    return bytes(found)
