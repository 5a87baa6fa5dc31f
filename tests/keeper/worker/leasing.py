"""Devices with leases on an embedded chain, and what looks after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import structlog
from solders.keypair import Keypair

from keeper.chain import Chain, TransactionRecord
from keeper.chain.fees import FeePolicy
from keeper.clients import orders, staking
from keeper.pow.backend import NumpyBackend
from keeper.pow.profiles import read_profiles
from keeper.worker.client import Identity, Operator
from keeper.worker.lease_book import KeptLease, LeaseBook
from keeper.worker.leases import Leases
from keeper.worker.readiness import Readiness
from keeper.worker.state import Store
from keeper.worker.work import Device, Works
from tests.keeper.worker.operators import GENESIS, device_of
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key

SOL = 10**9
NAMES = ("one", "two")
NOBODY_LISTENS = "http://127.0.0.1:9"


def answering(url: str = NOBODY_LISTENS) -> Operator:
    """An operator that has said who it is."""
    found = Operator(url, httpx.AsyncClient())
    found.identity = Identity(key("operator 0").pubkey(), GENESIS, staking.PROGRAM.address, bytes(32))
    return found


def machine(worker: Keypair, processors: int = 4) -> Device:
    return Device(device_of(worker), read_profiles()[0], processors, worker)


class Exact(NumpyBackend):
    """Exact until told otherwise, which :func:`~keeper.pow.backend.self_test` finds out."""

    errs = False

    def product(self, a: Any, bt: Any) -> Any:
        found = super().product(a, bt)
        return found + 1 if self.errs else found


class Machines(Works):
    """Tests its processors where a test is about that: at a machine's load it takes seconds."""

    tests = False

    async def test(self, device: Device) -> None:
        if self.tests:
            await super().test(device)


class Site:
    """A folder, devices and a chain to see them on; called again with the same folder, after a restart."""

    def __init__(
        self, world: OrdersWorld, folder: Path, names: Sequence[str], chain: Chain | None = None
    ) -> None:
        self.world, self.names = world, names
        self.devices = [machine(key(name)) for name in names]
        self.operator = answering()
        self.backend = Exact()
        self.store = Store(folder)
        self.book = LeaseBook(self.store)
        self.works = Machines(self.backend, self.devices)
        self.readiness = Readiness([self.operator], self.works)
        self.leases = Leases(
            chain or world.chain,
            self.devices,
            self.book,
            self.readiness,
            FeePolicy(),
            structlog.get_logger(),
            clock=lambda: float(world.chain.now()),
        )

    async def look(self) -> None:
        """Look, and see acceptances through."""
        await self.leases.look()
        await self.leases.settle()

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Meanwhile no operator answers, so that nothing is accepted."""
        identity, self.operator.identity = self.operator.identity, None
        yield
        self.operator.identity = identity

    def newest(self, name: str) -> KeptLease:
        """A device's last lease as the folder has it."""
        return self.book.newest(device_of(key(name)), 1)[0]

    def close(self) -> None:
        self.store.close()


def ready(*names: str, **params: int) -> OrdersWorld:
    """A world with a renter and these devices of one supplier, whose workers have SOL."""
    world = OrdersWorld.ready(**params)
    world.renter("renter")
    supplier = world.supplier("supplier")
    for name in names:
        world.let(name, supplier)
        world.chain.airdrop(key(name).pubkey(), SOL // 100)
    return world


def acceptances(world: OrdersWorld) -> list[TransactionRecord]:
    """All transactions on chain in which a worker paid, refused ones among them."""
    return [
        each
        for each in world.chain.transactions()
        if orders.PROGRAM.address in each.programs and each.signers[0] != world.payer.pubkey()
    ]


def paid(record: TransactionRecord) -> bool:
    """Whether it accepted a lease."""
    return any(each.name == "LeaseAccepted" for each in orders.PROGRAM.events(record))


def events(logged: Sequence[Any]) -> list[str]:
    """The names of the worker's own events among what was logged."""
    return [each["event"] for each in logged if each["event"].startswith("worker.")]
