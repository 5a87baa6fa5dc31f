"""What is looked up, from a window of final events: written with the accounts that follow from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from solders.pubkey import Pubkey
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.chain import Event
from keeper.chain.program import Fields
from keeper.db.bulk import Insertion
from keeper.db.events import EventPlace, EventTables
from keeper.db.shapes import NOBODY
from keeper.db.types import jsonable
from keeper.db.views import CALL_BITS, DAY_TOTAL, MENTION, Views
from keeper.economy.calendar import DAY
from keeper.indexer.book import Book
from keeper.indexer.compare import MOST_DIFFERENCES, Difference
from keeper.indexer.implied import account_of
from keeper.indexer.totals import moved

INTO_MENTION, INTO_DAY_TOTAL = Insertion(MENTION), Insertion(DAY_TOTAL)
TRANSACTIONS = sa.text(
    "INSERT INTO tx (slot, position, signature, time, fee, failed) "
    "SELECT slot, position, signature, time, fee, failed FROM signatures "
    "WHERE program = :program AND slot > :above AND slot <= :up_to ORDER BY slot, position "
    "ON CONFLICT DO NOTHING"
)
"""A transaction of several programs is theirs together."""


class Window:
    """What a window of one program's events says beside its accounts."""

    def __init__(self, program: str, above: int, up_to: int) -> None:
        """Of the slots above ``above`` and up to ``up_to``; nothing was seen yet."""
        self._program = program
        self._slots = {"above": above, "up_to": up_to}
        self._mentions: list[tuple[str, int, int, int, int, str, str]] = []
        self._totals: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])

    def see(self, book: Book, place: EventPlace, event: Event) -> None:
        """Take an event in, by the book after it."""
        slot, position, outer, inner, time = place
        about = account_of(self._program, event)
        for address in dict.fromkeys((*addresses(event.fields), *([about] if about else ()))):
            row = (str(address), slot, position, outer, inner, self._program, event.name)
            self._mentions.append(row)
        for name, amount in moved(self._program, book, event):
            total = self._totals[name, time // DAY]
            total[0] += amount
            total[1] += 1

    async def write(self, connection: AsyncConnection) -> None:
        """Add it to what was written of earlier windows."""
        await connection.execute(TRANSACTIONS, {"program": self._program, **self._slots})
        if self._mentions:
            # In the order of the key: neighbours are on the same pages.
            columns = zip(*sorted(self._mentions), strict=True)
            await INTO_MENTION.run(connection, dict(zip(MENTION.columns.keys(), columns, strict=True)))
        if self._totals:
            await self._add_totals(connection)

    async def _add_totals(self, connection: AsyncConnection) -> None:
        days = {day for _, day in self._totals}
        own = sa.select(DAY_TOTAL).filter_by(program=self._program)
        within = own.where(DAY_TOTAL.c.day >= min(days), DAY_TOTAL.c.day <= max(days))
        for row in (await connection.execute(within)).mappings().all():
            if (total := self._totals.get((row["name"], row["day"]))) is not None:
                total[0] += row["amount"]
                total[1] += row["count"]
                mine = {"program": self._program, "name": row["name"], "day": row["day"]}
                await connection.execute(sa.delete(DAY_TOTAL).filter_by(**mine))
        rows = [(self._program, *key, *total) for key, total in self._totals.items()]
        columns = zip(*rows, strict=True)
        await INTO_DAY_TOTAL.run(connection, dict(zip(DAY_TOTAL.columns.keys(), columns, strict=True)))


def addresses(value: Any) -> Iterator[Pubkey]:
    """Every address in an event's fields, however deep."""
    if isinstance(value, Pubkey):
        if value != NOBODY:
            yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from addresses(each)
    elif isinstance(value, list):
        for each in value:
            yield from addresses(each)


async def write_lives(connection: AsyncConnection, views: Views, book: Book) -> None:
    """Bring the tables of accounts up to a book."""
    if not views.by_kind:
        return
    lives = list(book.lives())
    for kind, view in views.by_kind.items():
        await view.write(connection, [life for life in lives if life.kind == kind])


CLOSED_ORDER = {
    **dict.fromkeys(("deposit", "paid", "fees", "refunded", "surplus")),
    "close_reason": "reason",
}
"""What a closed order's row has of the event that closed it, by the event's names where they are others."""


async def closed_differences(
    connection: AsyncConnection, views: Views, tables: EventTables, up_to: int
) -> list[Difference]:
    """Where rows of closed orders aren't what the events say that closed them, up to a slot."""
    if "Order" not in views.by_kind:
        return []
    view, told = views.by_kind["Order"].table, tables.by_event["OrderClosed"].table
    pairs = {name: (view.c[name], told.c[other or name]) for name, other in CLOSED_ORDER.items()}
    same_place = sa.and_(
        view.c.address == told.c.order,
        view.c.closed_slot == told.c._slot,
        view.c.closed_position == told.c._position,
        view.c.closed_call == told.c._outer * (1 << CALL_BITS) + told.c._inner,
    )
    columns = [column.label(f"{name}_{n}") for name, pair in pairs.items() for n, column in enumerate(pair)]
    wrong = sa.or_(view.c.address.is_(None), *(ours.is_distinct_from(its) for ours, its in pairs.values()))
    query = sa.select(told.c.order, view.c.address, *columns).join(view, same_place, isouter=True)
    rows = await connection.execute(query.where(told.c._slot <= up_to, wrong).limit(MOST_DIFFERENCES))
    found: list[Difference] = []
    for row in rows.mappings():
        if row["address"] is None:
            found.append(Difference(row["order"], view.name, "", None, "an order that was closed"))
            continue
        found += [
            Difference(row["order"], view.name, name, row[f"{name}_0"], row[f"{name}_1"])
            for name in pairs
            if row[f"{name}_0"] != row[f"{name}_1"]
        ]
    return found


async def differences(
    connection: AsyncConnection, views: Views, on_chain: Mapping[str, Mapping[Pubkey, Fields]]
) -> list[Difference]:
    """Where the rows of accounts that are there aren't what the chain's accounts make, column by column."""
    found: list[Difference] = []
    for kind, view in views.by_kind.items():
        left = dict(on_chain.get(kind, {}))
        rows = await connection.stream(
            sa.select(view.table).where(view.table.c.closed_slot.is_(None)).order_by(view.table.c.address)
        )
        async for row in rows.mappings():
            fields = left.pop(Pubkey.from_string(row["address"]), None)
            if fields is None:
                found.append(Difference(row["address"], view.name, "", "a row", None))
                continue
            there = view.row(fields)
            found += [
                Difference(row["address"], view.name, name, jsonable(row[name]), jsonable(value))
                for name, value in there.items()
                if row[name] != value
            ]
            if len(found) >= MOST_DIFFERENCES:
                return found[:MOST_DIFFERENCES]
        found += [
            Difference(str(address), view.name, "", None, "an account") for address in sorted(left, key=bytes)
        ]
    return found[:MOST_DIFFERENCES]
