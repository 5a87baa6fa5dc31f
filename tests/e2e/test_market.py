"""The market by its own processes: operators' ticks, workers that accept, prices that are voted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from solders.hash import Hash
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.economy import orders as economy
from keeper.economy.calendar import HOUR
from keeper.economy.classes import holds_from
from keeper.economy.orders import TICK, Currency, turn_opens
from keeper.jobs.names import PRICES, STEPS
from keeper.market.folder import MarketFolder
from keeper.runtime.keeper import JobOutcome
from tests.e2e.conftest import started
from tests.e2e.market import Told, Worker, url_of
from tests.e2e.network import ORDERS, PURSE_IO, STAKING, Network
from tests.keeper.conftest import migrated
from tests.keeper.jobs.market import Operator
from tests.keeper.worker.operators import Service, serving
from tests.model.orders.state import COMPLETED, LAPSED, RUNNING, Terms
from tests.model.state import Address
from tests.programs.orders.world import ASK_IO, MINIMUM
from tests.programs.side_by_side import MALLORY
from tests.programs.world import key

HOURS, ACCEPT_WINDOW = 2, 240
LONGEST_WAIT = 300
"""Seconds; a tick's snapshot and samples need the block before their time, which a jump leaves none of."""
RATE = 4 * ASK_IO
OPERATORS = len(STAKING.operators)
DEAD = 2
"""The operator of this number doesn't run."""
ALIVE = (0, 1)
A_BLOCK_LATER = 30
"""Seconds after an hour in which the next one has its first block."""
FOR_WAITING = 30
"""Seconds that some devices have waited for more than others."""


@pytest.fixture(scope="module")
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """One of the market's own, whose prices move: other scenarios count on theirs."""
    with started(request.config, verify_signatures=False, longest_wait=LONGEST_WAIT) as chain:
        found = Network(chain, replace(ORDERS, accept_window=ACCEPT_WINDOW))
        found.pair.world.operators = [key(f"operator {number}") for number in range(OPERATORS)]
        yield found


@pytest.fixture(scope="module")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables and nothing in them."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    asyncio.run(migrated(f"sqlite:///{path}"))
    return path


@asynccontextmanager
async def operators(
    network: Network, folder: Path, empty: Path, profiled: Collection[int] = ()
) -> AsyncIterator[list[Operator]]:
    """The operators that are alive, each with a keeper, a folder and a database of its own."""
    world = network.pair.world
    found = [Operator(world, each, folder / f"operator {each}", empty, profiled) for each in ALIVE]
    try:
        for each in found:
            await each.history.prepare()
        yield found
    finally:
        for each in found:
            await each.stop()


async def matched(network: Network, alive: list[Operator], told: Told) -> list[Address]:
    """Let the operators match in the next tick whose leader is dead; the devices that they took.

    Its worker accepts on its own, perhaps at once: what was done here is told of after that.
    """
    tick = network.now // TICK + 1
    tick += (DEAD - tick) % OPERATORS
    substitute = (tick + 1) % OPERATORS
    network.wait_until(turn_opens(tick, substitute, OPERATORS))
    told.own()
    made: list[tuple[str, str]] = []
    while not made:
        # Its first block isn't final at once on a chain that goes on by itself.
        for each in alive:
            made += await each.match()
        await asyncio.sleep(0.1)
    return sorted(bytes(Pubkey.from_string(device)) for _, device in made)


def test_workers_accept_what_operators_match(network: Network, tmp_path: Path, empty_sqlite: Path) -> None:
    """One operator of three is dead when it is its turn. One worker is killed between match and acceptance.

    Another one isn't ready: it is replaced by the device that has waited for less.
    """
    renter, supplier = network.join("market renter"), network.join("market supplier")
    names = [f"market device {number}" for number in range(3)]
    devices = [network.let(name, supplier, MINIMUM) for name in names[:2]]
    network.wait_until(network.now + FOR_WAITING)
    devices.append(network.let(names[2], supplier, MINIMUM))
    for name in names:
        network.pair.world.chain.airdrop(key(name).pubkey(), 10**7)
    asyncio.run(_lease(network, tmp_path, empty_sqlite, devices, names, renter))
    before = network.money(supplier)
    for device in devices[1:]:
        (address,) = [at for at, each in network.model.leases.items() if each.device == device]
        lease = network.model.leases[address]
        network.wait_until(lease.stop + ORDERS.settlement_lag)
        assert network.do_end(MALLORY, lease) == "end_lease"
        assert network.do_settle(lease) == "settle"
        assert lease.reason == COMPLETED
        assert network.do_close_lease(lease.payer, lease) == "close_lease"
    principal = economy.principal(RATE, HOURS)
    net = principal - economy.fee(principal, ORDERS.supplier_fee_bps)
    assert network.money(supplier) == before + 2 * net
    (order,) = network.model.orders
    assert network.close(order) == "close_order"
    charged = economy.fee(principal, ORDERS.renter_fee_bps)
    assert network.money(renter) == PURSE_IO - 2 * (principal + charged)
    rows = [network.device(each) for each in devices]
    assert [(row.leases_done, row.strikes) for row in rows] == [(0, 1), (1, 0), (1, 0)]
    network.pair.compare_accounts()


