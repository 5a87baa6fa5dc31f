"""The index that commands read earlier states of the chain from: a keeper's, or one for them alone."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from keeper.chain import ChainReader
from keeper.db import Database
from keeper.indexer.guard import require_chain
from keeper.settings import Settings


async def database(stack: AsyncExitStack, chosen: Settings, place: Path, chain: ChainReader) -> Database:
    """The keeper's database, or one made in the folder ``place``; open until the stack is.

    Raises DatabaseError for one that is about another chain than ``chain``.
    """
    found = Database(chosen.database)
    stack.push_async_callback(found.close)
    if not await found.exists():
        found = Database(f"sqlite:///{place}/index.db")
        stack.push_async_callback(found.close)
        await found.upgrade()
    else:
        await require_chain(found, chain, chosen.chain)
    return found
