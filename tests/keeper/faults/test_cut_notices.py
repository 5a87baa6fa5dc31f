"""A node that hangs its websocket up again and again, under a keeper that follows it: nothing is lost."""

import asyncio
from pathlib import Path
from random import Random

from keeper.db import Database
from keeper.indexer.lookup import as_of
from tests.keeper.chain.websocket_node import WebsocketNode
from tests.keeper.faults.day import steps
from tests.keeper.faults.kept import PROGRAMS, Kept, undisturbed
from tests.keeper.indexer.busy import expected, indexed

HOURS = range(8)
PATIENCE = 600


async def test_notices_that_are_cut(tmp_path: Path) -> None:
    """``ionet keeper run`` connects again each time, and polls meanwhile."""
    day = await undisturbed(HOURS, tmp_path / "undisturbed")
    websocket = WebsocketNode([each.address for each in PROGRAMS])
    await websocket.start()
    url = f"sqlite:///{tmp_path}/cut.db"
    kept = await Kept.started(tmp_path / "cut", url, HOURS[-1], websocket=websocket.url, check_seconds=0.5)
    random, database = Random(7), Database(url)
    keeper = kept.start(["keeper", "run"])
    try:
        async with asyncio.timeout(PATIENCE):
            for (hour, before), after in zip(steps(HOURS), day.accounts, strict=True):
                await websocket.ready.wait()
                first = random.random() < 0.5
                if first:
                    await websocket.hang_up()
                kept.world.come_to(hour, before)
                await websocket.tell_logs()
                if not first:
                    await websocket.hang_up()
                while await kept.owned() != after:
                    if random.random() < 0.1:
                        await websocket.hang_up()
                    await asyncio.sleep(0.05)
                if hour != HOURS[-1]:
                    await kept.world.second_operator(kept.folder)
            for program in PROGRAMS:
                while await indexed(database, program) != expected(kept.world.chain, program):
                    await asyncio.sleep(0.05)
            # Views are made after the events are there.
            while await _folded(database) < kept.world.chain.newest_slot():
                await asyncio.sleep(0.05)
    finally:
        keeper.terminate()
        await asyncio.to_thread(keeper.join, PATIENCE)
        await database.close()
        await websocket.stop()
    assert keeper.exitcode == 0
    outcome = await kept.outcome()
    assert (outcome.accounts, outcome.files) == (day.outcome.accounts, day.outcome.files)
    assert set(outcome.intents.values()) == {"landed"}
    assert websocket.connections >= len(HOURS), "each hour begins with a connection of its own"
    # A match by hand, whose operator posted no tick.
    assert {line["event"] for line in kept.logged("error")} <= {"tick.different"}


async def _folded(database: Database) -> int:
    """The slot as of which all accounts and views are."""
    async with database.reading() as connection:
        found = await as_of(connection)
    return -1 if found is None else found.slot