async def _lease(
    network: Network, folder: Path, empty: Path, devices: list[Address], names: list[str], renter: Address
) -> None:
    """From the order's opening until two devices serve it."""
    services = [Service(f"service {number}", [key(name) for name in names]) for number in range(2)]
    genesis = bytes(Hash.from_string(await network.pair.world.chain.genesis_hash()))
    for service in services:
        service.genesis = genesis
    told = Told(network)
    async with (
        operators(network, folder, empty) as alive,
        serving(services),
        url_of(network) as url,
    ):
        heard: list[list[Service]] = [[], services, services]
        workers = [Worker(name, folder / name, url, each) for name, each in zip(names, heard, strict=True)]
        try:
            unready, killed, spare = workers
            await unready.start()
            await killed.start()
            for each in (unready, killed):
                await each.says("worker.started")
            order = network.open(renter, Terms(ASK_IO, HOURS, 2, 4, (1,)))
            assert await matched(network, alive, told) == sorted(devices[:2])
            await killed.says("worker.lease_matched")
            await killed.kill()
            assert (await unready.says("worker.lease_hindered"))["code"] == "no_operator"
            await killed.start()
            await killed.says("worker.lease_runs")
            names = told.others("Posted", "LeaseMatched", "LeaseMatched", "LeaseAccepted")
            assert names[0] == "Posted", "files and their hash come before the matches"
            assert (names.count("LeaseMatched"), names.count("LeaseAccepted")) == (2, 1)
            assert network.lease(order, devices[1]).status == RUNNING

            await unready.kill()
            lapsed = network.lease(order, devices[0])
            network.wait_until(lapsed.accept_until)
            assert network.do_end(MALLORY, lapsed) == "end_lease"
            assert (lapsed.reason, network.model.orders[order].open) == (LAPSED, 1)
            assert network.do_close_lease(lapsed.payer, lapsed) == "close_lease"
            await spare.start()
            await spare.says("worker.started")
            assert await matched(network, alive, told) == [devices[2]]
            await spare.says("worker.lease_runs")
            names = told.others("Posted", "LeaseMatched", "LeaseAccepted")
            assert (names.count("LeaseMatched"), names.count("LeaseAccepted")) == (1, 1)
            assert network.lease(order, devices[2]).status == RUNNING
        finally:
            for each in workers:
                await each.kill()


def test_prices_are_voted_and_hold_an_hour_later(
    network: Network, tmp_path: Path, empty_sqlite: Path
) -> None:
    """Two of three operators vote for the same steps of the hour that is over, and a keeper applies them.

    All of a class is hired in it, four processors: its price rises by an eighth of 12.5 %.
    """
    renter, supplier = network.join("priced renter"), network.join("priced supplier")
    device = network.let("priced device", supplier, MINIMUM)
    order = network.open(renter, Terms(ASK_IO, 10, 1, 4, (1,)))
    network.run(order, device)
    hour = network.now // HOUR + 2  # The next but one: what is passed through begins with a jump.
    network.pass_through(hour * HOUR - TICK, (hour + 1) * HOUR + A_BLOCK_LATER)

    async def work() -> MarketFolder:
        told = Told(network)
        async with operators(network, tmp_path, empty_sqlite, profiled=[1]) as alive:
            for each in alive:
                while not each.last:
                    # The hour's end isn't final at once on a chain that goes on by itself.
                    assert await each.run(STEPS) is JobOutcome.OK, each.keeper.health[STEPS].reason
                    await asyncio.sleep(0.1)
            assert told.others(*["PricesVoted"] * 2) == ["PricesVoted"] * 2
            first, second = (each.folder.steps(hour) for each in alive)
            assert first.root == second.root
            for each in alive:
                assert await each.run(PRICES) is JobOutcome.OK
            assert told.others(*["PriceApplied"] * 2, folder=alive[0].folder) == ["PriceApplied"] * 2
        return alive[0].folder

    steps = asyncio.run(work()).steps(hour).steps
    step = 1_250 * 4 // 32
    assert steps == {1: (step, step), 2: (0, 0)}
    account = network.pair.world.account(staking.class_address(1))
    row = staking.parse_class(account.data)
    assert (row.price_hour, row.next_io) == (hour, step)
    before, holds = row.price(Currency.IO, holds_from(hour) - 1), row.price(Currency.IO, holds_from(hour))
    assert (before.amount, holds.amount) == (ASK_IO, -(-ASK_IO * (10_000 + step) // 10_000))
    network.wait_until(holds_from(hour))
    # A lease in the hour costs that, and the model's as much.
    second = network.let("another device", supplier, MINIMUM)
    dear = network.open(renter, Terms(2 * ASK_IO, 1, 1, 4, (1,)))
    assert network.run(dear, second).rate == 4 * holds.amount
    network.pair.compare_accounts()
