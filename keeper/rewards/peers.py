"""Files and openings of proof of work from operators: by the hash that is on chain, or in a file that is.

A peer can withhold, send something else, send without end, or trickle. What isn't what was asked for isn't
kept, no more is read than it may have, and a peer that fails is left alone for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from time import monotonic
from urllib.parse import urlsplit

import httpx2 as httpx

from keeper.chain.http import PLAIN, PeerError, body, http_client

SECONDS = 10.0
"""For a connection, and between two pieces."""
MIN_RATE = 65_536
"""Bytes a second that a peer must send, after the first ten seconds."""
PAUSE_SECONDS = 60.0
"""How long a peer is left alone after it failed: longer each time in a row, up to ten times as long."""
AT_ONCE = 16


class Answer(StrEnum):
    """What became of asking a peer for something."""

    FETCHED = "fetched"
    LACKING = "lacking"
    """It hasn't got it, or has no time."""
    FAILED = "failed"


@dataclass(slots=True)
class _Peer:
    url: str
    host: str
    failures: int = 0
    until: float = 0.0


@dataclass
class Peers:
    """Operators' services, asked one after the other; ``failed`` is told a host, and why it has failed."""

    urls: Sequence[str]
    failed: Callable[[str, str], None] = lambda host, reason: None
    clock: Callable[[], float] = monotonic
    asked: Callable[[str, Answer], None] = lambda host, answer: None
    """Told of every answer: the peer's host, and what it was."""
    _peers: list[_Peer] = field(init=False)
    _client: httpx.AsyncClient | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Nobody has failed yet."""
        self._peers = [_Peer(url.rstrip("/"), urlsplit(url).hostname or "") for url in self.urls]
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def fetch(self, path: str, digest: bytes, most: int) -> bytes | None:
        """The bytes with this SHA-256, ``most`` at most, from the first peer that has them, or None."""
        async with self._turns:
            for peer in self._peers:
                if self.clock() < peer.until:
                    continue
                try:
                    data = await self._read(f"{peer.url}{path}", most)
                    if data is not None and sha256(data).digest() != digest:
                        raise PeerError(f"{path} has another hash")
                except (httpx.HTTPError, httpx.InvalidURL, PeerError, TimeoutError) as error:
                    self._failure(peer, str(error) or type(error).__name__)
                    continue
                peer.failures = 0
                self.asked(peer.host, Answer.LACKING if data is None else Answer.FETCHED)
                if data is not None:
                    return data
        return None

    async def _read(self, url: str, most: int) -> bytes | None:
        """What a peer has there, None for nothing; raises PeerError for more than ``most`` bytes."""
        if self._client is None:
            self._client = http_client(SECONDS)
        async with (
            asyncio.timeout(SECONDS + most / MIN_RATE),
            self._client.stream("GET", url, headers=PLAIN) as answer,
        ):
            if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.TOO_MANY_REQUESTS):
                return None  # Another may have it, and it is asked for again in the next round.
            return await body(answer, most)

    def _failure(self, peer: _Peer, reason: str) -> None:
        peer.failures += 1
        peer.until = self.clock() + PAUSE_SECONDS * min(10, peer.failures)
        self.asked(peer.host, Answer.FAILED)
        self.failed(peer.host, reason)
