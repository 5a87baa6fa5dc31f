"""The API's lists at 200,000 devices, orders and leases: what a page takes, wherever it begins.

``python benches/api.py`` fills an SQLite file, asks the API in this process for pages from random places in
turns with the same rows by ``LIMIT`` and ``OFFSET``, straight from the database, and renews the table in
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import httpx2
import sqlalchemy as sa
from idl_codec import write_section
from inputs import SEED
from solders.pubkey import Pubkey

from keeper.api.paging import encode
from keeper.api.queries import views
from keeper.api.service import PREFIX, application
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.db.bulk import Insertion
from keeper.db.tables import WATERMARKS
from keeper.db.views import AccountView, Views
from keeper.db.visitors import Visitors

SECTION = "api.py"
PAGE = 50
CLASSES, SUPPLIERS, RENTERS = 40, 5_000, 500
COUNTRIES = ("AT", "CH", "DE", "FR", "JP", "US")
RARE = 1_000
"""One of so many devices is short of stake, one of so many orders was cancelled."""
P95 = 20
"""Of so many parts of the times, the last but one ends at the 95th in a hundred."""


class Question(NamedTuple):
    """A list: its path and parameters, and the same in SQL."""

    path: str
    parameters: Mapping[str, str]
    view: AccountView
    falling: bool
    where: Sequence[sa.ColumnElement[bool]]


def rows_of(view: AccountView, program: str, kind: str, count: int, own: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of so many accounts: zeros, but for ``own`` columns."""
    zeros = view.row(PROGRAMS[program].zeroed(kind))
    columns = {column.name: [zeros.get(column.name)] * count for column in view.table.columns}
    return {**columns, **dict.fromkeys(("opened_position", "opened_call"), [0] * count), **own}


