"""Requests to an operator's services: bodies as long as they have to be, refusals as they are told."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeper.operator.refusals import Refusal, Why

BODY_SECONDS = 5.0
"""For a body that comes in one packet or two, and for an opening's header."""
NUMBER = re.compile(r"\d{1,19}")


class Refused(Exception):
    """A refusal on its way to whoever asked."""

    def __init__(self, refusal: Refusal, *, unread: bool = False) -> None:
        """``unread`` when there may be a body that nobody will read."""
        super().__init__(refusal.why)
        self.refusal, self.unread = refusal, unread


def problem(refusal: Refusal, *, closes: bool) -> Response:
    """How a refusal is answered; ``closes`` where the connection ends with it."""
    headers = {"connection": "close"} if closes else {}
    if refusal.retry_after:
        headers["retry-after"] = str(refusal.retry_after)
    body: dict[str, Any] = {"code": refusal.why, "detail": refusal.detail}
    return JSONResponse(body, refusal.status, headers, "application/problem+json")


def address_of(request: Request) -> str:
    """Whence a request comes."""
    return request.client.host if request.client else ""


def length_of(request: Request) -> int:
    """How long the body is, which has to be said; a body in chunks isn't taken. Raises Refused."""
    text = request.headers.get("content-length", "")
    if "transfer-encoding" in request.headers or not NUMBER.fullmatch(text):
        raise Refused(Refusal(Why.WRONG_LENGTH, "Say the body's length: content-length."), unread=True)
    return int(text)


async def exact(request: Request, size: int) -> bytes:
    """A body of exactly ``size`` bytes. Raises Refused."""
    length = length_of(request)
    if length != size:
        raise Refused(Refusal(Why.WRONG_LENGTH, f"The body has {size} bytes, not {length}."), unread=True)
    return await whole(request)


async def up_to(request: Request, most: int) -> bytes:
    """A body of 1 to ``most`` bytes. Raises Refused."""
    length = length_of(request)
    if not 0 < length <= most:
        detail = f"The body has 1 to {most} bytes, not {length}."
        raise Refused(Refusal(Why.WRONG_LENGTH, detail), unread=True)
    return await whole(request)


async def some(request: Request, size: int, most: int) -> bytes:
    """A body of up to ``most`` messages of ``size`` bytes, and of one at least. Raises Refused."""
    length = length_of(request)
    number, rest = divmod(length, size)
    if rest or not 0 < number <= most:
        detail = f"The body has 1 to {most} times {size} bytes, not {length}."
        raise Refused(Refusal(Why.WRONG_LENGTH, detail), unread=True)
    return await whole(request)


async def whole(request: Request) -> bytes:
    """A body whose length was looked at, in time. Raises Refused."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.body()
    except TimeoutError:
        raise Refused(slow(BODY_SECONDS), unread=True) from None


def slow(seconds: float) -> Refusal:
    """A body that took too long."""
    return Refusal(Why.TOO_SLOW, f"The body took more than {seconds:g} seconds.")
