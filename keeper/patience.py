"""HTTP connections that keep a place as long as they use it: uvicorn alone waits for ever.

A server has so many connections (``limit_concurrency``), and who opens them and says nothing, or sends a byte
a minute, or reads no answer, would shut everybody out.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from keeper.budgets import network_of


class Takes:
    """A protocol of uvicorn's, before it in the bases, whose visitors must take what is sent to them.

    Who takes nothing for ``take_seconds`` is cut off: what waits for it stands in memory.
    """

    take_seconds: ClassVar[float] = 30.0
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _taking: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._taken()
        super().connection_lost(exc)  # type: ignore[misc]  # the protocol's

    def pause_writing(self) -> None:
        """The visitor takes nothing more for now."""
        super().pause_writing()  # type: ignore[misc]  # as above
        self._taken()
        self._taking = self.loop.call_later(self.take_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken something."""
        self._taken()
        super().resume_writing()  # type: ignore[misc]  # as above

    def _taken(self) -> None:
        if self._taking:
            self._taking.cancel()
            self._taking = None


class PatientSocket(Takes, WebSocketsSansIOProtocol):
    """uvicorn's websockets, with an end to patience; for its ``ws``."""


class Patient(Takes, HttpToolsProtocol):
    """uvicorn's connections, with an end to patience; for its ``http``.

    A whole request must be there in ``seconds`` from when one can come. An address (an IPv6 network of 64
    bits) has ``most`` connections, but for this machine's own.
    """

    seconds: ClassVar[float] = 30.0
    most: ClassVar[int] = 64
    _request: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        if self._is_one_too_many():
            transport.abort()
        else:
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._request_is_there()
        super().connection_lost(exc)

    def on_message_complete(self) -> None:
        """A whole request is there."""
        self._request_is_there()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is there already."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._await_request()

    def handle_websocket_upgrade(self) -> None:
        """Another protocol has the connection."""
        self._request_is_there()
        super().handle_websocket_upgrade()

    def _is_one_too_many(self) -> bool:
        if self.client is None or self.is_own(self.client[0]):
            return False
        own = network_of(self.client[0])
        others = (getattr(each, "client", None) for each in self.connections)
        return sum(other is not None and network_of(other[0]) == own for other in others) > self.most

    @staticmethod
    def is_own(address: str) -> bool:
        """Whether it is this machine's own, such as a proxy's."""
        return ip_address(address.partition("%")[0]).is_loopback

    def _await_request(self) -> None:
        self._request_is_there()
        self._request = self.loop.call_later(self.seconds, self.transport.abort)

    def _request_is_there(self) -> None:
        if self._request:
            self._request.cancel()
            self._request = None
