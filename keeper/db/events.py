"""A table for each event of each program, made from the IDLs.

Every row starts with where its event was sent: slot, the transaction's position in its block, the
instruction, the call's position under it. The four are the order of everything, and the primary key.
Tables follow from the chain: one whose event has changed its layout in the IDL since it was made is
dropped with ``ionet db rebuild`` and filled again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.chain import Event, Program
from keeper.db.bulk import Columns, Insertion
from keeper.db.database import DatabaseError
from keeper.db.tables import (
    ACCOUNTS,
    BACKLOG,
    COMPARISONS,
    EVENT_LAYOUTS,
    HALTS,
    HOUR_ACCOUNTS,
    SIGNATURES,
    WATERMARKS,
)
from keeper.db.types import column_type, encoder, fields_decoder

ORDER = ("_slot", "_position", "_outer", "_inner")
"""The columns of the order; underscored, as no event's field is."""


class EventPlace(NamedTuple):
    """Where an event was sent, and when: (slot, position, outer, inner) is the order of everything."""

    slot: int
    position: int
    outer: int
    inner: int
    time: int


class EventTable:
    """The table of one event."""

    def __init__(self, program: Program, event: str, fields: Sequence[Mapping[str, Any]]) -> None:
        """Make the table's description; nothing is created yet."""
        self.event = event
        self.name = f"{program.name}_{_snake(event)}"
        self.layout = json.dumps(program.expanded(fields), sort_keys=True)
        self.table = sa.Table(
            self.name,
            sa.MetaData(),
            *(sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False) for name in ORDER),
            sa.Column("_time", sa.BigInteger, nullable=False),
            *(sa.Column(field["name"], column_type(field["type"]), nullable=False) for field in fields),
            # Rows come in the order of the key: without SQLite's own row id they are stored just so.
            sqlite_with_rowid=False,
        )
        self.insertion = Insertion(self.table)
        self._encoders = [(field["name"], encoder(field["type"])) for field in fields]
        self._decode = fields_decoder(fields, program.definitions)

    def columns(self, places: Sequence[EventPlace], fields: Sequence[Mapping[str, Any]]) -> Columns:
        """Events as rows, by columns."""
        found: dict[str, Sequence[Any]] = dict(zip((*ORDER, "_time"), zip(*places, strict=True), strict=True))
        for name, encode in self._encoders:
            values = [each[name] for each in fields]
            found[name] = list(map(encode, values)) if encode else values
        return found

    def read(self, row: sa.RowMapping) -> tuple[EventPlace, Event]:
        """A row as the event that it was."""
        values = dict(row)
        place = EventPlace(*(values[name] for name in (*ORDER, "_time")))
        return place, Event(self.event, self._decode(values))


class EventTables:
    """The tables of one program's events."""

    def __init__(self, program: Program) -> None:
        """Describe them as the program's IDL has them."""
        self.program = program
        self.by_event = {
            event: EventTable(program, event, fields) for event, fields in program.event_fields.items()
        }
        # Which of them have rows: most slots have events of few names, and each table costs a query.
        above, up_to = sa.bindparam("above", type_=sa.BigInteger), sa.bindparam("up_to", type_=sa.BigInteger)
        self._there = sa.union_all(
            *(
                sa.select(sa.literal(event)).where(
                    sa.exists().where(each.table.c._slot > above, each.table.c._slot <= up_to)
                )
                for event, each in self.by_event.items()
            )
        )

    async def create(self, connection: AsyncConnection) -> None:
        """Create those that are missing; raises DatabaseError for one with another layout."""
        found = await connection.execute(sa.select(EVENT_LAYOUTS).filter_by(program=self.program.name))
        made = {row.table_name: row.layout for row in found}
        for each in self.by_event.values():
            if each.name not in made:
                await connection.run_sync(each.table.create)
                await connection.execute(
                    sa.insert(EVENT_LAYOUTS).values(
                        table_name=each.name, program=self.program.name, layout=each.layout
                    )
                )
            elif made[each.name] != each.layout:
                raise DatabaseError(
                    f"{self.program.name}'s event {each.event} has changed its layout since its table was "
                    f"made: run ionet db rebuild {self.program.name}, which reads its history again"
                )

    async def drop(self, connection: AsyncConnection) -> None:
        """Forget everything that is known of the program, so that it is read from the chain again."""
        name = self.program.name
        found = await connection.execute(sa.select(EVENT_LAYOUTS.c.table_name).filter_by(program=name))
        for table in found.scalars():
            await connection.execute(sa.schema.DropTable(sa.Table(table, sa.MetaData()), if_exists=True))
        accounts = (ACCOUNTS, HOUR_ACCOUNTS, COMPARISONS, HALTS)
        for each in (EVENT_LAYOUTS, WATERMARKS, BACKLOG, SIGNATURES, *accounts):
            await connection.execute(sa.delete(each).filter_by(program=name))

    async def write(self, connection: AsyncConnection, events: Iterable[tuple[EventPlace, Event]]) -> None:
        """Insert events."""
        found: dict[str, tuple[list[EventPlace], list[Mapping[str, Any]]]] = {}
        for place, (name, fields) in events:
            places, values = found.setdefault(name, ([], []))
            places.append(place)
            values.append(fields)
        for name, (places, values) in found.items():
            table = self.by_event[name]
            await table.insertion.run(connection, table.columns(places, values))

    async def delete(self, connection: AsyncConnection, slot: int, position: int) -> None:
        """Remove the events of one transaction."""
        for each in self.by_event.values():
            await connection.execute(sa.delete(each.table).filter_by(_slot=slot, _position=position))

    async def read(
        self, connection: AsyncConnection, above: int, up_to: int, names: Iterable[str] | None = None
    ) -> list[tuple[EventPlace, Event]]:
        """Events of the slots above ``above`` and up to ``up_to``, in their order: all, or of some names."""
        found: list[tuple[EventPlace, Event]] = []
        there = set(await connection.scalars(self._there, {"above": above, "up_to": up_to}))
        for name in there if names is None else there.intersection(names):
            each = self.by_event[name]
            slot = each.table.c._slot
            rows = await connection.execute(sa.select(each.table).where(slot > above, slot <= up_to))
            found.extend(each.read(row) for row in rows.mappings())
        return sorted(found, key=lambda row: row[0])


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
