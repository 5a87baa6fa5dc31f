"""Headers that every answer has, whichever path it is of: what a browser must not make of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    # For what has no policy of its own: a file that is opened as a page runs and loads nothing.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
FOREVER = "public, max-age=31536000, immutable"
"""How long what never changes is kept: it isn't asked for again."""
TLS_ONLY = "max-age=31536000"
"""For a year a browser asks this name by https alone, once it was asked so; not names below it."""


class Headed:
    """An application whose answers have these headers, where they don't bring their own."""

    def __init__(self, app: ASGIApp, trusted: Collection[str]) -> None:
        """``trusted`` are the addresses of proxies that say by ``x-forwarded-proto`` how they were asked."""
        self._app, self._trusted = app, frozenset(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with them."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        more = ALWAYS | ({"strict-transport-security": TLS_ONLY} if self._is_by_tls(scope) else {})
        await self._app(scope, receive, adding(send, more))

    def _is_by_tls(self, scope: Scope) -> bool:
        if scope.get("scheme") == "https":
            return True
        return told_by_proxy(scope, self._trusted, "x-forwarded-proto").lower() == "https"


def adding(send: Send, headers: Mapping[str, str]) -> Send:
    """Send an answer with these headers, too, but for those that it brings itself."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            has = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(each for each in raw if each[0] not in has)]
        await send(message)

    return with_headers


def told_by_proxy(scope: Scope, trusted: Collection[str], name: str) -> str:
    """What a trusted proxy says by a header; nothing where who is connected is none.

    A proxy adds its word to the visitor's own, or sends it as another header after that: the last one counts.
    """
    if scope["client"] is None or scope["client"][0] not in trusted:
        return ""
    return ",".join(Request(scope).headers.getlist(name)).rpartition(",")[2].strip()
