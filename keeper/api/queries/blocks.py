"""Hours' reward blocks: those that are final, what was said of each, what devices got."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.index import Index
from keeper.api.paging import Page
from keeper.api.queries.network import config
from keeper.api.rows import read_page
from keeper.clients import staking
from keeper.db.events import ORDER
from keeper.db.tables import WATERMARKS
from keeper.db.views import HOUR_DEVICE, HOUR_TOTAL
from keeper.indexer import lookup
from keeper.rewards.hours import FINALISED, KEPT_HOURS

KEY = ("finalised_slot", "finalised_position", "finalised_call", "finalised_inner")
_FOLDED = sa.select(WATERMARKS.c.folded_slot).filter_by(program=staking.PROGRAM.name).scalar_subquery()
_OF_FILES = ("emitted", "pot", "paid", "carried", "succeeded", "failed", "missed", "wallets", "rule")
_ROWS = (
    sa.select(
        *(FINALISED.c[name] for name in ("hour", "root", "data_hash", "total", "devices")),
        *(FINALISED.c[own].label(name) for own, name in zip(ORDER, KEY, strict=True)),
        FINALISED.c._time.label("finalised_at"),
        HOUR_TOTAL.c.start.label("starts_at"),
        *(HOUR_TOTAL.c[name] for name in _OF_FILES),
    )
    .join_from(FINALISED, HOUR_TOTAL, HOUR_TOTAL.c.hour == FINALISED.c.hour, isouter=True)
    # Above it there is what may be taken back.
    .where(FINALISED.c._slot <= _FOLDED)
)
FINAL = _ROWS.subquery()
"""Hours that are final, each with the sums of its files where these were taken in."""


async def final(
    on: AsyncConnection, page: Page, first: int | None = None, last: int | None = None
) -> list[dict[str, Any]]:
    """A page of final hours, of those from ``first`` to ``last`` if given, and one more if there is one."""
    where = []
    if first is not None:
        where += [FINAL.c.hour >= first, *(await _bound(on, first, lambda place, other: place >= other))]
    if last is not None:
        where += [FINAL.c.hour <= last, *(await _bound(on, last, lambda place, other: place <= other))]
    return [dict(row) for row in await read_page(on, FINAL, page, KEY, where)]


async def final_of(on: AsyncConnection, index: Index, hour: int) -> dict[str, Any] | None:
    """An hour that is final; None for another."""
    place = await _place(on, hour)
    if place is None:
        return None
    query = sa.select(FINAL).where(*(FINAL.c[name] == value for name, value in zip(KEY, place, strict=True)))
    return dict((await on.execute(query)).mappings().one())


async def _place(on: AsyncConnection, hour: int) -> tuple[int, ...] | None:
    """Where an hour is in the order in which hours became final; None where it isn't."""
    address = str(staking.block_address(hour))
    for each in await lookup.history(on, address, limit=1, events=("BlockFinalised",)):
        return tuple(each.place[:4])
    return None


async def _bound(
    on: AsyncConnection, hour: int, compared: Callable[[Any, Any], sa.ColumnElement[bool]]
) -> list[sa.ColumnElement[bool]]:
    """The same bound by the list's own key, so that no row beyond it is read: hours become final in order."""
    place = await _place(on, hour)
    if place is None:
        return []
    return [compared(sa.tuple_(*(FINAL.c[name] for name in KEY)), sa.tuple_(*map(sa.literal, place)))]


async def attestations(on: AsyncConnection, hour: int) -> list[dict[str, Any]]:
    """What operators said of an hour, the first first; there are at most a dozen, and again after a veto."""
    found = await lookup.history(
        on, str(staking.block_address(hour)), limit=lookup.PAGE, events=("Attested",)
    )
    return [{**each.event.fields, "signature": each.signature} for each in reversed(found)]


async def devices(
    on: AsyncConnection,
    hour: int,
    page: Page,
    *,
    device: str | None = None,
    status: int | None = None,
    reason: int | None = None,
) -> list[dict[str, Any]]:
    """A page of what devices got in an hour, of those that are like that, and one more if there is one."""
    table = HOUR_DEVICE.c
    where = [table.hour == hour]
    if device is not None:
        where.append(table.device == device)
    if status is not None:
        where.append(table.status == status)
    if reason is not None:
        where.append(table.reasons.bitwise_and(reason) != 0)
    return [dict(row) for row in await read_page(on, HOUR_DEVICE, page, ("device",), where)]


async def has_devices(on: AsyncConnection, hour: int) -> bool:
    """Whether any device of an hour is kept."""
    query = sa.select(sa.literal(1)).where(HOUR_DEVICE.c.hour == hour).limit(1)
    return await on.scalar(query) is not None


async def reasons(on: AsyncConnection, hour: int) -> list[tuple[int, int, int]]:
    """How many devices got which status for which reasons (bits) in an hour, the most frequent first."""
    table, count = HOUR_DEVICE.c, sa.func.count()
    query = sa.select(table.status, table.reasons, count).where(table.hour == hour)
    rows = await on.execute(query.group_by(table.status, table.reasons).order_by(count.desc(), table.reasons))
    return [(row[0], row[1], row[2]) for row in rows]


async def earned(on: AsyncConnection, device: str, newest: int | None, page: Page) -> list[dict[str, Any]]:
    """A page of what a device got in the hours that are kept, and one more if there is one."""
    if newest is None:
        return []
    table = HOUR_DEVICE.c
    kept = list(range(max(0, newest - KEPT_HOURS + 1), newest + 1))
    rows = await read_page(on, HOUR_DEVICE, page, ("hour",), [table.hour.in_(kept), table.device == device])
    return [dict(row) for row in rows]


async def hours_of(on: AsyncConnection, device: str, hours: range) -> list[dict[str, Any]]:
    """What a device got in these hours, the first first; hours in which it wasn't are left out."""
    table = HOUR_DEVICE.c
    query = sa.select(HOUR_DEVICE).where(table.hour.in_(list(hours)), table.device == device)
    return [dict(row) for row in (await on.execute(query.order_by(table.hour))).mappings()]


async def challenge_window(on: AsyncConnection, index: Index) -> int:
    """How long what operators agreed on can be challenged, seconds."""
    return staking.config_of(await config(on, index, "staking")).params.challenge_window
