"""The index that commands read earlier states of the chain from: a keeper's, or one for them alone."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from keeper.db import Database
from keeper.settings import Settings


async def database(stack: AsyncExitStack, chosen: Settings, place: Path) -> Database:
    """The keeper's database, or one made in the folder ``place``; open until the stack is."""
    found = Database(chosen.database)
    stack.push_async_callback(found.close)
    if not await found.exists():
        found = Database(f"sqlite:///{place}/index.db")
        stack.push_async_callback(found.close)
        await found.upgrade()
    return found
