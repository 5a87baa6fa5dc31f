"""The audit of a whole chain against an index of it: what is rebuilt and held to more, in how much time.

``python benches/audit.py`` reads the demo's chain, ``out/demo/network.chain``, which ``make demo`` leaves,
and by turns audits it and indexes it into a new SQLite file, folds the accounts and compares them. It renews
the table in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from idl_codec import table, write_section

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.audit import parts  # noqa: E402
from keeper.audit.sources import Source  # noqa: E402
from keeper.chain import ChainReader  # noqa: E402
from keeper.chain.embedded import EmbeddedChain  # noqa: E402
from keeper.clients.programs import PROGRAMS  # noqa: E402
from keeper.db import Database  # noqa: E402
from keeper.indexer.folds import FOLDS  # noqa: E402
from keeper.indexer.ledger import Ledger  # noqa: E402
from keeper.indexer.program import ProgramIndexer  # noqa: E402

SECTION = "audit.py"
CHAIN = REPOSITORY / "out/demo/network.chain"
ROUNDS = 3
BOUND = 30.0
"""Seconds that an audit of the demo's whole chain may take."""


async def audit(chain: ChainReader) -> dict[str, int]:
    """All that the parts ``chain`` and ``programs`` look at; fails where anything is wrong."""
    report = await parts.run(Source("the demo's", chain), ("chain", "programs"))
    assert not report.findings and not any(part.unchecked for part in report.parts)
    return dict(report.parts[0].checked)


async def index(chain: ChainReader) -> dict[str, int]:
    """All events into tables, the accounts that they make, and these compared with the chain's."""
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/index.db")
        await database.upgrade()
        for program in PROGRAMS.values():
            indexer = ProgramIndexer(chain, database, program)
            await indexer.prepare()
            await indexer.poll()
            compared = await Ledger(chain, database, indexer, FOLDS[program.name]).compare()
            assert not compared.differences
        await database.close()
    return {}


def seconds(work: Callable[[], Coroutine[None, None, dict[str, int]]]) -> tuple[float, dict[str, int]]:
    """Processor seconds that something takes, of all threads, and what it answers."""
    begun = time.process_time()
    found = asyncio.run(work())
    return time.process_time() - begun, found


def main() -> None:
    """Measure, print, and renew the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chain", nargs="?", type=Path, default=CHAIN, help="the demo's chain")
    path = parser.parse_args().chain
    if not path.exists():
        sys.exit(f"{path} isn't there: run make demo")
    rounds: list[tuple[float, float]] = []
    checked: dict[str, int] = {}
    for _ in range(ROUNDS):
        loaded, _ = seconds(partial(_loaded, path))
        chain = EmbeddedChain.load(path)
        audited, checked = seconds(partial(audit, chain))
        indexed, _ = seconds(partial(index, chain))
        rounds.append((loaded + audited, loaded + indexed))
    ours, theirs = (statistics.median(each) for each in zip(*rounds, strict=True))
    ratios = sorted(one / other for one, other in rounds)
    assert ours < BOUND
    head = ["", "transactions", "events", "tokens moved", "audit, s", "index, s", "as long", "rounds"]
    row = [
        "the demo's whole chain",
        f"{checked['transactions']:,}",
        f"{checked['events']:,}",
        f"{checked['movements of tokens']:,}",
        f"{ours:.1f}",
        f"{theirs:.1f}",
        f"**{statistics.median(ratios):.2f}**",
        f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
    ]
    note = (
        f"Median of {ROUNDS} rounds, by turns, processor time of one process with reading the file; "
        f"Python {platform.python_version()}."
    )
    section = f"{table(head, [row])}\n\n{note}\n"
    print(section)
    write_section(SECTION, section)


async def _loaded(path: Path) -> dict[str, int]:
    EmbeddedChain.load(path)
    return {}


if __name__ == "__main__":
    main()
