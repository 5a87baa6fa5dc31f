"""How many there are of what, by where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.queries import views


async def devices(on: AsyncConnection, country: str | None = None) -> dict[tuple[int, str], int]:
    """Devices that are registered, in a country if one is given, by class and state."""
    table = views.DEVICES.table
    columns = table.c["class"], table.c.state
    return await _counted(on, table, columns, views.in_country(table, country))


async def orders(on: AsyncConnection) -> dict[str, int]:
    """Orders whose accounts are there, by state."""
    table = views.ORDERS.table
    return await _counted(on, table, (table.c.state,))


async def leases(on: AsyncConnection) -> dict[str, int]:
    """Leases whose accounts are there, by state."""
    table = views.LEASES.table
    return await _counted(on, table, (table.c.state,))


async def _counted(
    on: AsyncConnection,
    table: sa.Table,
    columns: tuple[sa.ColumnElement[Any], ...],
    where: Sequence[sa.ColumnElement[bool]] = (),
) -> dict[Any, int]:
    query = sa.select(*columns, sa.func.count()).where(*views.closed(table, False), *where)
    rows = await on.execute(query.group_by(*columns))
    return {tuple(row[:-1]) if len(columns) > 1 else row[0]: row[-1] for row in rows}
