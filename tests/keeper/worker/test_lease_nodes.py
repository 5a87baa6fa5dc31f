"""Acceptances by nodes that lag, lie, lose transactions or drop them again, and what they cost at most."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from solders.pubkey import Pubkey

from keeper.chain import Account, Chain, ChainUnreachable, landing
from keeper.chain.fees import FeePolicy
from keeper.chain.landing import LAMPORTS_PER_SIGNATURE
from keeper.chain.rpc import RpcChain
from keeper.clients import orders, staking
from keeper.economy.orders import LeaseStatus
from keeper.wallet import plans
from keeper.worker.accepting import REFUSALS
from keeper.worker.lease_book import LeaseKey, Outcome
from tests.keeper.chain.rpc_node import RpcNode, through
from tests.keeper.worker.leasing import NAMES, SOL, Site, acceptances, events, paid
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key

ROOT = Path(__file__).parents[3]


# -- a node that lags or lies ----------------------------------------------------------------------


class Told:
    """A chain that says of some accounts what it is told to."""

    def __init__(self, world: OrdersWorld) -> None:
        self._chain = world.chain
        self.says: dict[Pubkey, Account | None] = {}
        self.silent = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        if self.silent:
            raise ChainUnreachable("the node is silent")
        found = await self._chain.accounts(addresses)
        return [self.says.get(at, each) for at, each in zip(addresses, found, strict=True)]


async def test_a_lease_that_the_node_does_not_have_yet_is_accepted_later(
    world: OrdersWorld, tmp_path: Path, logged
) -> None:
    chain = Told(world)
    site = Site(world, tmp_path / "state", NAMES, chain)
    order = world.order(key("renter"))
    lease = world.match(order, "one")
    for missing in (lease.address, order.address):
        chain.says = {missing: None}
        await site.look()
        await site.look()
        assert site.book.newest(site.devices[0].address, 1) == []
    assert events(logged) == ["worker.lease_unread"]
    chain.says = {}
    await site.look()
    assert world.lease(order, "one").status == LeaseStatus.RUNNING
    site.close()


@pytest.mark.parametrize(
    ("whose", "name", "value"),
    [
        ("order", "currency", b"\x09"),
        ("device", "country", b"\xff\xff"),
        ("lease", "rate", (2**63 + 5).to_bytes(8, "little")),
        ("config", "discriminator", b"rubbish!"),
    ],
)
async def test_accounts_that_no_program_writes_end_nothing(
    world: OrdersWorld, tmp_path: Path, whose: str, name: str, value: bytes
) -> None:
    """Once the node tells the truth, the lease is accepted."""
    chain = Told(world)
    site = Site(world, tmp_path / "state", NAMES, chain)
    order = world.order(key("renter"))
    lease = world.match(order, "one")
    places = {"order": order.address, "device": site.devices[0].address, "lease": lease.address}
    at = places.get(whose, orders.CONFIG)
    kind = {"order": "Order", "device": "Device", "lease": "Lease", "config": "Config"}[whose]
    program = staking.PROGRAM if whose == "device" else orders.PROGRAM
    chain.says = {at: changed(world.account(at), _offset(program.dtype(kind), name), value)}
    for _ in range(3):
        await site.look()
    assert acceptances(world) == []
    chain.says = {}
    for _ in range(2):
        await site.look()
    assert world.lease(order, "one").status == LeaseStatus.RUNNING
    site.close()


def changed(account: Account, offset: int, value: bytes) -> Account:
    data = account.data[:offset] + value + account.data[offset + len(value) :]
    return Account(account.lamports, data, account.owner)


def _offset(kind: np.dtype[Any], name: str) -> int:
    """Where a field is, in ``terms`` where it is no field of the account itself."""
    assert kind.fields is not None
    if name in kind.fields:
        return int(kind.fields[name][1])
    inner, offset = kind.fields["terms"][:2]
    assert inner.fields is not None
    return int(offset) + int(inner.fields[name][1])


async def test_leases_that_are_not_the_devices_are_never_signed_for(
    world: OrdersWorld, tmp_path: Path
) -> None:
    """Another's lease in its place, an account of another program, another order, rubbish."""
    chain = Told(world)
    site = Site(world, tmp_path / "state", ("one",), chain)
    order, other = world.order(key("renter")), world.order(key("renter"), 2)
    mine, others = world.match(order, "one"), world.match(order, "two")
    at = {each.address: world.chain.get(each.address) for each in (mine, others, order, other)}
    true, device = at[mine.address], world.chain.get(site.devices[0].address)
    elsewhere = device.data.replace(bytes(mine.address), bytes(others.address))
    lies = [
        {mine.address: at[others.address]},
        {mine.address: Account(true.lamports, true.data, staking.PROGRAM.address)},
        {mine.address: Account(true.lamports, true.data[:-1], orders.PROGRAM.address)},
        {mine.address: Account(true.lamports, b"", orders.PROGRAM.address)},
        {order.address: at[other.address]},
        {order.address: true},
        {site.devices[0].address: world.chain.get(staking.device_address(key("two").pubkey()))},
        {site.devices[0].address: true},
        {site.devices[0].address: Account(device.lamports, elsewhere, device.owner)},
    ]
    for chain.says in lies:
        await site.look()
        assert site.book.newest(site.devices[0].address, 1) == []
    assert acceptances(world) == []
    site.close()


