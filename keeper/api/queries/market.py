"""What processors are asked for, and how prices went."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.paging import Page
from keeper.api.queries import views
from keeper.api.rows import read_page
from keeper.clients import staking
from keeper.economy.orders import Currency
from keeper.indexer import lookup
from keeper.indexer.lookup import Cursor, Happened

ASKS = {Currency.IO: "ask_io", Currency.USDC: "ask_usdc"}
PRICES = ("PriceApplied",)


async def processors(on: AsyncConnection, country: str | None = None) -> dict[tuple[int, str], int]:
    """Processors of devices that are registered, in a country if one is given, by class and state."""
    table = views.DEVICES.table
    columns = table.c["class"], table.c.state
    query = sa.select(*columns, sa.func.sum(table.c.processors)).where(
        *views.closed(table, False), *views.in_country(table, country)
    )
    return {(row[0], row[1]): int(row[2]) for row in await on.execute(query.group_by(*columns))}


async def depth(
    on: AsyncConnection, number: int, currency: Currency, page: Page, country: str | None = None
) -> list[dict[str, Any]]:
    """A page of what ready devices of a class, in a country if one is given, ask for, each price once; and
    one more if there is one.
    """
    table = views.DEVICES.table
    ask = table.c[ASKS[currency]]
    asked = (
        sa.select(
            ask.label("ask"),
            sa.func.count().label("devices"),
            sa.func.sum(table.c.processors).label("processors"),
        )
        .where(table.c["class"] == number, table.c.state == "ready", *views.closed(table, False), ask > 0)
        .where(*views.in_country(table, country))
        .group_by(ask)
        .subquery()
    )
    return [dict(row) for row in await read_page(on, asked, page, ("ask",))]


async def prices(on: AsyncConnection, number: int, page: Page) -> list[Happened]:
    """A page of a class' steps of prices, newest first, and one more if there is one."""
    key = page.key(int, int, int, int)
    return await lookup.history(
        on,
        str(staking.class_address(number)),
        limit=page.limit + 1,
        below=Cursor(*key) if key else None,
        programs=("staking",),
        events=PRICES,
    )
