"""Worlds to index, on both kinds of chain."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from keeper.chain import Chain
from tests.keeper.chain.rpc_node import through
from tests.keeper.indexer.busy import BusyWorld, NodeWorld


@pytest.fixture
async def served() -> AsyncIterator[tuple[Chain, NodeWorld]]:
    """A world through a node."""
    world = NodeWorld.started()
    async with through(world.node) as chain:
        yield chain, world


@pytest.fixture(params=["embedded", "rpc"])
def busy(request: pytest.FixtureRequest) -> tuple[Chain, BusyWorld]:
    """A chain to index, and the world on it."""
    if request.param == "rpc":
        found: tuple[Chain, BusyWorld] = request.getfixturevalue("served")
        return found
    world = BusyWorld.started()
    return world.chain, world