async def test_a_silent_node_is_told_of_once(world: OrdersWorld, tmp_path: Path, logged) -> None:
    chain = Told(world)
    site = Site(world, tmp_path / "state", NAMES, chain)
    for chain.silent in (True, True, False, False, True):
        await site.look()
    assert events(logged) == ["worker.leases_unseen", "worker.leases_seen", "worker.leases_unseen"]
    site.close()


async def test_a_node_that_is_behind_makes_nobody_pay_twice(world: OrdersWorld, tmp_path: Path) -> None:
    """It says for long that the lease still waits."""
    chain = Told(world)
    site = Site(world, tmp_path / "state", NAMES, chain)
    order = world.order(key("renter"))
    lease = world.match(order, "one")
    chain.says = {lease.address: world.chain.get(lease.address)}
    for _ in range(4):
        await site.look()
    assert len(acceptances(world)) == 1
    assert site.newest("one").hindrance is None
    chain.says = {}
    await site.look()
    assert site.newest("one").status == LeaseStatus.RUNNING
    site.close()


# -- transactions that get lost --------------------------------------------------------------------


async def test_one_that_never_lands_is_signed_anew_when_it_can_land_no_more(
    world: OrdersWorld, tmp_path: Path
) -> None:
    node = RpcNode(world.chain)
    async with through(node) as chain:
        site = Site(world, tmp_path / "state", NAMES, chain)
        order = world.order(key("renter"))
        world.match(order, "one")
        node.faults.drop, node.faults.blocks_per_question = True, 200
        await site.look()
        key_of = site.newest("one").key
        assert [each.outcome for each in site.book.acceptances(key_of)] == [Outcome.EXPIRED]
        assert (site.newest("one").hindrance.code, site.book.spent(world.chain.now())) == (
            "expired",
            LAMPORTS_PER_SIGNATURE,
        )
        node.faults.drop = False
        await site.look()
        await site.look()
        assert site.newest("one").status == LeaseStatus.RUNNING
        assert site.newest("one").hindrance is None
        outcomes = [each.outcome for each in site.book.acceptances(key_of)]
        assert outcomes == [Outcome.EXPIRED, Outcome.LANDED]
        site.close()


async def signed_only(world: OrdersWorld, chain: Chain, order: orders.Order) -> landing.Signed:
    """An acceptance that was signed, each time another one, and that nobody sends."""
    lease = world.lease(order, "one")
    plan = plans.accept(world.orders_config(), order, lease, lease.worker)
    world.chain.advance(1)
    return await landing.prepare(chain, plan.instructions, [key("one")], FeePolicy())


