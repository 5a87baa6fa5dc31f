"""A node as the source: what its blocks start, the day's first block, and failures in between."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import structlog

from keeper.chain import ChainUnreachable, Commitment
from keeper.operator.running import network_of
from keeper.pow.clock import epoch_start
from keeper.pow.replay import read_hour
from keeper.worker import sources
from keeper.worker.client import EpochAt, Item, OpenAt, PingAt, WaveAt
from keeper.worker.sources import Node
from tests.keeper.operator.network import Net
from tests.programs.world import HOUR


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch) -> None:
    monkeypatch.setattr(sources, "PAUSES", (0.0,))


class Failing:
    """A chain that is away for five questions of forty."""

    def __init__(self, chain: Any) -> None:
        self._chain, self._asked = chain, 0

    def __getattr__(self, name: str) -> Any:
        self._asked += 1
        if name in ("head", "slot", "clock") and self._asked % 40 < 5:
            raise ChainUnreachable("the node is away")
        return getattr(self._chain, name)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_node_tells_an_hour_whole_and_each_thing_once(fails: bool, tmp_path: Path) -> None:
    chain = Net(tmp_path).world.chain
    network = await network_of(chain)
    node = Node(Failing(chain) if fails else chain, network, structlog.get_logger(), pause=0.0)
    found: list[Item] = []
    with structlog.testing.capture_logs() as logged:
        for _ in range(0, HOUR + 300, 20):
            chain.advance(20)
            for _ in range(4):
                found += (await node.look()).items
                await asyncio.sleep(0)
    await node.close()
    plan = await read_hour(chain, network, 1)
    assert plan is not None and plan.waves and plan.pings
    mine = [each for each in found if plan.waves[0].slot - 9_000 < each.slot]
    waves = [WaveAt(x.slot, x.blockhash, x.kind, x.spot, x.time) for x in plan.waves]
    assert [x for x in mine if isinstance(x, WaveAt)] == waves
    assert {x for x in mine if isinstance(x, PingAt)} >= {PingAt(x.slot, x.seed) for x in plan.pings}
    assert len(found) == len(set(found))
    for wave in plan.waves:
        head = await chain.head(wave.open_from, Commitment.FINALIZED)
        assert head is not None
        assert OpenAt(wave.slot, head.slot, head.blockhash) in found
    events = [each["event"] for each in logged]
    assert ("worker.node_failed" in events) is fails
    assert events.count("worker.node_failed") - events.count("worker.node_answers") in (0, 1)


async def test_a_node_tells_the_days_first_block(tmp_path: Path) -> None:
    chain = Net(tmp_path).world.chain
    chain.warp_to(chain.now() + 30 * HOUR)
    node = Node(chain, await network_of(chain), structlog.get_logger(), pause=0.0)
    found: list[Item] = []
    for _ in range(50):
        found += (await node.look()).items
        await asyncio.sleep(0)
    await node.close()
    (epoch,) = [each for each in found if isinstance(each, EpochAt)]
    assert epoch.day == epoch_start(chain.now())
    head = await chain.head(epoch.slot, Commitment.FINALIZED)
    before = await chain.head(epoch.slot - 32, Commitment.FINALIZED)
    assert head is not None and before is not None
    assert (head.blockhash, head.slot) == (epoch.blockhash, epoch.slot)
    assert before.time < epoch.day <= head.time
