"""A keeper process as operators start it, forked from one that has imported everything.

It tells which job is under way, counts what it does to its database and its files, and dies at one of
those steps when told so.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import sqlalchemy as sa

from keeper.chain import ChainUnreachable, asking
from keeper.chain.connect import connect
from keeper.cli import main as command
from keeper.db import Database, Leader
from keeper.jobs.names import ATTEST, BIDS, MATCHING, PROPOSALS, STEPS
from keeper.jobs.registry import ALL
from keeper.runtime import keeper as running
from keeper.runtime import operation, wiring
from keeper.runtime.operation import COMPARE, INDEX, REPLAYS, SWEEP
from tests.keeper.rewards.seen import seen_in

START = "start"
"""Before the first job: opening, migrating, asking whose chain it is."""
BURNS = "burns"
JOBS = (*(each for each in ALL if each != BURNS), ATTEST, PROPOSALS, MATCHING, STEPS, BIDS, BURNS)
"""In an order in which one pass does all there is to do: a bid burns."""
PASS = (START, SWEEP, *JOBS, INDEX, COMPARE, REPLAYS)
"""What a keeper does in a pass, in its order."""
AT, COUNTS = "at", "counts.json"
"""Files in its folder: the job under way, and how many steps each took."""
CHANGES = ("os.rename", "os.mkdir", "os.remove", "shutil.rmtree")
"""What Python tells of changes to files, by its audit events; SQLite's own are not among them."""


class Point(NamedTuple):
    """Where to die: at the n-th thing of a kind in a job, or as soon as a later job does one."""

    kind: str
    job: str
    number: int

    def reached(self, job: str, number: int) -> bool:
        """Whether that is now."""
        passed = PASS.index(job) - PASS.index(self.job)
        return passed > 0 or (passed == 0 and number >= self.number)


STEP = "step"
LEASE = 0.5
"""Seconds that the next keeper waits beside a killed one's row."""


async def warm() -> None:
    """Use once what loads its parts at its first use: databases of both kinds, migrations, the client."""
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/warm.db")
        await database.upgrade()
        async with database.reading():
            pass
        await database.close()
    await Database("postgresql:///nowhere").close()
    async with connect("http://127.0.0.1:9") as chain:
        with suppress(ChainUnreachable):
            await chain.genesis_hash()


asyncio.run(warm())


def main(
    folder: str,
    arguments: list[str],
    die: Point | None = None,
    clock: int | None = None,
    lease: float = LEASE,
    silence: float | None = None,
) -> None:
    """Run ``ionet`` in ``folder``; this machine's clock shows ``clock`` now when there is one.

    ``lease`` and ``silence`` are seconds: how long a silent leader, and a silent node, are waited for.
    """
    os.chdir(folder)
    for name in [each for each in os.environ if each.startswith("IONET_")]:
        del os.environ[name]
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 2)
    if clock is not None:
        ahead, real = clock - time.time(), time.time
        time.time = lambda: real() + ahead
    at, counts = [START], Counter[str]()
    run_once = running.run_once

    def tell(name: str) -> None:
        at[0] = name
        Path(AT).write_text(name)

    async def noted(job: Any, port: Any) -> Any:
        tell(port.job)
        return await run_once(job, port)

    def step(*_: object) -> None:
        counts[at[0]] += 1
        if die and die.reached(at[0], counts[at[0]]):
            os.kill(os.getpid(), signal.SIGKILL)

    def audited(event: str, _: object) -> None:
        if event in CHANGES:
            step()

    running.run_once = noted
    # What was seen of devices is given here: keepers are under test, and no proofs.
    wiring.WorkFolder = seen_in  # type: ignore[misc, assignment]
    operation.Leader = partial(Leader, lease=lease)  # type: ignore[misc, assignment]
    if silence is not None:
        asking.TIMEOUT.read = silence
    for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
        sa.event.listen(sa.Engine, event, step)
    sys.addaudithook(audited)
    sys.argv = ["ionet", *arguments]
    try:
        command.main()
    finally:
        Path(COUNTS).write_text(json.dumps(counts))
