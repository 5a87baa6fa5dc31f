"""What every answer has around it: as of when it is, how long it may be kept, where the next page is."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.headers import FOREVER
from keeper.api.index import Index, State
from keeper.api.paging import Key, Page, encode
from keeper.api.problems import SHOWN, NotModified
from keeper.economy.calendar import moment

T = TypeVar("T")
FRESH = "public, max-age=2"
"""How long an answer that may change is kept: less than what people notice."""
OWN_NAMES = ("127.0.0.1", "localhost", "::1")
"""What every machine calls itself."""
JSON, CSV, HTML = "application/json", "text/csv", "text/html"

PAGES: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
"""What a list may answer beside JSON."""


class AsOf(BaseModel):
    """Which state of the chain an answer is about."""

    slot: int = Field(description="everything final up to this slot is in it")
    time: int = Field(description="what the chain's clock showed then, unix seconds")
    final: Literal[True] = Field(description="no fork takes any of it back")
    lag_seconds: int = Field(description="seconds since the keeper last asked for what is new")


class Answer(BaseModel, Generic[T]):
    """One thing."""

    data: T
    as_of: AsOf


class Rows(BaseModel, Generic[T]):
    """A page of a list."""

    data: list[T]
    as_of: AsOf
    next: str | None = Field(description="`after` of the next page; null at the end")


def one_of(model: Any) -> Any:
    """The type of an answer of one thing, by a model that is made from an IDL."""
    return Answer.__class_getitem__(model)


def list_of(model: Any) -> Any:
    """The type of an answer that is a whole list of few."""
    many: Any = list.__class_getitem__(model)
    return Answer.__class_getitem__(many)


def rows_of(model: Any) -> Any:
    """The type of a page of many."""
    return Rows.__class_getitem__(model)


class Reading:
    """One question being answered: the index as of one state, and the headers of that state."""

    def __init__(
        self, request: Request, response: Response, index: Index, state: State, shown: str = ""
    ) -> None:
        """Say in the response which state it is; raises NotModified when the visitor has that already.

        ``shown`` is what else an answer shows that changes with time.
        """
        self.index, self.state, self.request = index, state, request
        # The question is part of it, as proxies know an answer by its path alone when told so; and when the
        # keeper looked, as files of hours are taken in beside what is final. Weak, as how long ago that was
        # is another number a second later.
        asked = zlib.crc32(f"{request.url.path}?{request.url.query}{shown}".encode())
        tag = f'W/"{state.slot}-{state.looked}-{asked:08x}"'
        headers = {"etag": tag, "cache-control": FRESH, "x-ionet-slot": str(state.slot)}
        had = request.headers.get("if-none-match", "").split(",")
        if tag.removeprefix("W/") in [each.strip().removeprefix("W/") for each in had]:
            raise NotModified(headers)
        response.headers.update(headers)
        self._headers, self._response = headers, response

    @property
    def as_of(self) -> AsOf:
        """The state, for an answer."""
        return AsOf(slot=self.state.slot, time=self.state.time, final=True, lag_seconds=self.state.lag)

    def one(self, data: T, *, for_ever: bool = False) -> Answer[T]:
        """An answer of one thing, which may be kept ``for_ever`` where it never changes."""
        # At a machine's own names another network may answer tomorrow.
        if for_ever and self.request.url.hostname not in OWN_NAMES:
            self._response.headers["cache-control"] = FOREVER
        return Answer(data=data, as_of=self.as_of)

    def page(self, asked: Page, found: Sequence[T], keys: Sequence[Key]) -> Any:
        """A page of rows with their keys, of which one more than asked for was read, if there is one.

        As CSV when that was asked for: then the response is written here.
        """
        rows = found[: asked.limit]
        next_ = encode(keys[asked.limit - 1]) if len(found) > asked.limit else None
        if asked.format == "csv":
            return self._csv(rows, next_)
        return Rows(data=list(rows), as_of=self.as_of, next=next_)

    def _csv(self, rows: Sequence[Any], next_: str | None) -> Response:
        headers = dict(self._headers)
        if next_ is not None:
            # Without a host: what a visitor calls us would be told to others from a cache.
            there = self.request.url.include_query_params(after=next_)
            headers["link"] = f'<{there.path}?{there.query}>; rel="next"'
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for number, row in enumerate(rows):
            values = row.model_dump(mode="json")
            if number == 0:
                writer.writerow(values)
            writer.writerow(_cell(each) for each in values.values())
        return Response(text.getvalue(), headers=headers, media_type="text/csv; charset=utf-8")


def _cell(value: Any) -> Any:
    """A value as a cell: nothing for null, and no text that a spreadsheet would take for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f"'{text}" if text[:1] in "=+@\t\r" or (text[:1] == "-" and not text[1:].isdigit()) else text


async def connection(request: Request) -> AsyncIterator[AsyncConnection]:
    """The index's database, while a question is answered: one state of it."""
    index: Index = request.app.state.index
    async with index.database.reading() as connection:
        yield connection


def unknown_parameter(request: Request) -> str | None:
    """The first parameter where a path has none; lists refuse what they don't know by their models."""
    if request.scope["route"].dependant.query_params:
        return None
    return next((name[:SHOWN] for name in request.query_params), None)


def require_accepted(request: Request, kind: str) -> None:
    """Refuse who takes none of what is sent: that ``kind``, or CSV where it is asked for."""
    sent = CSV if request.query_params.get("format") == "csv" else kind
    if not accepts(request.headers.get("accept", ""), sent):
        raise HTTPException(406, f"this is {sent}: have Accept name it, or leave the header out")


def accepts(header: str, kind: str) -> bool:
    """Whether an ``Accept`` takes a media type, by the range in it that names it most exactly (RFC 9110)."""
    takes = {}
    for each in header.lower().split(","):
        name, *parameters = (part.strip() for part in each.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        takes[name] = bool(quality.strip("0."))
    ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    return next((takes[each] for each in ranges if each in takes), not header.strip())


async def _state(request: Request) -> State:
    index: Index = request.app.state.index
    return await index.state()


async def _reading(request: Request, response: Response) -> Reading:
    index: Index = request.app.state.index
    if name := unknown_parameter(request):
        raise HTTPException(400, f"there is no parameter {name} here")
    require_accepted(request, JSON)
    state = await index.state()
    if index.lag_slots is not None and state.behind > index.lag_slots:
        raise HTTPException(
            503,
            f"the index is {state.behind} slots behind what is final: it has all up to slot {state.slot}, "
            f"when the chain's clock showed {moment(state.time)}; ask again when it has caught up",
            {"retry-after": "30", "x-ionet-slot": str(state.slot)},
        )
    return Reading(request, response, index, state)


On = Annotated[AsyncConnection, Depends(connection, scope="function")]
"""One state of the index, while a question is answered.

It is let go before the answer is sent: a visitor who reads slowly would keep a connection from others, and
the index' old state on the disk.
"""
Now = Annotated[State, Depends(_state)]
"""How far the index is; before :data:`On`, so that nobody waits for a second connection with one."""
Asked = Annotated[Reading, Depends(_reading)]
"""The question; asked for before :data:`On`, so that 304 needs no more than the state."""
