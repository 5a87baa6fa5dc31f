"""The views that are listed, and the keys that they are listed by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.clients.orders.program import MAX_CLASSES
from keeper.db.shapes import BY_TIME
from keeper.db.views import AccountView
from keeper.indexer.lookup import VIEWS

DEVICES, WALLETS, ORDERS, LEASES = (VIEWS[kind] for kind in ("Device", "Wallet", "Order", "Lease"))


def closed(table: sa.Table, is_closed: bool | None) -> list[sa.ColumnElement[bool]]:
    """The condition that accounts were closed, or are there; none for both."""
    if is_closed is None:
        return []
    return [table.c.closed_slot.is_not(None) if is_closed else table.c.closed_slot.is_(None)]


def in_country(table: sa.Table, country: str | None) -> list[sa.ColumnElement[bool]]:
    """The condition that devices are in a country; none for all of them."""
    return [] if country is None else [table.c.country == country]


def takes(orders: sa.Table, number: int) -> sa.ColumnElement[bool]:
    """The condition that an order takes devices of a class."""
    of = orders.c.classes
    return sa.or_(
        *(
            sa.and_(orders.c.class_count > place, of[place].as_integer() == number)
            for place in range(MAX_CLASSES)
        )
    )


async def last_of(on: AsyncConnection, view: AccountView, names: Mapping[str, str]) -> dict[str, Any] | None:
    """The newest life of the account that one of these columns names; None for none."""
    found: list[sa.RowMapping] = []
    for name, value in names.items():
        query = sa.select(view.table).where(view.table.c[name] == value)
        newest = query.order_by(*(view.table.c[each].desc() for each in BY_TIME)).limit(1)
        found += (await on.execute(newest)).mappings()
    best = max(found, key=lambda row: tuple(row[each] for each in BY_TIME), default=None)
    return None if best is None else dict(best)
