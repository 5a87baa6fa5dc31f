"""Questions to an operator's service over HTTP: bounded in bytes and seconds, a refusal with its code."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Annotated, TypeVar

import httpx2 as httpx
from pydantic import Field, TypeAdapter, ValidationError

from keeper.chain.http import PLAIN
from keeper.chain.shapes import Shape
from keeper.errors import UserError, unfit, why

T = TypeVar("T")
SECONDS = 5.0
"""For an answer that an operator has ready."""
MOST_BYTES = 1 << 18
"""Of an answer."""
AGAIN = frozenset(
    {"unknown_wave", "too_early", "not_committed", "too_slow", "too_many", "busy"}
    | {"wrong_order", "not_a_party", "wrong_clock"}
)
"""Codes after which the same bytes may be taken a bit later: an operator's clock, or its view of the chain,
may be behind another's."""
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_WAIT = re.compile(r"[0-9]{1,3}")


class OperatorError(UserError):
    """An operator that doesn't answer, or not as it should."""


class Refused(OperatorError):
    """An operator's refusal, with the code that it gave; ``wait`` are the seconds that it asks for."""

    def __init__(self, code: str, detail: str, wait: float) -> None:
        """``detail`` is the operator's own sentence."""
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.wait = wait

    @property
    def is_final(self) -> bool:
        """Whether the same bytes would be refused again."""
        return self.code not in AGAIN


class Problem(Shape):
    """A refusal as it is written."""

    code: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    detail: Annotated[str, Field(max_length=500)] = ""


_PROBLEM = TypeAdapter(Problem)


async def ask(
    http: httpx.AsyncClient,
    method: str,
    base: str,
    path: str,
    content: bytes | AsyncIterator[bytes] | None = None,
    *,
    seconds: float = SECONDS,
    headers: Mapping[str, str] = NO_HEADERS,
    most: int = MOST_BYTES,
    dropped: int = 0,
) -> bytes:
    """The body of an answer with a status of success, ``most`` bytes at most. Raises OperatorError, Refused.

    Of one, up to ``dropped`` bytes are read and not kept, if that isn't 0.
    """
    headers = {**PLAIN, **headers}
    if content is not None:
        headers["content-type"] = "application/octet-stream"
    body = bytearray()
    try:
        async with (
            asyncio.timeout(seconds),
            http.stream(method, base + path, content=content, headers=headers, timeout=seconds) as answer,
        ):
            drops = bool(dropped) and answer.is_success
            bound, size = (dropped if drops else most), 0
            async for piece in answer.aiter_raw():
                size += len(piece)
                if size > bound:
                    raise OperatorError(f"{base}: an answer of more than {bound:,} bytes")
                if not drops:
                    body += piece
    except TimeoutError as error:
        raise OperatorError(f"{base}: no answer within {seconds:g} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OperatorError(f"{base}: {why(error)}") from error
    if answer.is_success:
        return bytes(body)
    raise _refusal(base, answer, bytes(body))


def parsed(shape: TypeAdapter[T], body: bytes) -> T:
    """An answer in its shape. Raises OperatorError."""
    try:
        return shape.validate_json(body)
    except ValidationError as error:
        found = error.errors()[0]
        where = ".".join(map(str, found["loc"]))
        raise OperatorError(f"an answer that makes no sense: {where or 'it'}: {unfit(found)}") from error


def _refusal(base: str, answer: httpx.Response, body: bytes) -> OperatorError:
    try:
        problem = _PROBLEM.validate_json(body)
    except ValidationError:
        return OperatorError(f"{base}: status {answer.status_code}")
    wait = answer.headers.get("retry-after", "")
    return Refused(problem.code, problem.detail, float(wait) if _WAIT.fullmatch(wait) else 0.0)
