"""What a client gets from a node over HTTP, and who may stand in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

Json = Any


class Lost(ConnectionError):
    """The connection breaks without an answer."""


class Reply(NamedTuple):
    """All of an HTTP response; with ``cut`` the connection breaks in the middle of its body."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - nobody changes it
    cut: bool = False


class Between(Protocol):
    """Stands between a client and a node."""

    async def answer(self, question: Json, ask: Callable[[], Awaitable[bytes]]) -> bytes | Reply:
        """What the client gets in place of the node's answer, which ``ask`` gets; raises Lost."""
        ...
