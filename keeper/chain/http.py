"""HTTP to nodes, operators and peers: nothing that they leave behind is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar

import httpx2 as httpx

from keeper.errors import UserError

T = TypeVar("T")
PATIENCE = 5.0
"""Seconds for a connection, and between two pieces, unless told otherwise."""
PLAIN = {"accept-encoding": "identity"}
"""A compressed answer has another size than was said, and can grow without end."""


class PeerError(UserError):
    """Why what a peer has is not used."""


def http_client(
    timeout: float | httpx.Timeout = PATIENCE, headers: Mapping[str, str] | None = None
) -> httpx.AsyncClient:
    """A client that may live for months: whoever it asks can't have it keep cookies, which nothing bounds."""
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(timeout=timeout, headers=headers, cookies=jar)


async def body(answer: httpx.Response, most: int) -> bytes:
    """A good answer's bytes, ``most`` at most; raises PeerError for more, and for any other answer."""
    if answer.status_code != httpx.codes.OK:
        raise PeerError(f"status {answer.status_code}")
    found = bytearray()
    async for piece in answer.aiter_raw():
        found += piece
        if len(found) > most:
            raise PeerError(f"more than {most:,} bytes")
    return bytes(found)


async def from_any(
    peers: Sequence[str], get: Callable[[str], Awaitable[T]], refused: Callable[[str, PeerError], None]
) -> tuple[str, T] | None:
    """What ``get`` has from the first of ``peers`` that gives it, and that peer's name; None if none does.

    ``refused`` is called for each peer that hasn't, with the reason, before the next one is asked.
    """
    for peer in peers:
        try:
            return peer, await get(peer)
        except PeerError as error:
            refused(peer, error)
    return None
