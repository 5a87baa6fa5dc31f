"""What happened around an address, in a transaction, everywhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.paging import Page
from keeper.db.events import ORDER
from keeper.db.views import TX
from keeper.indexer import lookup
from keeper.indexer.lookup import Cursor, Happened

KINDS = (int, int, int, int)


class Span(NamedTuple):
    """From which moment on, and up to the end of which second, unix seconds; None for no end."""

    first: int | None = None
    last: int | None = None


ALWAYS = Span()


async def around(
    on: AsyncConnection,
    address: str | None,
    page: Page,
    programs: list[str],
    events: list[str],
    span: Span = ALWAYS,
) -> list[Happened]:
    """A page of what happened around an address, or anywhere, newest first, and one more if there is one."""
    key = page.key(*KINDS)
    below = Cursor(*key) if key else None
    if span.last is not None:
        end = Cursor(await lookup.slot_from(on, span.last + 1), 0, 0, 0)
        below = min(below, end) if below else end
    above = None
    if span.first is not None:
        above = Cursor(await lookup.slot_from(on, span.first) - 1, lookup.LATEST, 0, 0)
    find = lookup.latest if address is None else partial(lookup.history, address=address)
    return await find(on, limit=page.limit + 1, below=below, above=above, programs=programs, events=events)


async def transaction(on: AsyncConnection, signature: str) -> tuple[dict[str, Any], list[Happened]] | None:
    """A final transaction and its events in their order; None for one that isn't in the index."""
    found = (await on.execute(sa.select(TX).filter_by(signature=signature))).mappings().first()
    if found is None:
        return None
    rows = await on.execute(_EVENTS, {"slot": found["slot"], "position": found["position"]})
    return dict(found), await lookup.happened(on, sorted(rows.all(), key=lambda row: tuple(row[1:5])))


async def between(on: AsyncConnection, above: int, up_to: int, most: int) -> list[Happened]:
    """What happened above a slot and up to another, in its order; of more than ``most`` only so many."""
    rows = await on.execute(sa.select(_WINDOW.subquery()).limit(most), {"above": above, "up_to": up_to})
    return await lookup.happened(on, sorted(rows.all(), key=lambda row: tuple(row[1:5])))


def _events(where: Callable[[sa.Table], sa.ColumnElement[bool]]) -> sa.CompoundSelect[Any]:
    """Some events as rows of ``mention``: a look into each event's table by its key."""
    return sa.union_all(
        *(
            sa.select(
                sa.null().label("address"),
                *(each.table.c[own].label(name) for own, name in zip(ORDER, lookup.PLACE, strict=True)),
                sa.literal(program).label("program"),
                sa.literal(name_of).label("event"),
            ).where(where(each.table))
            for program, tables in lookup.TABLES.items()
            for name_of, each in tables.by_event.items()
        )
    )


def _of_transaction(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c._slot == sa.bindparam("slot"), table.c._position == sa.bindparam("position"))


def _of_window(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c._slot > sa.bindparam("above"), table.c._slot <= sa.bindparam("up_to"))


_EVENTS, _WINDOW = _events(_of_transaction), _events(_of_window)
