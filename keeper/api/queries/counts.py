"""How many there are of what, by where they stand."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.queries import views


async def devices(on: AsyncConnection) -> dict[tuple[int, str], int]:
    """Devices that are registered, by class and state."""
    table = views.DEVICES.table
    columns = table.c["class"], table.c.state
    return await _counted(on, table, columns)


async def orders(on: AsyncConnection) -> dict[str, int]:
    """Orders whose accounts are there, by state."""
    table = views.ORDERS.table
    return await _counted(on, table, (table.c.state,))


async def leases(on: AsyncConnection) -> dict[str, int]:
    """Leases whose accounts are there, by state."""
    table = views.LEASES.table
    return await _counted(on, table, (table.c.state,))


async def _counted(
    on: AsyncConnection, table: sa.Table, columns: tuple[sa.ColumnElement[Any], ...]
) -> dict[Any, int]:
    query = sa.select(*columns, sa.func.count()).where(*views.closed(table, False)).group_by(*columns)
    rows = await on.execute(query)
    return {tuple(row[:-1]) if len(columns) > 1 else row[0]: row[-1] for row in rows}
