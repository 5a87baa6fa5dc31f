"""What a wallet has in the protocol's accounts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.queries import views
from keeper.db.types import DIGITS, Wide
from keeper.db.views import HOUR_TOTAL

_DEVICES, _ORDERS = views.DEVICES.table, views.ORDERS.table
_SUM = Wide(DIGITS["u128"])


async def holdings(on: AsyncConnection, wallet: str) -> dict[str, Any]:
    """Sums over a wallet's devices, co-stakes and orders, by what they are shown under; base units."""
    found: dict[str, Any] = {}
    own = _DEVICES.c
    for condition, columns in (
        (own.supplier == wallet, {"devices": None, "staked": own.own, "cooling": own.own_cooling}),
        (own.co_staker == wallet, {"co_stakes": None, "co_staked": own.co_amount}),
        (own.leaving_staker == wallet, {"co_stakes_leaving": None, "co_leaving": own.leaving_amount}),
    ):
        sums = (
            (sa.func.count() if column is None else _sum(column)).label(name)
            for name, column in columns.items()
        )
        query = sa.select(*sums).where(condition, own.closed_slot.is_(None))
        found |= {name: value or 0 for name, value in (await on.execute(query)).mappings().one().items()}
    o = _ORDERS.c
    open_orders = sa.select(sa.func.count()).where(o.renter == wallet, o.closed_slot.is_(None))
    found["orders"] = (await on.execute(open_orders)).scalar_one()
    row_of = await views.last_of(on, views.WALLETS, {"wallet": wallet})
    found["claimed"] = row_of["claimed"] if row_of else 0
    return found


async def newest_hour(on: AsyncConnection) -> int | None:
    """The newest final hour whose files were taken in; None for none."""
    found: int | None = (await on.execute(sa.select(sa.func.max(HOUR_TOTAL.c.hour)))).scalar()
    return found


def _sum(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.type_coerce(sa.func.sum(column), _SUM)
