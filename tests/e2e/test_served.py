"""A lease that its device's own agent accepts, serves, and ends when it can't: the money is the model's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.compute.states import AgentState
from keeper.economy import orders as economy
from keeper.economy.calendar import HOUR
from tests.e2e.conftest import embedded
from tests.e2e.market import Told
from tests.e2e.network import ORDERS, PURSE_IO, Network
from tests.keeper.worker.hiring import Cloud, HiredSite, LocalBoard
from tests.model.orders.state import BY_SUPPLIER, COMPLETED, DECLINED, Lease, Terms
from tests.programs.orders.world import ASK_IO, MINIMUM
from tests.programs.side_by_side import MALLORY
from tests.programs.world import key

HOURS = 3
RATE = 4 * ASK_IO
NAME = "served device"


@pytest.fixture
def network() -> Network:
    found = Network(embedded(), replace(ORDERS, accept_window=600))
    found.pair.world.operators = [key(f"operator {number}") for number in range(3)]
    return found


class Hire:
    """A device with its agent, and the order that it is matched to."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, world = network, network.pair.world
        self.renter, self.supplier = network.join("served renter"), network.join("served supplier")
        self.device = network.let(NAME, self.supplier, MINIMUM, may_end=True)
        world.chain.airdrop(key(NAME).pubkey(), 10**7)
        self.order = network.open(self.renter, Terms(ASK_IO, HOURS, 1, 4, (1,)))
        assert network.match(self.order, self.device) == "match_device"
        self.told = Told(network)
        boards = [LocalBoard(world, number) for number in range(3)]
        self.site = HiredSite(world, folder, NAME, Cloud(), boards)

    @property
    def lease(self) -> Lease:
        return self.network.lease(self.order, self.device)

    def is_at(self, state: AgentState) -> bool:
        return self.site.state is state

    async def turns(self, times: int, seconds: int = 6) -> None:
        for _ in range(times):
            await self.site.turn()
            self.network.pair.world.chain.advance(seconds)

    def ended_by_worker(self) -> None:
        """Do on the model what the agent did on the chain, at the second in which it did."""
        chain = self.network.pair.world.chain
        mine = [each for each in chain.transactions() if each.signers[0] == key(NAME).pubkey()]
        now = self.network.now
        self.network.pair.tell_time(mine[-1].time)
        self.network.model.end_lease(self.lease.worker, self.network.address_of(self.lease))
        self.network.pair.tell_time(now)
        self.told.own()
        self.network.pair.compare()
        self.network.pair.model.invariants()

    def close(self, net: int) -> None:
        """All that is left is paid and closed: the supplier has ``net`` more, the renter the rest back."""
        network, lease, before = self.network, self.lease, self.network.money(self.supplier)
        network.wait_until(max(network.now, lease.stop) + ORDERS.settlement_lag)
        if net:
            assert network.do_settle(lease) == "settle"
        assert network.do_close_lease(lease.payer, lease) == "close_lease"
        assert network.money(self.supplier) == before + net


def run(network: Network, folder: Path, work: Callable[[Hire], Awaitable[None]]) -> Hire:
    async def all_of_it() -> Hire:
        found = Hire(network, folder)
        await found.site.hired.begin()
        await work(found)
        await found.site.hired.close()
        found.site.close()
        return found

    return asyncio.run(all_of_it())


def net_of(hours: int) -> int:
    principal = economy.principal(RATE, hours)
    return principal - economy.fee(principal, ORDERS.supplier_fee_bps)


def test_served_to_its_end_it_is_paid_in_full(network: Network, tmp_path: Path) -> None:
    async def work(hire: Hire) -> None:
        await hire.turns(4)
        assert hire.is_at(AgentState.ACTIVE)
        assert hire.told.others("LeaseAccepted") == ["LeaseAccepted"]
        network.wait_until(hire.lease.stop)
        await hire.turns(1, 0)
        assert hire.is_at(AgentState.IDLE)

    hire = run(network, tmp_path, work)
    assert network.do_end(MALLORY, hire.lease) == "end_lease"
    assert hire.lease.reason == COMPLETED
    hire.close(net_of(HOURS))
    charged = economy.fee(economy.principal(RATE, HOURS), ORDERS.renter_fee_bps)
    assert network.close(hire.order) == "close_order"
    assert network.money(hire.renter) == PURSE_IO - economy.principal(RATE, HOURS) - charged


def test_a_device_that_fails_in_its_second_hour_is_paid_for_one(network: Network, tmp_path: Path) -> None:
    async def work(hire: Hire) -> None:
        await hire.turns(4)
        hire.told.others("LeaseAccepted")
        network.wait_until(hire.lease.start + HOUR + 600)
        host = hire.site.host
        host.sound, host.dies, host.ended = False, "its command ended with 1", "its command ended with 1"
        await hire.turns(12, 46)
        assert hire.is_at(AgentState.IDLE)

    hire = run(network, tmp_path, work)
    hire.ended_by_worker()
    assert (hire.lease.reason, hire.lease.stop) == (BY_SUPPLIER, hire.lease.start + HOUR)
    hire.close(net_of(1))


def test_a_device_that_cannot_prepare_costs_its_renter_nothing(network: Network, tmp_path: Path) -> None:
    async def work(hire: Hire) -> None:
        hire.site.host.fails = "no namespaces any more"
        await hire.turns(2)
        network.wait_until(network.now + 8 * 60)
        await hire.turns(3)

    hire = run(network, tmp_path, work)
    hire.ended_by_worker()
    assert (hire.lease.reason, hire.lease.held) == (DECLINED, 0)
    hire.close(0)
    fee = network.give_up(hire.order)
    assert network.money(hire.renter) == PURSE_IO - fee, "the place is open again"
