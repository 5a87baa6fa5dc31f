"""A node that is some seconds behind, beside a good one: no wrong action, and no error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from keeper.chain.rpc import RpcChain
from keeper.clients import tokenomics
from keeper.db import Database
from keeper.jobs import registry
from keeper.runtime.keeper import JobOutcome, Keeper
from tests.keeper.chain.rpc_node import RpcNode
from tests.keeper.chain.two_nodes import TwoNodes
from tests.keeper.runtime.keepers import new_keeper
from tests.programs.world import HOUR, START, World

JOBS = ("emission", "vesting", "burns")
SECONDS = 4
"""Ten slots."""
RUNS = 6


@pytest.fixture
async def node() -> AsyncIterator[RpcNode]:
    world = World.launched()
    node = RpcNode(world.chain)
    node.world = world  # type: ignore[attr-defined]
    await node.start()
    yield node
    await node.stop()


@pytest.fixture
async def keeper(node: RpcNode, database: Database) -> AsyncIterator[Keeper]:
    chain = RpcChain(node.url)
    world = node.world  # type: ignore[attr-defined]
    keeper = new_keeper(chain, world.payer, database, {name: registry.ALL[name] for name in JOBS})
    yield keeper
    await keeper.resign()
    await chain.close()


async def ran(keeper: Keeper, node: RpcNode) -> list[str]:
    """Some runs of all jobs, which all end well; returns what was logged but good news."""
    with capture_logs() as logs:
        for _ in range(RUNS):
            for name in JOBS:
                assert await keeper.run_job(name) is JobOutcome.OK, logs
    assert isinstance(node.mischief, TwoNodes)
    assert node.mischief.old > RUNS, "it was asked"
    return [each["event"] for each in logs if each["log_level"] != "info"]


def sent(world: World) -> list[str | None]:
    """How the keeper's transactions ended."""
    me = world.payer.pubkey()
    return [each.error for each in world.chain.transactions() if each.signers[0] == me]


async def test_an_hour_that_has_ended_only_on_one_of_them(
    node: RpcNode, keeper: Keeper, tmp_path: Path
) -> None:
    world: World = node.world  # type: ignore[attr-defined]
    world.chain.warp_to(START + HOUR - SECONDS)
    node.mischief = TwoNodes(world.chain, tmp_path)
    world.chain.warp_to(START + HOUR)
    before = len(sent(world))
    assert await ran(keeper, node) == []
    assert (world.config().emitted_hours, sent(world)[before:]) == (1, [None, None]), "and what has vested"


async def test_what_another_keeper_did_since(node: RpcNode, keeper: Keeper, tmp_path: Path) -> None:
    """The one behind still says that it is due, and would let it through."""
    world: World = node.world  # type: ignore[attr-defined]
    world.chain.warp_to(START + HOUR)
    await keeper.look()
    node.mischief = TwoNodes(world.chain, tmp_path)
    assert world.chain.execute([tokenomics.emit()], [world.person("another")]).error is None
    world.chain.advance(SECONDS)
    await keeper.look()
    before = len(sent(world))
    assert await ran(keeper, node) == []
    assert (world.config().emitted_hours, sent(world)[before:]) == (1, [None]), "what has vested, no more"
