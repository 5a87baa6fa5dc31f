"""Two keepers behind a node that misbehaves in every way, killed and frozen, for some hours of a network.

The node is the validator, with a proxy before it, and is restarted at each jump of the clock; or the tests'
own on the embedded chain. Afterwards nothing is lost, double or stuck.

This comes before the modules that share a validator: its own is gone when theirs starts.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from structlog.testing import capture_logs

from keeper import deploy
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.rpc import RpcChain, websocket_url
from keeper.db import Database
from keeper.economy.calendar import HOUR, month_start
from keeper.economy.supply import IO
from tests.e2e.conftest import started
from tests.e2e.live import LiveChain
from tests.e2e.network import Network
from tests.keeper.chain.http_node import HttpNode, HttpProxy
from tests.keeper.chain.mischief import EVERYTHING, Mischief
from tests.keeper.chain.rpc_node import RpcNode
from tests.keeper.chain.websocket_node import WebsocketProxy
from tests.keeper.faults.day import write_settings
from tests.keeper.faults.rivals import DEFECTS, Rivals
from tests.keeper.faults.whole import clean_rows, done_once, rows, table
from tests.programs.world import LAMPORTS, LISTING, DrivenChain, key

T = TypeVar("T")
HOURS = 3
STEPS = int(os.environ.get("IONET_TEST_STEPS", "8"))
"""Things that are done to the keepers in each hour."""
PACE = 100, 1_500
"""Questions to the node between two of them: the first index takes many."""
SEED = int(os.environ.get("IONET_TEST_SEED", "7"))
SETTLING_SECONDS = 5
"""Until what was sent last is confirmed, and in the snapshot that a jump starts from."""
JOBS = '["emission","vesting","seasons","blocks","prices","slashes","leases","fees","auctions","burns"]'


class Site:
    """A chain, whatever is before it, and how to act on it beside that."""

    def __init__(self, chain: DrivenChain, mischief: Mischief) -> None:
        self.chain, self.mischief = chain, mischief
        self.websocket: WebsocketProxy | None = None
        self.node: HttpNode
        if isinstance(chain, LiveChain):
            self.node = HttpProxy(chain.url, mischief)
            self.websocket = WebsocketProxy(websocket_url(chain.url), mischief)
        else:
            assert isinstance(chain, EmbeddedChain)
            self.node = RpcNode(chain, mischief)

    async def act(self, work: Callable[[], T]) -> T:
        """Do something on the chain; a live one is asked beside this loop, on which the proxy is."""
        return await asyncio.to_thread(work) if isinstance(self.chain, LiveChain) else work()

    async def goes_on(self) -> None:
        """An embedded chain's clock has to be moved."""
        while isinstance(self.chain, EmbeddedChain):
            await asyncio.sleep(0.5)
            self.chain.advance(1)

    def becomes_good(self) -> None:
        self.node.mischief = None
        if self.websocket:
            self.websocket.mischief = None
        self.mischief.over.set()


@contextmanager
def _chain(config: pytest.Config) -> Iterator[DrivenChain]:
    """A chain with the programs; the node before an embedded one looks after signatures."""
    if config.getoption("--chain") == "embedded":
        embedded = EmbeddedChain(verify_signatures=False, now=LISTING)
        deploy.load_programs(embedded, key("admin").pubkey())
        yield embedded
    else:
        with started(config) as live:
            yield live


@asynccontextmanager
async def served(site: Site) -> AsyncIterator[None]:
    """Its node, for so long."""
    await site.node.start()
    if site.websocket:
        await site.websocket.start()
    going_on = asyncio.create_task(site.goes_on())
    try:
        yield
    finally:
        going_on.cancel()
        site.becomes_good()
        if site.websocket:
            await site.websocket.stop()
        await site.node.stop()


@pytest.fixture(scope="module")
def before(request: pytest.FixtureRequest) -> Iterator[tuple[Network, Site]]:
    """A network in its first hour of emission, with people and devices."""
    with _chain(request.config) as chain:
        # A node knows what happens from its beginning on.
        site = Site(chain, Mischief(SEED, EVERYTHING))
        network = Network(chain)
        for number in range(HOURS):
            supplier = network.join(f"supplier {number}")
            network.join(f"renter {number}")
            network.let(f"worker {number}", supplier, 1_000 * IO)
        chain.airdrop(key("operator 0").pubkey(), LAMPORTS)
        network.wait_until(month_start(network.pair.world.config().start_month) + 60)
        yield network, site


@pytest.mark.chaos
async def test_whatever_a_node_and_a_machine_do(before: tuple[Network, Site], tmp_path: Path) -> None:
    network, site = before
    world, keeper, random = network.pair.world, key("operator 0"), Random(SEED)
    url, folder = f"sqlite:///{tmp_path}/keeper.db", tmp_path / "keeper"
    folder.mkdir()
    async with served(site):
        settings = {"jobs": JOBS, "pow": "", "check_seconds": 1, "http": "127.0.0.1:0"}
        if site.websocket:
            settings["websocket"] = site.websocket.url
        write_settings(folder, keeper, site.node.url, url, **settings)
        rivals = Rivals.copied(folder, url, site.mischief)
        rivals.pace = PACE
        try:
            for hour in range(HOURS):
                rivals.start()
                await site.act(partial(_rent, network, hour))
                for _ in range(STEPS):
                    await rivals.next(random)
                if hour == HOURS - 1:
                    break
                rivals.restart_ended()
                await rivals.stop()
                # What happens after the slot that a validator starts from again never was.
                await asyncio.sleep(SETTLING_SECONDS)
                await site.act(lambda: world.chain.advance(HOUR))
            site.becomes_good()
            await rivals.anew()
            await rivals.finish()
        finally:
            rivals.kill()
        chain, database = RpcChain(site.node.url), Database(url)
        with capture_logs():
            assert await rows(database) == await clean_rows(chain, tmp_path)
        counts = await done_once(database, await chain.history(keeper.pubkey()), keeper.pubkey())
        told = rivals.told()
        done = dict(sorted(site.mischief.done.items()))
        print(table(f"\nthe node, asked {site.mischief.asked:,} times", done))
        print(table("the keepers were sent", dict(rivals.done)))
        print(table("the keepers", counts))
        print(table("their log", dict(told.most_common())))
        assert world.config().emitted_hours >= HOURS - 1
        assert not DEFECTS & set(told)
        await database.close()
        await chain.close()


def _rent(network: Network, hour: int) -> None:
    """Somebody hires a device for an hour; the models know nothing of it."""
    world = network.pair.world
    renter, supplier = key(f"renter {hour}"), key(f"supplier {hour}")
    order = world.order(renter, hours=1, devices=1)
    world.take(order, f"worker {hour}", supplier)
