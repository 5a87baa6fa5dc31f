"""What happened around an address, in a transaction, everywhere."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.paging import Page
from keeper.db.events import ORDER
from keeper.db.views import TX
from keeper.indexer import lookup
from keeper.indexer.lookup import Cursor, Happened

KINDS = (int, int, int, int)


async def around(
    on: AsyncConnection, address: str, page: Page, programs: list[str], events: list[str]
) -> list[Happened]:
    """A page of what happened around an address, newest first, and one more if there is one."""
    key = page.key(*KINDS)
    return await lookup.history(
        on,
        address,
        limit=page.limit + 1,
        below=Cursor(*key) if key else None,
        programs=programs,
        events=events,
    )


async def transaction(on: AsyncConnection, signature: str) -> tuple[dict[str, Any], list[Happened]] | None:
    """A final transaction and its events in their order; None for one that isn't in the index."""
    found = (await on.execute(sa.select(TX).filter_by(signature=signature))).mappings().first()
    if found is None:
        return None
    rows = await on.execute(_EVENTS, {"slot": found["slot"], "position": found["position"]})
    return dict(found), await lookup.happened(on, sorted(rows.all(), key=lambda row: tuple(row[1:5])))


def _events() -> sa.CompoundSelect[Any]:
    """Which events a transaction sent, as rows of ``mention``: a look into each event's table by its key."""
    slot: sa.BindParameter[int] = sa.bindparam("slot")
    position: sa.BindParameter[int] = sa.bindparam("position")
    return sa.union_all(
        *(
            sa.select(
                sa.null().label("address"),
                *(each.table.c[own].label(name) for own, name in zip(ORDER, lookup.PLACE, strict=True)),
                sa.literal(program).label("program"),
                sa.literal(name_of).label("event"),
            ).where(each.table.c._slot == slot, each.table.c._position == position)
            for program, tables in lookup.TABLES.items()
            for name_of, each in tables.by_event.items()
        )
    )


_EVENTS = _events()
