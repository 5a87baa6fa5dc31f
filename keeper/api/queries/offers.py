"""Devices that look for a co-staker, and what they earned of late."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.paging import Page
from keeper.api.queries import views
from keeper.api.rows import read_page
from keeper.db.shapes import BY_ADDRESS
from keeper.db.types import DIGITS, Wide
from keeper.db.views import HOUR_DEVICE
from keeper.rewards.rule import DeviceStatus

KEY = ("offer", *BY_ADDRESS)
"""By what is asked for: lists begin with the smallest."""
WEEK = 168
YEAR = 8_760
"""Hours."""


class Week(NamedTuple):
    """What a device got in the newest hours: base units of IO, and the hours in which it was paid."""

    earned: int
    paid_hours: int


async def offers(
    on: AsyncConnection, page: Page, where: Iterable[sa.ColumnElement[bool]]
) -> list[dict[str, Any]]:
    """A page of open offers, and one more if there is one."""
    table = views.DEVICES.table
    conditions = [table.c.offer > 0, *views.closed(table, False), *where]
    return [dict(row) for row in await read_page(on, table, page, KEY, conditions)]


async def weeks(on: AsyncConnection, devices: Iterable[str], newest: int | None) -> dict[str, Week]:
    """What devices got in the week that ended with hour ``newest``; those that weren't there are left out."""
    if newest is None:
        return {}
    hours = list(range(max(0, newest - WEEK + 1), newest + 1))
    table = HOUR_DEVICE.c
    paid = sa.case((table.status == int(DeviceStatus.SUCCEEDED), 1), else_=0)
    query = sa.select(
        table.device,
        sa.type_coerce(sa.func.sum(table.reward), Wide(DIGITS["u128"])).label("earned"),
        sa.func.sum(paid).label("paid_hours"),
    ).where(table.hour.in_(hours), table.device.in_(list(devices)))
    rows = await on.execute(query.group_by(table.device))
    return {row.device: Week(int(row.earned), int(row.paid_hours)) for row in rows}


def yearly_bps(week: Week, offer: int, reward_bps: int) -> int:
    """What a co-stake of ``offer`` brings in a year like that week, basis points, rounded down.

    ``earned * share * 8,760 / 168 / offer``: nothing of it is promised, and nothing earned is staked again.
    """
    return week.earned * reward_bps * YEAR // (WEEK * offer)
