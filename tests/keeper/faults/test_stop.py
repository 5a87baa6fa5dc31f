"""SIGTERM in the middle of a transaction: the keeper ends, and the next one settles what it left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from keeper.db import Database
from keeper.db.tables import ATTEMPTS
from keeper.runtime.wiring import STOP_SECONDS
from tests.keeper.faults.day import steps
from tests.keeper.faults.kept import Kept

HOURS = (0, 1)
PATIENCE = 60
"""Seconds, for what takes two: nothing is waited for that lands in its own time."""


async def test_a_node_that_never_confirms(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/stopped.db"
    kept = await Kept.started(tmp_path / "kept", url, HOURS[-1])
    for hour, before in steps(HOURS):
        kept.world.come_to(hour, before)
    node, loop = kept.world.node, asyncio.get_running_loop()
    node.faults.drop = True
    keeper = kept.start(["keeper", "run"])
    async with asyncio.timeout(PATIENCE):
        while "sendTransaction" not in [method for method, _ in node.calls]:
            await asyncio.sleep(0.01)
    began = loop.time()
    keeper.terminate()
    await asyncio.to_thread(keeper.join, PATIENCE)
    took = loop.time() - began
    assert keeper.exitcode == 0, kept.log()[-2_000:]
    assert took < 4 * STOP_SECONDS, "a slow machine's; without an end of its own it would never end"
    assert [line["event"] for line in kept.logged("info", "warning", "error")][-1] == "keeper.stopped"
    database = Database(url)
    async with database.reading() as connection:
        states = list((await connection.execute(sa.select(ATTEMPTS.c.state))).scalars())
    await database.close()
    assert states == ["live"], "one was under way, and no other was begun"
    assert kept.sent() == []
    node.faults.drop = False
    assert not await kept.once()
    assert kept.logged("error") == []
    await kept.outcome()


async def test_a_node_that_says_nothing_any_more(tmp_path: Path) -> None:
    """Whatever is asked of it is not waited for."""
    kept = await Kept.started(tmp_path / "kept", f"sqlite:///{tmp_path}/silent.db", HOURS[-1])
    silent, over, node = asyncio.Event(), asyncio.Event(), kept.world.node

    class Silent:
        async def answer(self, question: Any, ask: Callable[[], Awaitable[bytes]]) -> bytes:
            if len(node.calls) > 20:
                silent.set()
                await over.wait()
                raise ConnectionError
            return await ask()

    node.mischief = Silent()
    keeper = kept.start(["keeper", "run"])
    async with asyncio.timeout(PATIENCE):
        await silent.wait()
    keeper.terminate()
    await asyncio.to_thread(keeper.join, PATIENCE)
    assert keeper.exitcode == 0, kept.log()[-2_000:]
    assert kept.logged("info")[-1]["event"] == "keeper.stopped"
    over.set()
    await node.stop()
