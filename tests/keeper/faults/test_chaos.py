"""Two keepers keep a day behind a node that misbehaves in every way, while they are killed and frozen.

Then the node is a good one, and they get until all is done: nothing is lost, double or stuck.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs

from keeper.chain.rpc import RpcChain
from keeper.db import Database
from tests.keeper.chain.mischief import EVERYTHING, Mischief
from tests.keeper.chain.websocket_node import WebsocketNode
from tests.keeper.faults.day import DayWorld, steps, write_settings
from tests.keeper.faults.rivals import DEFECTS, Rivals
from tests.keeper.faults.whole import PROGRAMS, clean_rows, done_once, rows, table

HOURS = (0, 1, 2, 4, 6, 10, 18, 24, 28, 30)
STEPS = int(os.environ.get("IONET_TEST_STEPS", "4"))
"""Things that are done to the keepers in each of the hours; more of them by this variable."""
SEED = int(os.environ.get("IONET_TEST_SEED", "7"))


async def goes_on(world: DayWorld) -> None:
    """The chain's clock doesn't stand still between the hours."""
    while True:
        await asyncio.sleep(0.5)
        world.chain.advance(1)


@pytest.mark.chaos
async def test_whatever_a_node_and_a_machine_do(new_database: Callable[[], str], tmp_path: Path) -> None:
    world, url, random = DayWorld.started(), new_database(), Random(SEED)
    node, websocket = world.node, WebsocketNode([each.address for each in PROGRAMS])
    await node.start()
    await websocket.start()
    folder = tmp_path / "keeper"
    world.observe(folder / "observations", HOURS[-1])
    settings = {"websocket": websocket.url, "check_seconds": 1, "http": "127.0.0.1:0"}
    write_settings(folder, world.keeper, node.url, url, **settings)
    node.mischief = websocket.mischief = mischief = Mischief(SEED, EVERYTHING)
    rivals = Rivals.copied(folder, url, mischief)
    rivals.start()
    going_on = asyncio.create_task(goes_on(world))
    try:
        for hour, before in steps(HOURS):
            world.come_to(hour, before)
            await websocket.tell_logs()
            for _ in range(STEPS):
                await rivals.next(random)
                await websocket.tell_logs()
            with capture_logs():
                await world.second_operator(folder)
        node.mischief = websocket.mischief = None
        mischief.over.set()
        await websocket.hang_up()
        # What left no trace on accounts and was hidden until now comes to light with the next comparison.
        await rivals.anew()
        await rivals.do_all()
        # What both operators have attested by now is final after the challenge window.
        world.chain.advance(world.staking_config().params.challenge_window + 1)
        await rivals.finish()
    finally:
        going_on.cancel()
        rivals.kill()
    chain, database = RpcChain(node.url), Database(url)
    with capture_logs():
        found, clean = await rows(database), await clean_rows(chain, tmp_path)
    for name, its in clean.items():
        assert found[name] == its, name
    counts = await done_once(database, world.chain.transactions(), world.keeper.pubkey())
    print(table(f"\nthe node, asked {mischief.asked:,} times", dict(sorted(mischief.done.items()))))
    print(table("the keepers were sent", dict(rivals.done)))
    print(table("the keepers", counts))
    print(table("their log", dict(rivals.told().most_common())))
    assert mischief.knobs.on <= set(mischief.done), "every knob did something"
    assert not DEFECTS & set(rivals.told())
    await database.close()
    await chain.close()
    await websocket.stop()
    await node.stop()
    await asyncio.sleep(0)
