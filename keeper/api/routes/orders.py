"""``/orders``, ``/leases``: what was rented, also what is over."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from keeper.api.answers import PAGES, Asked, On, one_of, rows_of
from keeper.api.fields import AskedAddress, Form
from keeper.api.paging import Page
from keeper.api.problems import NOT_FOUND
from keeper.api.queries import views
from keeper.api.rows import answer, view_model
from keeper.economy.orders import Currency

router = APIRouter(tags=["orders"])


class OrderRow(Form):
    """An order, open or closed; amounts in base units of its currency, times unix seconds."""


class LeaseRow(Form):
    """A lease of a device to an order, running or over; amounts in base units of the order's currency."""


Order = view_model(views.ORDERS, OrderRow)
Lease = view_model(views.LEASES, LeaseRow)


class Orders(Page):
    """Which orders."""

    renter: AskedAddress | None = Field(default=None, description="whose they are")
    state: Literal["open", "cancelled"] | None = Field(default=None, description="whether it takes devices")
    class_: int | None = Field(default=None, ge=0, lt=2**16, alias="class", description="one that it takes")
    currency: Literal["io", "usdc"] | None = Field(default=None, description="what it is paid in")
    closed: bool | None = Field(default=None, description="whether its account was closed")


class Leases(Page):
    """Which leases."""

    order_: AskedAddress | None = Field(default=None, alias="of", description="an order's address")
    device: AskedAddress | None = Field(default=None, description="a device's address")
    supplier: AskedAddress | None = None
    closed: bool | None = Field(default=None, description="whether its account was closed")


@router.get("/orders", response_model=rows_of(Order), responses=PAGES)
async def orders(asked: Asked, on: On, asking: Annotated[Orders, Query()]) -> object:
    """Orders by when they were created."""
    table = views.ORDERS.table
    given = asking.model_dump(include={"renter", "state"}, exclude_none=True)
    where = [table.c[name] == value for name, value in given.items()]
    if asking.currency is not None:
        where.append(table.c.currency == Currency[asking.currency.upper()])
    if asking.class_ is not None:
        where.append(views.takes(table, asking.class_))
    where += views.closed(table, asking.closed)
    return await answer(asked, on, views.ORDERS, asking, Order, where)


@router.get("/orders/{address}", response_model=one_of(Order), responses=NOT_FOUND)
async def order(asked: Asked, on: On, address: AskedAddress) -> object:
    """One order, as it is or as it was when it was closed."""
    found = await views.last_of(on, views.ORDERS, {"address": address})
    if found is None:
        raise HTTPException(404, "no order has this address")
    return asked.one(Order(**found))


@router.get("/leases", response_model=rows_of(Lease), responses=PAGES)
async def leases(asked: Asked, on: On, asking: Annotated[Leases, Query()]) -> object:
    """Leases by when they were matched."""
    table = views.LEASES.table
    given = asking.model_dump(include={"device", "supplier"}, exclude_none=True)
    where = [table.c[name] == value for name, value in given.items()]
    if asking.order_ is not None:
        where.append(table.c.order == asking.order_)
    where += views.closed(table, asking.closed)
    return await answer(asked, on, views.LEASES, asking, Lease, where)


@router.get("/leases/{address}", response_model=one_of(Lease), responses=NOT_FOUND)
async def lease(asked: Asked, on: On, address: AskedAddress) -> object:
    """One lease, as it is or as it was when it was closed last."""
    found = await views.last_of(on, views.LEASES, {"address": address})
    if found is None:
        raise HTTPException(404, "no lease has this address")
    return asked.one(Lease(**found))
