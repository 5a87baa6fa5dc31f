"""What the keeper found when it compared, and how parameters and roles came to be what they are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.clients.programs import PROGRAMS
from keeper.db.events import ORDER
from keeper.db.tables import WATERMARKS
from keeper.indexer import lookup
from keeper.indexer.lookup import Happened

CHANGES = ("Initialized", "Params", "Admin", "Guardian", "PauseSet")
"""What the names of events begin with that say who governs, by which parameters, and what was stopped."""
SHOWN = 100


async def comparisons(on: AsyncConnection) -> dict[str, dict[str, Any]]:
    """The newest comparison of each program's accounts with the chain's, of those that were ever compared."""
    found = {}
    for program in PROGRAMS:
        query = lookup.comparisons(program).limit(1)
        if (row := (await on.execute(query)).mappings().first()) is not None:
            found[program] = dict(row)
    return found


async def changes(on: AsyncConnection) -> list[Happened]:
    """The newest changes of parameters, roles and pauses of all programs, newest first."""
    folded = {row.program: row.folded_slot for row in await on.execute(sa.select(WATERMARKS))}
    found: list[Any] = []
    for program, tables in lookup.TABLES.items():
        for name, each in tables.by_event.items():
            if not name.startswith(CHANGES):
                continue
            own = [each.table.c[column] for column in ORDER]
            query = (
                sa.select(
                    *(c.label(place) for c, place in zip(own, lookup.PLACE, strict=True)),
                    sa.literal(program).label("program"),
                    sa.literal(name).label("event"),
                )
                .where(own[0] <= folded.get(program, -1))
                .order_by(*(column.desc() for column in own))
                .limit(SHOWN)
            )
            found += (await on.execute(query)).all()
    found.sort(key=lambda row: tuple(row[:4]), reverse=True)
    return await lookup.happened(on, found[:SHOWN])