async def fill(database: Database, count: int) -> dict[str, str]:
    """So many of each kind, alike on every run; returns a supplier, a renter and a device."""
    rng = random.Random(SEED)

    def names(most: int) -> list[str]:
        return [str(Pubkey(rng.randbytes(32))) for _ in range(most)]

    suppliers, renters, devices, orders = names(SUPPLIERS), names(RENTERS), names(count), names(count)
    slots = [number // 3 for number in range(count)]
    closed = [None if number > count - RARE else number for number in range(count)]
    rare = [number % RARE == 0 for number in range(count)]
    own = {
        views.DEVICES: {
            "address": devices,
            "worker": names(count),
            "class": rng.choices(range(CLASSES), k=count),
            "country": rng.choices(COUNTRIES, k=count),
            "state": ["short" if each else "ready" for each in rare],
            **{name: rng.choices(suppliers, k=count) for name in ("supplier", "payout")},
            "own": [rng.randrange(10**12) for _ in range(count)],
            "offer": [10**9 if each else 0 for each in rare],
        },
        views.ORDERS: {
            "address": orders,
            "renter": rng.choices(renters, k=count),
            "state": ["cancelled" if each else "open" for each in rare],
            "currency": rng.choices((0, 1), k=count),
            "closed_slot": closed,
        },
        views.LEASES: {
            "address": names(count),
            "order": orders,
            "device": devices,
            "supplier": rng.choices(suppliers, k=count),
            "state": ["ended"] * count,
            "closed_slot": closed,
        },
    }
    programs = {views.DEVICES: "staking", views.ORDERS: "orders", views.LEASES: "orders"}
    async with database.transaction() as connection:
        for name in dict.fromkeys(programs.values()):
            await Views(PROGRAMS[name]).prepare(connection)
        for view, program in programs.items():
            columns = rows_of(view, program, view.kind, count, {"opened_slot": slots, **own[view]})
            await Insertion(view.table).run(connection, columns)
        marks = [
            {column.name: 0 for column in WATERMARKS.columns if not column.nullable}
            | {"program": name, "folded_slot": count, "final_slot": count, "updated_at": 1}
            for name in PROGRAMS
        ]
        await connection.execute(sa.insert(WATERMARKS), marks)
    return {"supplier": suppliers[0], "renter": renters[0], "device": devices[count // 2]}


def questions(some: Mapping[str, str]) -> dict[str, Question]:
    """What is asked, by its words."""
    d, o, e = views.DEVICES.table.c, views.ORDERS.table.c, views.LEASES.table.c
    there = d.closed_slot.is_(None)

    def devices(parameters: dict[str, str], *where: sa.ColumnElement[bool]) -> Question:
        return Question("/devices", parameters, views.DEVICES, False, (there, *where))

    def orders(parameters: dict[str, str], *where: sa.ColumnElement[bool]) -> Question:
        return Question("/orders", parameters, views.ORDERS, True, where)

    def leases(parameters: dict[str, str], *where: sa.ColumnElement[bool]) -> Question:
        return Question("/leases", parameters, views.LEASES, True, where)

    supplier, renter, device = some["supplier"], some["renter"], some["device"]
    return {
        "devices": devices({}),
        "devices of a class": devices({"class": "7"}, d["class"] == 7),
        "devices short of stake": devices({"state": "short"}, d.state == "short"),
        "devices of a class in a country": devices(
            {"class": "7", "country": "JP"}, d["class"] == 7, d.country == "JP"
        ),
        "devices with an offer": devices({"has_offer": "true"}, d.offer > 0),
        "devices of a supplier": devices({"supplier": supplier}, d.supplier == supplier),
        "orders": orders({}),
        "orders of a renter": orders({"renter": renter}, o.renter == renter),
        "orders in USDC": orders({"currency": "usdc"}, o.currency == 1),
        "orders that were cancelled": orders({"state": "cancelled"}, o.state == "cancelled"),
        "orders that are there": orders({"closed": "false"}, o.closed_slot.is_(None)),
        "leases": leases({}),
        "leases of a device": leases({"device": device}, e.device == device),
        "leases of a supplier that are there": leases(
            {"supplier": supplier, "closed": "false"}, e.supplier == supplier, e.closed_slot.is_(None)
        ),
    }


async def places(database: Database, question: Question, count: int) -> list[tuple[int, str | None]]:
    """So many places in a list, alike on every run: how many rows are before it, and its cursor."""
    rng, table = random.Random(SEED), question.view.table
    columns = [table.c[name].desc() if question.falling else table.c[name] for name in question.view.order]
    keys = (
        sa.select(*(table.c[name] for name in question.view.order)).where(*question.where).order_by(*columns)
    )
    async with database.reading() as connection:
        all_keys = (await connection.execute(keys)).all()
    at = [rng.randrange(max(1, len(all_keys) - PAGE)) for _ in range(count)]
    return [(number, encode(tuple(all_keys[number - 1])) if number else None) for number in at]


async def measured(count: int, pages: int) -> dict[str, tuple[list[float], list[float]]]:
    """Processor seconds of each page, of the API and of OFFSET, by what was asked.

    All threads' and nothing else runs here, so that it is what a page takes where a processor is free.
    """
    found: dict[str, tuple[list[float], list[float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/api.db"
        database = Database(url)
        await database.upgrade()
        asked = questions(await fill(database, count))
        app = application(Visitors(url, seconds=60))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://api") as http:
            for words, question in asked.items():
                await http.get(PREFIX + question.path)  # What is made once, such as statements, is made.
                times = found.setdefault(words, ([], []))
                for number, after in await places(database, question, pages):
                    parameters = {**question.parameters, **({"after": after} if after else {})}
                    start = time.process_time()
                    answer = await http.get(PREFIX + question.path, params=parameters)
                    middle = time.process_time()
                    other = await by_offset(database, question, number)
                    times[0].append(middle - start)
                    times[1].append(time.process_time() - middle)
                    if [row["address"] for row in answer.json()["data"]] != other:
                        raise SystemExit(f"{words}: the two pages aren't the same")
        await app.state.index.database.close()
        await database.close()
    return found


async def by_offset(database: Database, question: Question, number: int) -> list[str]:
    """The addresses of the same page, by counting the rows before it."""
    table = question.view.table
    columns = [table.c[name].desc() if question.falling else table.c[name] for name in question.view.order]
    query = sa.select(table).where(*question.where).order_by(*columns).limit(PAGE).offset(number)
    async with database.reading() as connection:
        return [row["address"] for row in (await connection.execute(query)).mappings().all()]


def report(count: int, pages: int, found: Mapping[str, tuple[list[float], list[float]]]) -> str:
    """The section of docs/benchmarks.md."""
    rows = [
        ["pages of 50", "the API, p95 ms", "by OFFSET, p95 ms", "times as fast"],
        [":---", "---:", "---:", "---:"],
    ]
    for words, (own, other) in found.items():
        mine, theirs = (statistics.quantiles(each, n=P95)[-1] * 1e3 for each in (own, other))
        rows.append([words, f"{mine:,.3g}", f"{theirs:,.3g}", f"**{theirs / mine:,.2g}**"])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    packages = ", ".join(f"{name} {version(name)}" for name in ("fastapi", "sqlalchemy", "aiosqlite"))
    return (
        f"{table}\n\n{count:,} of each, {pages} pages from random places for each row: whole answers as JSON "
        "against rows straight from the database, in turns in one process, processor time. "
        f"{os.cpu_count()} cores, Python {platform.python_version()}; {packages}.\n"
    )


def main() -> None:
    """Measure and renew the section between the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000, help="devices, orders and leases each")
    parser.add_argument("--pages", type=int, default=40, help="of each list")
    options = parser.parse_args()
    found = asyncio.run(measured(options.count, options.pages))
    section = report(options.count, options.pages, found)
    print(section)
    write_section(SECTION, section)


if __name__ == "__main__":
    main()
