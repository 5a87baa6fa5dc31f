"""Tables of events: made from every IDL, any value in and the same out, on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.chain import Event, Program
from keeper.db import Database, DatabaseError
from keeper.db.events import EventPlace, EventTables
from keeper.db.tables import EVENT_LAYOUTS
from tests.keeper.chain.idl_values import IDLS, named

PLACE = EventPlace(5, 0, 1, 2, 1_700_000_000)


def made_up(events: Mapping[str, Any], **definitions: Any) -> Program:
    """A program with these events: name -> {field: type}."""
    types = {
        **{name: [{"name": f, "type": t} for f, t in body.items()] for name, body in events.items()},
        **definitions,
    }
    return Program(
        {
            "address": str(Pubkey(b"\x09" * 32)),
            "metadata": {"name": "made_up"},
            "instructions": [],
            "events": [{"name": name, "discriminator": [i] * 8} for i, name in enumerate(events)],
            "types": [
                {"name": name, "type": {"kind": "struct", "fields": body}} for name, body in types.items()
            ],
        }
    )


PAIR = [{"name": "who", "type": "pubkey"}, {"name": "amounts", "type": {"array": ["u64", 2]}}]
EVERY_TYPE = {
    **{kind: kind for kind in ("bool", "u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "u128")},
    **{kind: kind for kind in ("pubkey", "bytes", "string")},
    "from": {"array": ["u8", 4]},
    "to": {"vec": "u8"},
    "list": {"vec": "pubkey"},
    "maybe": {"option": "pubkey"},
    "pairs": {"vec": {"defined": {"name": "Pair"}}},
}
EVERYTHING = made_up({"Every": EVERY_TYPE}, Pair=PAIR)
PROGRAMS = {"everything": EVERYTHING, **{name: Program.load(name) for name in IDLS}}


@cache
def drawn(name: str) -> list[tuple[EventPlace, Event]]:
    """Some of each event of a program, in turns, a slot for each."""
    program = PROGRAMS[name]
    found: list[Event] = []

    def draw(event: str) -> None:
        @settings(max_examples=3, derandomize=True, database=None, deadline=None)
        @given(st.lists(named(event, program.definitions), min_size=3, max_size=3))
        def some(values: list[Any]) -> None:
            # PostgreSQL's text can't hold a zero character; no event of ours has text.
            found.extend(Event(event, each) for each in values if "\0" not in each.get("string", ""))

        some()

    for event in program.event_fields:
        draw(event)
    return [(PLACE._replace(slot=slot), event) for slot, event in enumerate(found)]


@pytest.mark.parametrize("name", PROGRAMS)
async def test_what_is_written_is_read(database: Database, name: str) -> None:
    tables, events = EventTables(PROGRAMS[name]), drawn(name)
    assert {event.name for _, event in events} == set(PROGRAMS[name].event_fields)
    async with database.transaction() as connection:
        await tables.create(connection)
        await tables.write(connection, events[::-1])
    async with database.reading() as connection:
        assert await tables.read(connection, -1, len(events)) == events
        assert await tables.read(connection, 3, 5) == events[4:6]


@settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 2**63 - 1, 2**63, 10**19, 2**64 - 1])))
async def test_amounts_are_exact_and_in_order(database: Database, amounts: list[int]) -> None:
    tables = EventTables(made_up({"Paid": {"amount": "u64"}}))
    table = tables.by_event["Paid"].table
    async with database.transaction() as connection:
        await tables.create(connection)
        await connection.execute(sa.delete(table))
        places = [PLACE._replace(slot=i) for i in range(len(amounts))]
        await tables.write(
            connection, [(p, Event("Paid", {"amount": a})) for p, a in zip(places, amounts, strict=True)]
        )
        rows = await connection.execute(sa.select(table.c.amount).order_by(table.c.amount))
        assert list(rows.scalars()) == sorted(amounts)
        query = sa.select(sa.func.count()).where(table.c.amount >= 2**63)
        assert (await connection.execute(query)).scalar() == sum(each >= 2**63 for each in amounts)


async def test_events_come_in_their_order_whichever_table_they_are_in(database: Database) -> None:
    tables = EventTables(made_up({"A": {"n": "u8"}, "B": {"n": "u8"}}))
    places = [
        EventPlace(*order, 0)
        for order in ((1, 0, 0, 0), (1, 0, 0, 2), (1, 0, 1, 0), (1, 3, 0, 0), (2, 0, 0, 0))
    ]
    events = [(place, Event("AB"[i % 2], {"n": i})) for i, place in enumerate(places)]
    async with database.transaction() as connection:
        await tables.create(connection)
        await tables.write(connection, events[::-1])
    async with database.reading() as connection:
        assert await tables.read(connection, 0, 2) == events
    async with database.transaction() as connection:
        await tables.delete(connection, 1, 0)
        assert await tables.read(connection, 0, 2) == events[3:]


async def test_a_place_is_taken_once(database: Database) -> None:
    tables = EventTables(made_up({"A": {"n": "u8"}}))
    async with database.transaction() as connection:
        await tables.create(connection)
        await tables.write(connection, [(PLACE, Event("A", {"n": 1}))])
    with pytest.raises(sa.exc.IntegrityError):
        async with database.transaction() as connection:
            await tables.write(connection, [(PLACE, Event("A", {"n": 2}))])


async def test_another_layout_is_refused_until_it_is_rebuilt(database: Database) -> None:
    before = EventTables(made_up({"A": {"n": "u8"}, "Pair": {"who": "pubkey"}}))
    async with database.transaction() as connection:
        await before.create(connection)
        await before.create(connection)
    after = EventTables(made_up({"A": {"n": "u16"}, "New": {"n": "u8"}}))
    with pytest.raises(DatabaseError, match=r"event A has changed its layout.*ionet db rebuild made_up"):
        async with database.transaction() as connection:
            await after.create(connection)
    async with database.transaction() as connection:
        await after.drop(connection)
        await after.create(connection)
        rows = await connection.execute(sa.select(EVENT_LAYOUTS.c.table_name))
        assert set(rows.scalars()) == {"made_up_a", "made_up_new"}


def test_a_layout_is_also_that_of_the_types_it_names() -> None:
    """A field added inside a struct changes the event that has the struct."""
    kind = {"pair": {"defined": {"name": "Pair"}}}
    one = EventTables(made_up({"A": kind}, Pair=PAIR)).by_event["A"]
    other = EventTables(made_up({"A": kind}, Pair=PAIR[:1])).by_event["A"]
    assert one.layout != other.layout


def test_no_field_is_called_as_a_column_of_the_order() -> None:
    names = {f["name"] for program in PROGRAMS.values() for fs in program.event_fields.values() for f in fs}
    assert not any(name.startswith("_") for name in names)
