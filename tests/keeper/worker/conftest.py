"""A device with its state in a folder, and five operators over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import structlog
from solders.keypair import Keypair

from keeper.pow.backend import NumpyBackend
from keeper.pow.profiles import read_profiles
from keeper.worker.agent import Agent
from keeper.worker.client import Operator
from keeper.worker.sources import Operators
from keeper.worker.state import Store
from keeper.worker.work import Device, Works
from tests.keeper.worker.hiring import Field, close
from tests.keeper.worker.leasing import NAMES, Site, ready
from tests.keeper.worker.operators import GENESIS, PROGRAM, Service, device_of, serving
from tests.programs.orders.world import OrdersWorld

WORKER = Keypair.from_seed(sha256(b"worker").digest())
PROFILE = read_profiles()[0]


class Bench:
    """What a test of an agent needs; agents of one folder may come one after the other."""

    def __init__(self, folder: Path, services: Sequence[Service]) -> None:
        self.folder = folder
        self.services = services
        self.device = Device(device_of(WORKER), PROFILE, 1, WORKER)

    @asynccontextmanager
    async def agent(self, backend: Any = None, **given: Any) -> AsyncIterator[Agent]:
        """An agent that hears of nothing by itself; its state is closed in the end."""
        log = structlog.get_logger()
        async with httpx.AsyncClient() as http:
            operators = [Operator(each.url, http) for each in self.services]
            source = Operators(operators, GENESIS, bytes(PROGRAM), log)
            store = Store(self.folder)
            devices = given.pop("devices", [self.device])
            works = Works(backend or NumpyBackend(), devices)
            agent = Agent(devices, operators, [source], works, store, (GENESIS, PROGRAM), log, **given)
            try:
                yield agent
            finally:
                await source.close()
                store.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    services = [Service(f"operator {number}", [WORKER]) for number in range(5)]
    async with serving(services):
        yield Bench(tmp_path / "state", services)


@pytest.fixture
def logged() -> Any:
    """The events that are logged meanwhile."""
    with structlog.testing.capture_logs() as found:
        yield found


@pytest.fixture
def world() -> OrdersWorld:
    """A renter, and two devices that can be leased."""
    return ready(*NAMES)


@pytest.fixture
async def site(world: OrdersWorld, tmp_path: Path) -> AsyncIterator[Site]:
    """What looks after the two devices' leases."""
    found = Site(world, tmp_path / "state", NAMES)
    yield found
    found.close()


@pytest.fixture
async def field(tmp_path: Path) -> AsyncIterator[Field]:
    found = Field(tmp_path, ["one", "two"])
    await found.begin()
    yield found
    await close(found)


@pytest.fixture
async def free(tmp_path: Path) -> AsyncIterator[Field]:
    """The same; their supplier lets workers end leases."""
    found = Field(tmp_path, ["one", "two"], may_end=True)
    await found.begin()
    yield found
    await close(found)
