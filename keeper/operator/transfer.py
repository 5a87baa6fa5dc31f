"""Bytes to a device and from it, timed: ``GET`` and ``POST /pow/transfer/<slot>/<device>``.

What a transfer shows is how fast this operator and whoever has the device's key move bytes, no more: not
where the device is, and not that the line is its own.
"""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from keeper.operator.line import NOISE, Line, Turn
from keeper.pow.connectivity import SECONDS

END_SECONDS = 5.0
"""For the end of an answer to whoever has stopped reading."""


class Download(Response):
    """Sends a device its bytes, as fast as it takes them."""

    def __init__(self, line: Line, turn: Turn, request: Request) -> None:
        """``request`` is the device's."""
        super().__init__(media_type="application/octet-stream", headers={"cache-control": "no-store"})
        del self.headers["content-length"]  # How much it becomes is known in the end.
        self._line, self._turn, self._request = line, turn, request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send, and note what went."""
        line, sent, begun = self._line, 0, self._line.clock()
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        stopped = False
        with line.running(self._turn):
            try:
                async with asyncio.timeout(SECONDS):
                    # A connection that is gone takes everything at once: what went there doesn't count.
                    while sent < line.size and not await self._request.is_disconnected():
                        if stopped := line.is_stopped():
                            break
                        piece = NOISE[: line.size - sent]
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                        line.passed(len(piece))
                        sent += len(piece)
            except TimeoutError:
                pass
            if not stopped:
                whole = sent >= line.size and not await self._request.is_disconnected()
                line.keep(self._turn, sent if whole else min(sent, line.size - 1), line.clock() - begun)
        try:
            async with asyncio.timeout(END_SECONDS):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return


async def upload(line: Line, turn: Turn, request: Request) -> bool:
    """Take a device's bytes and note how many came; False when it was ended for a wave, and counts not."""
    got, begun = 0, line.clock()
    with line.running(turn):
        try:
            async with asyncio.timeout(SECONDS):
                async for piece in request.stream():
                    if line.is_stopped():
                        return False
                    line.passed(len(piece))
                    got += len(piece)
        except (TimeoutError, ClientDisconnect):
            pass
        line.keep(turn, got, line.clock() - begun)
    return True
