"""What a visitor may ask for: so many questions a second from an address, and no longer ones than needed."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keeper.api.headers import told_by_proxy
from keeper.api.problems import ACTIONS, Refusal, message, problem
from keeper.budgets import Buckets, Rate, host_of, network_of

MAX_TARGET = 2_048
"""Bytes of a path with its parameters."""
BUILT = "/static/", "/style-"
"""How the paths of a page's own files begin: it needs twenty at once, and each is in memory, and kept."""
STREAM = "/stream"
"""How the paths end whose answers have no end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one address gets."""

    questions: Rate = Rate(60, 20)
    proofs: Rate = Rate(15, 5)
    """Of wallets' proofs, which are read from a file of an hour that may not be in memory."""
    actions: Rate = Rate(6, 2)
    """Of Solana Actions, each of which reads several accounts."""
    together: int = 12
    """Questions that are answered at a time; a browser asks six, unless it speaks HTTP/2 with a proxy."""
    streams: int = 4
    """Of these, answers without an end: there are few for all (:data:`keeper.api.stream.LISTENERS`)."""
    free_seconds: float = 0.05
    """What any question may take; a second beyond it costs as many questions as are given in one."""
    names: int = 65_536
    """Addresses that are remembered at a time: about 20 MB."""
    trusted: frozenset[str] = frozenset({"127.0.0.1", "::1"})
    """Proxies on this machine: whom they speak for is in ``x-forwarded-for``."""


class Limited:
    """An application behind its limits; ``clock`` gives monotonic seconds."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        refusal: Refusal = problem,
    ) -> None:
        """Admit to ``app`` what the limits allow; ``refusal`` is how people are told, who want pages."""
        self._app, self._clock, self._refusal = app, clock, refusal
        self._limits = limits or Limits()
        self._questions = Buckets(self._limits.questions, self._limits.names)
        self._proofs = Buckets(self._limits.proofs, self._limits.names)
        self._actions = Buckets(self._limits.actions, self._limits.names)
        self._answering: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse before anything is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET:
            refused = self._refused(scope)(414, f"a question has at most {MAX_TARGET} bytes", None)
            await refused(scope, receive, send)
            return
        whose = network_of(self._address(scope))
        wait = 0.0 if scope["path"].startswith(BUILT) else self._questions.take(whose, self._clock())
        if not wait and "/proof/" in scope["path"]:
            wait = self._proofs.take(whose, self._clock())
        if not wait and scope["path"].startswith(f"{ACTIONS}/"):
            wait = self._actions.take(whose, self._clock())
        held = {whose: self._limits.together}
        if scope["path"].endswith(STREAM):
            held[whose + STREAM] = self._limits.streams
        if not wait and any(self._answering[name] >= most for name, most in held.items()):
            wait = 1.0
        if wait:
            seconds = str(math.ceil(wait))
            refused = self._refused(scope)(
                429,
                f"too many questions from this address: ask again in {seconds} s",
                {"retry-after": seconds},
            )
            await refused(scope, receive, send)
            return
        await self._answer(whose, list(held), scope, receive, send)

    def _refused(self, scope: Scope) -> Refusal:
        """How who asks is refused: a browser shows what it can't read as it came."""
        if scope["path"].startswith(ACTIONS):
            return message
        wants_page = "text/html" in Request(scope).headers.get("accept", "")
        return self._refusal if wants_page and not scope["path"].startswith("/api/") else problem

    async def _answer(self, whose: str, held: list[str], scope: Scope, receive: Receive, send: Send) -> None:
        """Have it answered, and charge for what took long until there was an answer."""
        begun = self._clock()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                now = self._clock()
                more = now - begun - self._limits.free_seconds
                if more > 0 and not scope["path"].startswith(BUILT):
                    self._questions.owe(whose, now, more * self._limits.questions.each_second)
            await send(message)

        self._answering.update(held)
        try:
            await self._app(scope, receive, sending)
        finally:
            self._answering.subtract(held)
            for name in held:
                if not self._answering[name]:
                    del self._answering[name]

    def _address(self, scope: Scope) -> str:
        """Who asks: whom a trusted proxy names last, else who is connected."""
        told = told_by_proxy(scope, self._limits.trusted, "x-forwarded-for")
        return host_of(told) or (scope["client"][0] if scope["client"] else "")
