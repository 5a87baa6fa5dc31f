"""``/transactions``, ``/tx``: what happened, by whom it is about, and by its signature."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field, field_validator

from keeper.api.answers import PAGES, Answer, Asked, On, Rows, unknown_parameter
from keeper.api.fields import Amount, AskedAddress, Form
from keeper.api.paging import Page
from keeper.api.problems import NOT_FOUND
from keeper.api.queries import activity as queries
from keeper.api.stream import Stream, TooMany
from keeper.clients.programs import PROGRAMS
from keeper.economy.calendar import DAY, day
from keeper.indexer.lookup import Happened

router = APIRouter(tags=["activity"])
EVENTS = sorted({name for program in PROGRAMS.values() for name in program.event_fields})
"""The names of all events."""


Moment = Annotated[str, Field(pattern=r"^([0-9]{1,11}|[0-9]{4}-[0-9]{2}-[0-9]{2})$")]


class Asking(Page):
    """What happened, around which address and when."""

    address: AskedAddress | None = Field(
        default=None,
        description="of a wallet, a device, an order, a block, anything; all there is without it",
    )
    program: list[str] = Field(default=[], max_length=len(PROGRAMS), description="only these programs'")
    event: list[str] = Field(default=[], max_length=20, description="only events of these names")
    from_: Moment | None = Field(
        default=None, alias="from", description="unix seconds, or a day of UTC such as 2027-01-31"
    )
    to: Moment | None = Field(default=None, description="the last second, or the last day, too")

    @field_validator("program", "event")
    @classmethod
    def _known(cls, names: list[str], info: Any) -> list[str]:
        known = sorted(PROGRAMS) if info.field_name == "program" else EVENTS
        if wrong := [name for name in names if name not in known]:
            raise ValueError(f"it should be one of {', '.join(known)}, and {wrong[0][:40]!r} is none")
        return names

    @property
    def span(self) -> queries.Span:
        """From when to when, in seconds."""
        last = None if self.to is None else seconds_of(self.to, is_end=True)
        return queries.Span(None if self.from_ is None else seconds_of(self.from_), last)


def seconds_of(moment: str, *, is_end: bool = False) -> int:
    """A moment in unix seconds: of a day its first, or its last. Raises MonthError for no day."""
    if moment.isdigit():
        return int(moment)
    return day(moment) + (DAY - 1 if is_end else 0)


class Event(Form):
    """What a program said that it did."""

    slot: int
    time: int = Field(description="unix seconds")
    signature: str = Field(description="of the transaction")
    program: str
    event: str = Field(description="its name in the program's IDL")
    currency: str | None = Field(description="what its amounts are in")
    fields: dict[str, Any] = Field(description="as the IDL has them; integers of 64 bits are strings")


class Transaction(Form):
    """A transaction that is final."""

    signature: str
    slot: int
    time: int | None = Field(description="unix seconds; of one that failed it isn't known")
    fee: Amount | None = Field(description="lamports; of one that failed it isn't known")
    failed: bool
    events: list[Event]


@router.get("/transactions", response_model=Rows[Event], responses=PAGES)
async def around(asked: Asked, on: On, asking: Annotated[Asking, Query()]) -> object:
    """Everything that happened, newest first: around an address if one is given."""
    if not asking.newest_first:
        raise HTTPException(400, "order is 'asc': what happened is listed newest first alone")
    found = await queries.around(on, asking.address, asking, asking.program, asking.event, asking.span)
    return asked.page(asking, [shown(each) for each in found], [each.cursor for each in found])


@router.get("/tx/{signature}", responses=NOT_FOUND)
async def transaction(
    asked: Asked, on: On, signature: Annotated[str, Path(max_length=88, pattern="^[1-9A-HJ-NP-Za-km-z]+$")]
) -> Answer[Transaction]:
    """A transaction by its signature, with what the programs said in it."""
    found = await queries.transaction(on, signature)
    if found is None:
        raise HTTPException(404, "no final transaction of these programs has this signature")
    row, events = found
    return asked.one(Transaction(**row, events=[shown(each) for each in events]), for_ever=True)


@router.get("/stream", include_in_schema=False)
async def stream(request: Request) -> StreamingResponse:
    """What becomes final, as it does (:mod:`keeper.api.stream`): an answer without an end."""
    if name := unknown_parameter(request):
        raise HTTPException(400, f"there is no parameter {name} here")
    told: Stream = request.app.state.stream
    try:
        queue = told.join()
    except TooMany as error:
        raise HTTPException(503, str(error), {"retry-after": "60"}) from error
    return StreamingResponse(
        told.heard(queue), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )


def shown(each: Happened) -> Event:
    """An event as the API answers it."""
    return Event(**each.json())
