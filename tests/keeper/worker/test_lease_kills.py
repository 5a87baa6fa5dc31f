"""A worker killed anywhere on the way to an acceptance, and started again: accepted once, paid for once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from keeper.economy.orders import LeaseStatus
from keeper.worker.lease_book import LeaseBook, Outcome
from keeper.worker.state import Store
from tests.keeper.chain.rpc_node import RpcNode, through
from tests.keeper.forks import forks
from tests.keeper.worker import lease_child
from tests.keeper.worker.child import STEPS
from tests.keeper.worker.leasing import acceptances, paid, ready
from tests.keeper.worker.operators import device_of
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key

TOGETHER = 4
MOST = 60
"""More than there are steps."""


class Workers:
    """Processes with a folder and a key each, whose devices wait to be accepted."""

    def __init__(self, world: OrdersWorld, folder: Path, url: str) -> None:
        self.world, self.folder, self.url = world, folder, url
        self._turns = asyncio.Semaphore(TOGETHER)

    async def run(self, name: str, die: int | None = None) -> int | None:
        """Run one's process to its end; gives its exit code, below 0 for a signal."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        arguments = (str(folder), self.url, hashlib.sha256(name.encode()).digest(), die)
        async with self._turns:
            process = forks().Process(target=lease_child.main, args=arguments)
            process.start()
            while process.exitcode is None:
                await asyncio.sleep(0.01)
        return process.exitcode

    def outcome(self, name: str) -> tuple[object, ...]:
        """How a device's lease stands, by the disk, and which transactions its key paid."""
        store = Store(self.folder / name / "state")
        book = LeaseBook(store)
        (kept,) = book.newest(device_of(key(name)), 5)
        live = {each.outcome for each in book.acceptances(kept.key)} - {Outcome.EXPIRED}
        store.close()
        mine = [each for each in acceptances(self.world) if each.signers[0] == key(name).pubkey()]
        return kept.status, kept.hindrance, live, [paid(each) for each in mine]


WANTED = (LeaseStatus.RUNNING, None, {Outcome.LANDED}, [True])


@pytest.mark.parametrize("lost", [False, True])
async def test_killed_at_every_step_of_an_acceptance(lost: bool, tmp_path: Path) -> None:
    """At statements of SQLite's, before questions to the node go, after answers that never arrive.

    Once with a node to which transactions get lost while their worker dies.
    """
    names = [f"worker {number}" for number in range(MOST)]
    world = ready(*names)
    order = world.order(key("renter"), devices=MOST)
    for name in names:
        world.match(order, name)
    node = RpcNode(world.chain)
    async with through(node):
        at = Workers(world, tmp_path, node.url)
        assert await at.run(names[0]) == 0
        steps = json.loads((tmp_path / names[0] / STEPS).read_text())
        assert at.outcome(names[0]) == WANTED
        assert steps.count("ask sendTransaction") == 1
        assert len(steps) < MOST

        node.faults.drop = lost
        ends = await asyncio.gather(*(at.run(names[die], die) for die in range(1, len(steps) + 1)))
        assert set(ends) == {-9}
        if lost:
            # What was signed can land no more.
            node.faults.drop, node._blocks_ahead = False, 400
        await asyncio.gather(*(at.run(names[die]) for die in range(1, len(steps) + 1)))
    wrong = {die: found for die in range(1, len(steps) + 1) if (found := at.outcome(names[die])) != WANTED}
    assert wrong == {}
