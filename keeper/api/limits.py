"""What a visitor may ask for: so many questions a second from an address, and no longer ones than needed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from keeper.api.problems import problem
from keeper.budgets import Buckets, Rate, network_of

MAX_TARGET = 2_048
"""Bytes of a path with its parameters."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one address gets."""

    questions: Rate = Rate(60, 20)
    proofs: Rate = Rate(15, 5)
    """Of wallets' proofs, which are read from a file of an hour that may not be in memory."""
    names: int = 65_536
    """Addresses that are remembered at a time: about 20 MB."""
    trusted: frozenset[str] = frozenset({"127.0.0.1", "::1"})
    """Proxies on this machine: whom they speak for is in ``x-forwarded-for``."""


class Limited:
    """An application behind its limits; ``clock`` gives monotonic seconds."""

    def __init__(
        self, app: ASGIApp, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Admit to ``app`` what the limits allow."""
        self._app, self._clock = app, clock
        self._limits = limits or Limits()
        self._questions = Buckets(self._limits.questions, self._limits.names)
        self._proofs = Buckets(self._limits.proofs, self._limits.names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse before anything is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET:
            await problem(414, f"a question has at most {MAX_TARGET} bytes")(scope, receive, send)
            return
        whose = network_of(self._address(scope))
        wait = self._questions.take(whose, self._clock())
        if not wait and "/proof/" in scope["path"]:
            wait = self._proofs.take(whose, self._clock())
        if wait:
            seconds = str(math.ceil(wait))
            refused = problem(
                429,
                f"too many questions from this address: ask again in {seconds} s",
                {"retry-after": seconds},
            )
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _address(self, scope: Scope) -> str:
        """Who asks: whom a trusted proxy names last, else who is connected."""
        peer = scope["client"][0] if scope["client"] else ""
        if peer in self._limits.trusted:
            told = Request(scope).headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
            return told or peer
        return peer