@pytest.mark.parametrize("expires", [True, False])
async def test_a_fork_that_drops_it_does_not_lose_the_lease(
    expires: bool, world: OrdersWorld, tmp_path: Path
) -> None:
    """It had landed by the node's word; now the lease waits. What may land is sent, else one is signed."""
    node = RpcNode(world.chain)
    async with through(node) as chain:
        site = Site(world, tmp_path / "state", NAMES, chain)
        order = world.order(key("renter"))
        world.match(order, "one")
        with site.silence():
            await site.look()
        key_of = site.newest("one").key
        site.book.end(site.book.sign(key_of, await signed_only(world, chain, order), 0.0), Outcome.LANDED)
        node.faults.blocks_per_question = 200 * expires
        await site.look()
        outcomes = [each.outcome for each in site.book.acceptances(key_of)]
        assert outcomes == [Outcome.EXPIRED, Outcome.LANDED][not expires :]
        assert world.lease(order, "one").status == LeaseStatus.RUNNING
        assert len(acceptances(world)) == 1
        site.close()


async def test_no_more_than_a_few_refused_transactions_are_paid_for(
    world: OrdersWorld, tmp_path: Path
) -> None:
    node = RpcNode(world.chain)
    async with through(node) as chain:
        site = Site(world, tmp_path / "state", NAMES, chain)
        order = world.order(key("renter"))
        world.match(order, "one")
        with site.silence():
            await site.look()
        key_of = site.newest("one").key
        for _ in range(REFUSALS):
            signed = await signed_only(world, chain, order)
            site.book.end(site.book.sign(key_of, signed, 0.0), Outcome.REFUSED)
        await site.look()
        assert site.newest("one").hindrance.code == "refused"
        assert acceptances(world) == []
        site.close()


async def test_two_agents_with_one_key_accept_it_once(world: OrdersWorld, tmp_path: Path) -> None:
    """By mistake: each has a folder of its own. Neither harms the other, a fee at most is lost."""
    order = world.order(key("renter"))
    world.match(order, "one")
    node = RpcNode(world.chain)
    async with through(node) as first:
        second = RpcChain(node.url)
        sites = [Site(world, tmp_path / str(n), ["one"], chain) for n, chain in enumerate((first, second))]
        for each in sites:
            await each.leases.look()
        for each in sites:
            await each.leases.settle()
        for each in sites:
            await each.look()
            assert each.newest("one").status == LeaseStatus.RUNNING
            each.close()
        await second.close()
    sent = acceptances(world)
    assert sum(map(paid, sent)) == 1
    assert len(sent) <= 2


# -- fees ------------------------------------------------------------------------------------------


async def accepted_among_payers(world: OrdersWorld, folder: Path, before: int = 0) -> int:
    """Accept where others pay more than the highest priority fee; ``before`` was spent in the last day."""
    node = RpcNode(world.chain)
    node.faults.fees = [10**9]
    async with through(node) as chain:
        site = Site(world, folder, NAMES, chain)
        order = world.order(key("renter"))
        world.match(order, "one")
        with site.silence():
            await site.look()
        if before:
            signed = await signed_only(world, chain, order)
            earlier = site.book.sign(
                LeaseKey(order.address, 0, 0), signed._replace(fee=before), world.chain.now()
            )
            site.book.end(earlier, Outcome.LANDED)
        await site.look()
        spent = site.book.spent(world.chain.now()) - before
        site.close()
    (record,) = acceptances(world)
    assert (paid(record), record.fee) == (True, spent)
    return spent


async def test_an_acceptance_costs_no_more_than_the_document_says(world: OrdersWorld, tmp_path: Path) -> None:
    (said,) = re.findall(r"most: begin -->([0-9.]+)<!--", (ROOT / "docs/worker.md").read_text())
    most = int(said.replace("0.", "").lstrip("0")) * 1_000
    assert most - 1_000 < await accepted_among_payers(world, tmp_path / "state") <= most


async def test_a_days_fees_are_bounded(world: OrdersWorld, tmp_path: Path) -> None:
    """Beyond that acceptances offer no priority fee, and go on."""
    assert FeePolicy().daily == SOL // 50
    spent = await accepted_among_payers(world, tmp_path / "state", before=FeePolicy().daily)
    assert spent == landing.LAMPORTS_PER_SIGNATURE
