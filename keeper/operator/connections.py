"""Connections: how many, how long they may take to say what they want, and how much they may say.

uvicorn counts none of these by address, waits for ever for a request's first line, and keeps a head however
long it is. So what a connection may cost is bounded here, before there is a request.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from keeper.budgets import network_of
from keeper.errors import UserError
from keeper.operator.limits import Gate
from keeper.patience import Takes

MAX_HEAD = 8_192
"""Bytes of a request's line and headers."""
MAX_WAITING = 4
"""Requests that a connection may send before the first is answered."""
HEAD_SECONDS = 10.0
"""For a request's head; between two requests uvicorn's keep-alive counts."""


class TooMuch(UserError):
    """A head, or a queue of requests, that no worker sends: the parser's caller ends the connection."""


class Bounded(Takes, HttpToolsProtocol):
    """uvicorn's protocol with bounds; made by :func:`bounded`."""

    gate: ClassVar[Gate]
    open: ClassVar[Counter[str]]

    _place: str | None = None
    _head = 0
    _in_head = True
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, or end it at once."""
        super().connection_made(transport)
        host, limits = (self.client or ("",))[0], self.gate.limits
        place = network_of(host)
        most = limits.connections_each * self.gate.share(host)
        full = host not in limits.trusted and (
            self.open[place] >= most or not self.gate.arrive(host, self.loop.time())
        )
        known = host in limits.trusted or self.gate.share(host) > 1
        room = limits.connections if known else limits.connections * 3 // 4
        if full or self.open.total() >= room:
            transport.abort()
            return
        self._place = place
        self.open[place] += 1
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        if self._place is not None:
            self.open[self._place] -= 1
            if not self.open[self._place]:
                del self.open[self._place]
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head has become too long."""
        if self.transport.is_closing():
            return
        if self._in_head:
            if self._late is None:
                self._wait_for_head()
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The request's head is too long.")

    def on_message_begin(self) -> None:
        """A head begins."""
        if len(self.pipeline) >= MAX_WAITING:
            raise TooMuch("too many requests at once")
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is over; its length is known exactly only now, when much came at once."""
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD:
            raise TooMuch("a long head")
        self._in_head, self._head = False, 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What comes next is another head."""
        self._in_head, self._head = True, 0
        super().on_message_complete()

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._late = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def bounded(gate: Gate) -> type[Bounded]:
    """A protocol whose connections ``gate`` bounds."""
    fields: dict[str, Any] = {"gate": gate, "open": Counter()}
    return type("BoundedBy", (Bounded,), fields)
