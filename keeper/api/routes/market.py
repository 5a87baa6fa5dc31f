"""``/market``: what a processor costs, how long that is known, what is asked for, how prices went."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from keeper.api.answers import PAGES, Answer, Asked, On, Rows
from keeper.api.fields import Amount, Country, Form
from keeper.api.paging import Page
from keeper.api.problems import NOT_FOUND
from keeper.api.queries import market as queries
from keeper.clients import staking
from keeper.economy.classes import holds_from
from keeper.economy.orders import Currency
from keeper.market.quotes import known_until, quote

router = APIRouter(tags=["market"])
ClassNumber = Annotated[int, Path(ge=0, lt=2**16, description="a class's number")]


class Step(Form):
    """A price for a processor and hour, and from when on it holds."""

    holds_from: int = Field(description="unix seconds")
    amount: Amount = Field(description="base units; 0 where the class isn't leased for this currency")
    is_stale: bool = Field(description="no step came for too long: a lease costs what the device asks")


class Quoted(Form):
    """A class in the market; processors of devices that are registered."""

    id: int
    name: str
    ready: int = Field(description="processors that can be leased")
    leased: int
    short: int = Field(description="of devices that are short of stake")
    utilisation_bps: int | None = Field(description="leased / (ready + leased); null where there is neither")
    known_until: int = Field(description="unix seconds; from then on a step may yet be announced")
    quotes: dict[str, list[Step]] = Field(description="by currency: the price now, and what is announced")


class Depth(Form):
    """What is asked for at one price."""

    ask: Amount = Field(description="for a processor and hour, base units")
    devices: int
    processors: int


class Price(Form):
    """A step of both prices of a class; base units for a processor and hour."""

    hour: int = Field(description="in which it was measured, unix seconds over 3,600")
    holds_from: int = Field(description="when the step is made, unix seconds")
    at: Amount = Field(description="when it was applied, unix seconds")
    price_io: Amount = Field(description="until then: what the step moves, within the class' bounds")
    price_usdc: Amount
    step_io: int = Field(description="basis points")
    step_usdc: int
    signature: str = Field(description="of its transaction")


class Where(BaseModel):
    """Devices of which country are counted."""

    model_config = ConfigDict(extra="forbid")

    country: Country = None


class Depths(Page):
    """Asks in which currency."""

    currency: Literal["io", "usdc"] = "io"
    country: Country = None
    order: Literal["asc", "desc"] = Field(default="asc", description="of the ask: the cheapest first")


@router.get("/market")
async def market(asked: Asked, on: On, where: Annotated[Where, Query()]) -> Answer[list[Quoted]]:
    """All classes, by number: prices, what is announced, how many processors are leased."""
    now, counts = asked.state.time, await queries.processors(on, where.country)
    until, rows = known_until(now), []
    for fields in (await asked.index.accounts(on, "staking", "Class")).values():
        found = staking.class_of(fields)
        ready, leased, short = (counts.get((found.id, state), 0) for state in ("ready", "leased", "short"))
        offered = ready + leased
        # Whatever is announced, also what holds later than that.
        end = max(until, found.step_at + 1, found.bounds_at + 1)
        rows.append(
            Quoted(
                id=found.id,
                name=found.name,
                ready=ready,
                leased=leased,
                short=short,
                utilisation_bps=leased * 10_000 // offered if offered else None,
                known_until=until,
                quotes={
                    each.name: [
                        Step(holds_from=at, amount=price.amount, is_stale=price.is_stale)
                        for at, price in quote(found, each, now, end).prices
                    ]
                    for each in Currency
                },
            )
        )
    return asked.one(sorted(rows, key=lambda row: row.id))


@router.get("/market/{number}/depth", response_model=Rows[Depth], responses=PAGES | NOT_FOUND)
async def depth(asked: Asked, on: On, number: ClassNumber, asking: Annotated[Depths, Query()]) -> object:
    """What ready devices of a class ask for, the cheapest first."""
    await _require(asked, on, number)
    found = await queries.depth(on, number, Currency[asking.currency.upper()], asking, asking.country)
    return asked.page(asking, [Depth(**row) for row in found], [(int(row["ask"]),) for row in found])


@router.get("/market/{number}/history", response_model=Rows[Price], responses=PAGES | NOT_FOUND)
async def history(asked: Asked, on: On, number: ClassNumber, page: Annotated[Page, Query()]) -> object:
    """The steps of a class' prices, newest first."""
    if not page.newest_first:
        raise HTTPException(400, "order is 'asc': steps are listed newest first alone")
    await _require(asked, on, number)
    found = await queries.prices(on, number, page)
    rows = [
        Price(**each.event.fields, holds_from=holds_from(each.event.fields["hour"]), signature=each.signature)
        for each in found
    ]
    return asked.page(page, rows, [each.cursor for each in found])


async def _require(asked: Asked, on: On, number: int) -> None:
    if await asked.index.account(on, "staking", "Class", staking.class_address(number)) is None:
        raise HTTPException(404, f"there is no class {number}: /classes has those that there are")
