"""What it costs to make an hour's rows from accounts that were kept from events.

``python benches/hour_accounts.py`` prints the figures that docs/keeper.md states, and fails where the rows
differ from those of the accounts' bytes.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from benches.reward_block import inputs  # noqa: E402
from keeper.chain.embedded import EmbeddedChain  # noqa: E402
from keeper.clients import staking  # noqa: E402
from keeper.db import Database  # noqa: E402
from keeper.db.tables import HOUR_ACCOUNTS  # noqa: E402
from keeper.db.types import jsonable  # noqa: E402
from keeper.indexer import ProgramIndexer  # noqa: E402
from keeper.indexer.folds import FOLDS  # noqa: E402
from keeper.indexer.kept import Kept  # noqa: E402
from keeper.rewards.rows import field_rows  # noqa: E402

DEVICES = 100_000


async def main() -> None:
    """Measure and print, in processor time: other work on the machine doesn't count."""
    program = staking.PROGRAM
    with tempfile.TemporaryDirectory() as folder:
        made = inputs(DEVICES, Path(folder) / "accounts")
        path = Path(folder) / "keeper.db"
        database = Database(f"sqlite:///{path}")
        await database.upgrade()
        rows = [
            {
                "program": program.name,
                "address": str(address),
                "kind": "Device",
                "fields": jsonable(program.account("Device", data)),
            }
            for address, data in zip(made.addresses, made.accounts, strict=True)
        ]
        async with database.transaction() as connection:
            await connection.execute(sa.insert(HOUR_ACCOUNTS), rows)
        indexer = ProgramIndexer(EmbeddedChain(), database, program)
        await indexer.prepare()
        kept = Kept(database, indexer, FOLDS[program.name], "hour_slot")
        times = [time.process_time()]
        book = await kept.load(await indexer.watermark())
        times.append(time.process_time())
        found = field_rows(book.of_kind("Device"), made.seen, made.hired)
        times.append(time.process_time())
        expected = made.rows()
        times.append(time.process_time())
        await database.close()
        if (found != expected).any():
            raise SystemExit("the rows differ")
        loaded, made_rows, bulk = (b - a for a, b in pairwise(times))
        print(f"{DEVICES:,} devices: {path.stat().st_size / 1e6:.0f} MB in SQLite, {loaded:.1f} s to load,")
        print(f"{made_rows:.1f} s for the rows, {bulk:.1f} s from the accounts' bytes,")
        print(
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB at the peak, with the inputs"
        )


if __name__ == "__main__":
    asyncio.run(main())
