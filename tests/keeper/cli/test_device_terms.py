"""``ionet device ask`` and ``change``: all terms are signed, and none unseen that only a node has told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.clients import staking
from keeper.economy.supply import IO
from tests.keeper.chain.rpc_node import RpcNode
from tests.keeper.cli.saved import CHAIN, FUTURE, Typed
from tests.programs.staking.world import StakingWorld
from tests.programs.world import key

DEVICE = staking.device_address(key("one").pubkey())
AS_SUPPLIER = ("--keypair", "supplier.json")


@pytest.fixture
def world(tmp_path: Path) -> StakingWorld:
    """A supplier with a device of tier 4 in CH, that isn't for lease."""
    world = StakingWorld.ready()
    world.chain.warp_to(FUTURE)
    world.device("one", world.earner("supplier", 2_000 * IO))
    (tmp_path / "supplier.json").write_text(json.dumps(list(bytes(key("supplier")))))
    world.chain.save(tmp_path / CHAIN)
    return world


@pytest.fixture
def node(world: StakingWorld) -> Iterator[RpcNode]:
    """A node in front of it, in a thread of its own: a command runs its own loop."""
    node, loop = RpcNode(world.chain), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(node.start(), loop).result()
    yield node
    asyncio.run_coroutine_threadsafe(node.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def lies(world: StakingWorld) -> None:
    """What the node answers from now on: tier 1, and that its own key may end leases."""
    world.do(
        staking.change_device(
            world.read_device("one"), tier=1, country="KP", ask_io=0, ask_usdc=0, worker_may_end=True
        ),
        signers=[key("supplier")],
    )


def test_what_was_typed_and_what_was_read_is_told(world: StakingWorld, by: Typed) -> None:
    said = by("supplier", "device", "ask", DEVICE, "--ask-io", "1.5", "--yes")
    assert "As typed: asks 1.50000000 IO." in said
    rest = "tier 4, country CH, asks 0.000000 USDC, its own key may not end leases."
    assert f"As read from the saved chain, and signed with the rest: {rest}" in said
    assert "these are the terms" in by("supplier", "device", "ask", DEVICE, "--ask-io", "1.5", ends=1)
    said = by("supplier", "device", "change", DEVICE, "--country", "DE", "--tier", 2, "--yes")
    assert "Another place or line counts for orders that are opened from now on" in said
    device = world.read_device("one")
    assert (device.tier, device.country, device.ask_io) == (2, "DE", 3 * IO // 2)


def test_no_term_that_only_a_node_has_told_is_signed_unseen(
    world: StakingWorld, node: RpcNode, ionet
) -> None:
    """With --yes nobody looks: the node's own word for the rest would be what is signed."""
    lies(world)
    before = len(world.chain.transactions())
    ask = ("device", "ask", DEVICE, *AS_SUPPLIER, "--chain", node.url, "--ask-io", "2")
    code, _, err = ionet(*ask, "--yes")
    assert code == 1
    options = "--tier 1 --country KP --ask-usdc 0.000000 --worker-ends"
    assert f"compare what 127.0.0.1 says, and type it: {options}" in " ".join(err.split())
    assert len(world.chain.transactions()) == before
    code, out, err = ionet(*ask, "--dry-run")
    assert code == 0, err
    assert "As read from 127.0.0.1, and signed with the rest: tier 1, country KP" in " ".join(out.split())
    typed = ("--tier", 4, "--country", "CH", "--ask-usdc", "1", "--worker-keeps")
    code, _, err = ionet(*ask, *typed, "--yes")
    assert code == 0, err
    device = world.read_device("one")
    terms = (device.tier, device.country, device.ask_io, device.ask_usdc, device.worker_may_end)
    assert terms == (4, "CH", 2 * IO, 1_000_000, False)
