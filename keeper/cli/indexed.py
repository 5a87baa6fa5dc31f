"""The index that commands read earlier states of the chain from: a keeper's, or one for them alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import Progress

from keeper.chain import ChainReader
from keeper.chain.connect import connect
from keeper.cli import options
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.economy.calendar import moment
from keeper.indexer import lookup
from keeper.indexer.folds import FOLDS
from keeper.indexer.guard import other_chain, require_chain
from keeper.indexer.ledger import Ledger
from keeper.indexer.program import ProgramIndexer
from keeper.settings import Settings
from keeper.terminal.tables import errors


async def database(stack: AsyncExitStack, chosen: Settings, place: Path, chain: ChainReader) -> Database:
    """The keeper's database, or one made in the folder ``place``; open until the stack is.

    Raises DatabaseError for one that is about another chain than ``chain``.
    """
    found = _opened(stack, chosen.database)
    if not await found.exists():
        return await _made(stack, place)
    await require_chain(found, chain, chosen.chain)
    return found


@asynccontextmanager
async def views(chain: str | None) -> AsyncIterator[tuple[Database, str]]:
    """A database with views of the chain, and how old they are, in words.

    The keeper's where it is of this chain and has any; otherwise all is indexed for this answer alone.
    """
    chosen = options.settings(chain)
    async with AsyncExitStack() as stack:
        connected = await stack.enter_async_context(connect(chosen.chain))
        found = _opened(stack, chosen.database)
        if await found.exists() and await other_chain(found, connected, chosen.chain) is None:
            async with found.reading() as connection:
                known = await lookup.as_of(connection)
            if known is not None:
                when = f"{moment(known.time)}, seen {known.age():,} s ago, by {found.name}"
                yield found, f"as of slot {known.slot:,}, {when}"
                return
        made = await _made(stack, Path(stack.enter_context(TemporaryDirectory(prefix="ionet-"))))
        await _index(connected, made)
        async with made.reading() as connection:
            known = await lookup.as_of(connection)
        assert known is not None
        yield made, f"as of slot {known.slot:,}, {moment(known.time)}, now"


def _opened(stack: AsyncExitStack, url: str) -> Database:
    found = Database(url)
    stack.push_async_callback(found.close)
    return found


async def _made(stack: AsyncExitStack, place: Path) -> Database:
    """A new one in a folder, with nothing in its tables."""
    found = _opened(stack, f"sqlite:///{place}/index.db")
    await found.upgrade()
    return found


async def _index(connected: ChainReader, database: Database) -> None:
    """Index all of a chain for one answer."""
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        steps = progress.add_task("indexing the chain", total=2 * len(PROGRAMS))
        for program in PROGRAMS.values():
            indexer = ProgramIndexer(connected, database, program)
            await indexer.prepare()
            await indexer.poll()
            progress.advance(steps)
            await Ledger(connected, database, indexer, FOLDS[program.name]).fold()
            progress.advance(steps)
