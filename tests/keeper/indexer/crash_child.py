"""An indexing process that kills itself before one of its statements, or its commit.

Given the file of a chain, the URL of a database, and the number of the step (0 for never).
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from keeper.chain.embedded import EmbeddedChain
from keeper.db import Database
from keeper.indexer import ProgramIndexer
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from tests.keeper.indexer.busy import PROGRAMS

BATCH, PAGE = 5, 4


class SmallPages(EmbeddedChain):
    """A chain whose lists have few rows a page, so that there is much to interrupt."""

    async def signatures(self, *arguments: Any, **options: Any) -> Any:
        return await super().signatures(*arguments, **{**options, "limit": PAGE})


def mortal(database: Database, kill_at: int) -> list[int]:
    """Count steps, and die at one."""
    steps = [0]

    def step(*_: object) -> None:
        steps[0] += 1
        if steps[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", step)
    sa.event.listen(engine, "after_cursor_execute", step)
    sa.event.listen(engine, "commit", step)
    return steps


async def index(chain: EmbeddedChain, url: str, kill_at: int) -> int:
    """Index everything, and make the accounts; gives the steps that it took."""
    database = Database(url)
    steps = mortal(database, kill_at)
    for program in PROGRAMS:
        indexer = ProgramIndexer(chain, database, program, batch=BATCH)
        await indexer.prepare()
        await indexer.poll()
        await Ledger(chain, database, indexer, FOLDS[program.name]).fold()
    await database.close()
    return steps[0]


def main(path: str, url: str, kill_at: int) -> None:
    """Load the chain, and index it."""
    chain = EmbeddedChain.load(Path(path))
    chain.__class__ = SmallPages
    print(asyncio.run(index(chain, url, kill_at)), flush=True)
