"""Refusals as RFC 9457 has them: ``application/problem+json`` with a type, a status and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from keeper.api.index import NothingIndexed
from keeper.db import DatabaseError
from keeper.errors import UserError, unfit

MEDIA_TYPE = "application/problem+json"
SHOWN = 100
"""Characters of what a visitor sent that are repeated to them."""


class Problem(BaseModel):
    """Why there is no answer."""

    type: str = Field(description="what kind of refusal it is: about:blank where the status says it all")
    title: str = Field(description="the status in words")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what was wrong, and what to do")


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text, "content": {MEDIA_TYPE: {}}}
    for status, text in (
        (400, "a parameter that is wrong, or that this path doesn't have"),
        (406, "Accept takes nothing that this path sends"),
        (429, "too many questions from this address: Retry-After says when the next is answered"),
        (503, "the index can't be read, is too far behind, or the question took too long"),
    )
}
"""What any path may answer instead."""
NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "not in the index", "content": {MEDIA_TYPE: {}}}
}
"""What a path of one thing may answer, too."""
GONE: dict[int | str, dict[str, Any]] = {
    410: {"model": Problem, "description": "no longer kept here", "content": {MEDIA_TYPE: {}}}
}
"""What a path may answer of what was there."""


class NotModified(Exception):
    """The visitor has this state's answer already."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Answer 304 with these headers."""
        self.headers = dict(headers)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as a response."""
    body = Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, dict(headers or {}), MEDIA_TYPE)


ACTIONS = "/actions"
"""How the paths of Solana Actions begin."""
ACTION_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET,POST,PUT,OPTIONS",
    "access-control-allow-headers": "Content-Type, Authorization, Content-Encoding, Accept-Encoding",
    "access-control-expose-headers": "X-Action-Version, X-Blockchain-Ids",
    "x-action-version": "2.4",
}
"""What every answer of theirs has, refusals too: pages of any origin may ask."""


def message(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as Solana Actions have it: wallets show its message."""
    sentence = f"{detail[:1].upper()}{detail[1:]}{'' if detail.endswith('.') else '.'}"
    return JSONResponse({"message": sentence}, status, ACTION_HEADERS | dict(headers or {}))


Refusal = Callable[[int, str, Mapping[str, str] | None], Response]
"""Makes a response of a status, a sentence and headers."""
KINDS = HTTPException, RequestValidationError, UserError, NotModified
"""What a question may end with that has no answer."""


def refused(error: Exception, refusal: Refusal, wrong: int = 400) -> Response:
    """What is answered instead of what raised one of :data:`KINDS`; ``wrong`` is a UserError's status."""
    match error:
        case NotModified():
            return Response(status_code=304, headers=error.headers)
        case HTTPException():
            return refusal(error.status_code, str(error.detail), error.headers)
        case RequestValidationError():
            return refusal(400, "; ".join(map(_words, error.errors())), None)
        case DatabaseError():
            # Its own words name files and servers, which is the operator's affair.
            return refusal(503, "the index can't be read now: try again in a moment", {"retry-after": "5"})
        case NothingIndexed():
            return refusal(503, str(error), {"retry-after": "5"})
        case _:
            return refusal(wrong, str(error), None)


def install(app: FastAPI, refusal: Refusal = problem) -> None:
    """Have ``app`` refuse in one form, RFC 9457's unless told otherwise; answer 304 where nothing is new."""

    async def instead(request: Request, error: Exception) -> Response:
        return refused(error, refusal)

    for kind in KINDS:
        app.add_exception_handler(kind, instead)


def _words(found: Mapping[str, Any]) -> str:
    """One parameter that is wrong, in a sentence."""
    where, name = (*found["loc"], "")[:2]
    shown = str(found.get("input"))[:SHOWN]
    if found["type"] == "extra_forbidden":
        return f"there is no parameter {str(name)[:SHOWN]} here"
    return f"{name or where} is {shown!r}: {unfit(found)}"
