"""Typed views against accounts as JSON, at 200,000 devices, and what views add to indexing.

``python benches/views.py`` fills an SQLite file with devices, asks both tables the same questions in turns,
checks that the answers are equal, indexes the demo's stakers with and without views in turns, and renews the
tables in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from idl_codec import write_section
from indexer import PROGRAM, Stream, recorded
from inputs import SEED
from solders.pubkey import Pubkey

from keeper.chain import TransactionRecord
from keeper.db import Database
from keeper.db.bulk import Insertion
from keeper.db.tables import ACCOUNTS
from keeper.db.types import jsonable
from keeper.db.views import Life, Place, Views
from keeper.indexer import ProgramIndexer, views
from keeper.indexer.book import Book
from keeper.indexer.folds import FOLDS
from keeper.indexer.kept import Kept
from keeper.indexer.ledger import Ledger
from keeper.indexer.program import WITH_VIEWS

SECTION = "views.py"
CLASSES = 40
SUPPLIERS = 5_000
VIEW = Views(PROGRAM).by_kind["Device"]
FIELD = ACCOUNTS.c.fields
Asked = dict[str, tuple[list[float], list[float]]]
"""Seconds of JSON and of the view, by what was asked."""
PAGES = sa.text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")


def book(devices: int) -> Book:
    """So many devices of all classes and suppliers, alike on every run."""
    rng = random.Random(SEED)
    suppliers = [Pubkey(rng.randbytes(32)) for _ in range(SUPPLIERS)]
    found, empty = Book(PROGRAM), PROGRAM.zeroed("Device")
    for _ in range(devices):
        fields = {
            **empty,
            "worker": Pubkey(rng.randbytes(32)),
            "supplier": rng.choice(suppliers),
            "payout": rng.choice(suppliers),
            "own": rng.randrange(10**12),
            "sufficient_since": rng.randrange(2),
            "country": b"CH",
            "class": rng.randrange(CLASSES),
        }
        found.put("Device", Pubkey(rng.randbytes(32)), fields)
    return found


async def fill(database: Database, devices: Book) -> None:
    """Both tables with the same devices."""
    async with database.transaction() as connection:
        await Views(PROGRAM).prepare(connection)
        columns = {
            "program": [PROGRAM.name] * len(devices.of_kind("Device")),
            "address": [str(address) for _, address, _ in devices],
            "kind": [kind for kind, _, _ in devices],
            "fields": [jsonable(fields) for _, _, fields in devices],
        }
        await Insertion(ACCOUNTS).run(connection, columns)
        lives = [Life(kind, address, fields, Place(0, 0, 0)) for kind, address, fields in devices]
        await VIEW.write(connection, lives)


def questions(supplier: str) -> dict[str, tuple[sa.Select[Any], sa.Select[Any]]]:
    """By what is asked: of JSON, and of the view."""
    own = ACCOUNTS.c.program == PROGRAM.name, ACCOUNTS.c.kind == "Device"
    table, by_class = VIEW.table, FIELD["class"].as_integer()
    there = table.c.closed_slot.is_(None)
    return {
        "devices of each class": (
            sa.select(by_class, sa.func.count()).where(*own).group_by(by_class).order_by(by_class),
            sa.select(table.c["class"], sa.func.count())
            .where(there)
            .group_by(table.c["class"])
            .order_by(table.c["class"]),
        ),
        "the first 50 devices of a supplier": (
            sa.select(ACCOUNTS.c.address)
            .where(*own, FIELD["supplier"].as_string() == supplier)
            .order_by(ACCOUNTS.c.address)
            .limit(50),
            sa.select(table.c.address)
            .where(there, table.c.supplier == supplier)
            .order_by(table.c.address)
            .limit(50),
        ),
        "all that is staked by suppliers": (
            sa.select(sa.func.sum(FIELD["own"].as_integer())).where(*own),
            sa.select(sa.func.sum(table.c.own)).where(there),
        ),
    }


async def asked(database: Database, query: sa.Select[Any]) -> tuple[float, list[Any]]:
    """Seconds of a question, and its answer."""
    async with database.reading() as connection:
        start = time.perf_counter()
        rows = (await connection.execute(query)).all()
        return time.perf_counter() - start, [tuple(row) for row in rows]


async def compare(devices: int, repeats: int) -> tuple[Asked, float, int]:
    """Seconds of both for each question; seconds and bytes of a comparison of all rows."""
    filled = book(devices)
    supplier = str(next(iter(filled.of_kind("Device").values()))["supplier"])
    found: Asked = {}
    with tempfile.TemporaryDirectory() as name:
        database = Database(f"sqlite:///{name}/views.db")
        await database.upgrade()
        await fill(database, filled)
        for _ in range(repeats):
            for what, (of_json, of_view) in questions(supplier).items():
                (slow, one), (fast, other) = (
                    await asked(database, of_json),
                    await asked(database, of_view),
                )
                if [tuple(map(int_or_text, row)) for row in one] != [
                    tuple(map(int_or_text, row)) for row in other
                ]:
                    raise SystemExit(f"{what}: the two tables say different things")
                times = found.setdefault(what, ([], []))
                times[0].append(slow)
                times[1].append(fast)
        async with database.reading() as connection:
            before, start = _memory(), time.perf_counter()
            kinds = {"Device": filled.of_kind("Device")}
            if await views.differences(connection, Views(PROGRAM), kinds):
                raise SystemExit("the view isn't what the accounts are")
            seconds, more = time.perf_counter() - start, _memory() - before
        await database.close()
    return found, seconds, more


def int_or_text(value: Any) -> int | str:
    """A value of either table."""
    return value if isinstance(value, str) else int(value)


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def indexed(records: Sequence[TransactionRecord], *, with_views: bool) -> tuple[float, float, int, int]:
    """Processor seconds to index a chain, and to make its accounts; events, and bytes of the file."""
    stream: Any = Stream(records, len(records))  # The part of a chain that is asked.
    with tempfile.TemporaryDirectory() as name:
        database = Database(f"sqlite:///{name}/index.db")
        await database.upgrade()
        indexer = ProgramIndexer(stream, database, PROGRAM)
        await indexer.prepare()
        folds = FOLDS[PROGRAM.name]
        ledger = Ledger(stream, database, indexer, folds)
        kept = ledger if with_views else Kept(database, indexer, folds, WITH_VIEWS)
        gc.collect()
        start = time.process_time()
        done = await indexer.poll()
        middle = time.process_time()
        await kept.fold()
        end = time.process_time()
        async with database.transaction() as connection:
            size = await connection.scalar(PAGES)
        await database.close()
    return middle - start, end - middle, done.events, int(size or 0)


def report(
    devices: int,
    found: Asked,
    seconds: float,
    more: int,
    writing: dict[bool, list[tuple[float, float, int, int]]],
) -> str:
    """The section of docs/benchmarks.md."""
    rows = [
        [f"of {devices:,} devices", "JSON, ms", "typed, ms", "times as fast"],
        [":---", "---:", "---:", "---:"],
    ]
    for what, (slow, fast) in found.items():
        ratios = sorted(a / b for a, b in zip(slow, fast, strict=True))
        middle, least, most = statistics.median(ratios), ratios[0], ratios[-1]
        times = (f"{statistics.median(each) * 1e3:,.3g}" for each in (slow, fast))
        rows.append([what, *times, f"**{middle:,.3g}** ({least:,.3g} to {most:,.3g})"])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    both = [[sum(each[:2]) / each[2] * 1e6 for each in writing[with_views]] for with_views in (False, True)]
    added = sorted(b / a for a, b in zip(*both, strict=True))
    events = writing[True][0][2]
    sizes = [writing[with_views][0][3] / events for with_views in (False, True)]
    packages = ", ".join(f"{name} {version(name)}" for name in ("sqlalchemy", "aiosqlite"))
    return (
        f"{table}\n\nTo index {events:,} events of the demo's stakers and make their accounts takes "
        f"{statistics.median(both[0]):.0f} us of processor time each without views and "
        f"{statistics.median(both[1]):.0f} with them: **{statistics.median(added):.3g}** times as long "
        f"({added[0]:.3g} to {added[-1]:.3g}); the file has {sizes[0]:,.0f} and {sizes[1]:,.0f} bytes an "
        "event. "
        f"Comparing all rows of the {devices:,} devices with their accounts took {seconds:.1f} s and "
        f"{more / 2**20:.0f} MiB. {os.cpu_count()} cores, Python {platform.python_version()}; {packages}.\n"
    )


def main() -> None:
    """Measure and renew the section between the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5, help="rounds of both")
    options = parser.parse_args()
    records = asyncio.run(recorded())
    writing: dict[bool, list[tuple[float, float, int, int]]] = {False: [], True: []}
    for _ in range(options.repeats):
        for with_views, found in writing.items():
            found.append(asyncio.run(indexed(records, with_views=with_views)))
    section = report(options.devices, *asyncio.run(compare(options.devices, options.repeats)), writing)
    print(section)
    write_section(SECTION, section)


if __name__ == "__main__":
    sys.exit(main())
