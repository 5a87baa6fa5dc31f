"""``/devices``: what is registered, by what one looks for."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from keeper.api.answers import PAGES, Asked, On, one_of, rows_of
from keeper.api.fields import AskedAddress, Country, Form
from keeper.api.paging import Page
from keeper.api.problems import NOT_FOUND
from keeper.api.queries import views
from keeper.api.queries.market import ASKS
from keeper.api.rows import answer, view_model
from keeper.economy.classes import Pool
from keeper.economy.orders import Currency

router = APIRouter(tags=["devices"])
EQUAL = {"class_", "tier", "state", "country", "supplier", "payout", "co_staker", "leaving_staker"}
"""The parameters that name a column's value."""


class DeviceRow(Form):
    """A device; amounts in base units, times unix seconds. One that was closed and came again is two."""


Device = view_model(views.DEVICES, DeviceRow)


Units = Annotated[int, Field(ge=0, lt=2**63)]


class Asking(Page):
    """Which devices."""

    class_: int | None = Field(default=None, ge=0, lt=2**16, alias="class", description="a class's number")
    tier: int | None = Field(default=None, ge=1, le=4, description="connectivity, as its supplier states it")
    state: Literal["ready", "leased", "short", "terminated"] | None = Field(
        default=None, description="short: of stake"
    )
    pool: Literal["enterprise", "community"] | None = Field(
        default=None, description="which pool of rewards its class shares"
    )
    country: Country = None
    supplier: AskedAddress | None = Field(default=None, description="whose it is")
    payout: AskedAddress | None = Field(default=None, description="the wallet that its rewards go to")
    co_staker: AskedAddress | None = None
    leaving_staker: AskedAddress | None = Field(default=None, description="whose co-stake left it and cools")
    has_offer: bool | None = Field(default=None, description="whether a co-stake is offered")
    min_stake: Units | None = Field(default=None, description="its supplier's own, IO base units, at least")
    currency: Literal["io", "usdc"] = Field(default="io", description="of the prices asked by and sorted by")
    min_price: Units | None = Field(default=None, description="asked for a processor and hour, base units")
    max_price: Units | None = Field(default=None, description="asked at most; 0 is no price")
    closed: bool = Field(default=False, description="true: those that were closed, instead")
    sort: Literal["address", "stake", "price"] = Field(
        default="address", description="stake: its supplier's own; price: what it asks for"
    )
    order: Literal["asc", "desc"] = Field(default="asc", description="of what it is sorted by")


@router.get("/devices", response_model=rows_of(Device), responses=PAGES)
async def devices(asked: Asked, on: On, asking: Annotated[Asking, Query()]) -> object:
    """Devices by address, stake or price."""
    table = views.DEVICES.table
    equal = asking.model_dump(by_alias=True, include=EQUAL, exclude_none=True)
    where = views.closed(table, asking.closed) + [table.c[name] == value for name, value in equal.items()]
    if asking.pool is not None:
        # A class' pool is an account's field: there are few classes, with many devices each, so that reading
        # devices by address until a page is full is quicker than sorting those of some classes.
        classes = (await asked.index.accounts(on, "staking", "Class")).values()
        pool = Pool[asking.pool.upper()]
        where.append((table.c["class"] + 0).in_([each["id"] for each in classes if each["pool"] == pool]))
    if asking.has_offer is not None:
        where.append(table.c.offer > 0 if asking.has_offer else table.c.offer <= 0)
    price = ASKS[Currency[asking.currency.upper()]]
    by = {"address": (), "stake": ("own",), "price": (price,)}[asking.sort]
    # By what they aren't sorted by they are read in their order, until a page is full, as by a pool.
    own, ask = (table.c[name] if name in by else table.c[name] + 0 for name in ("own", price))
    if asking.min_stake is not None:
        where.append(own >= asking.min_stake)
    if asking.min_price is not None:
        where.append(ask >= asking.min_price)
    if asking.max_price is not None:
        where.append(ask.between(1, asking.max_price))
    return await answer(asked, on, views.DEVICES, asking, Device, where, by)


@router.get("/devices/{address}", response_model=one_of(Device), responses=NOT_FOUND)
async def device(asked: Asked, on: On, address: AskedAddress) -> object:
    """A device by its address or its worker's: as it is, or as it was when it was closed last."""
    found = await views.last_of(on, views.DEVICES, {"address": address, "worker": address})
    if found is None:
        raise HTTPException(404, "no device has this address, nor such a worker")
    return asked.one(Device(**found))
