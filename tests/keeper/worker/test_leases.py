"""Leases of a worker's devices: accepted at once when all is well, and followed to their end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from solders.system_program import TransferParams, transfer

from keeper.chain.framework import associated_token_address
from keeper.chain.token import freeze, thaw
from keeper.clients import orders, staking
from keeper.clients.orders import PAUSE_MATCHING
from keeper.economy.calendar import HOUR
from keeper.economy.orders import Currency, EndReason, LeaseStatus
from keeper.worker.purse import KEPT, TOKEN_ACCOUNT
from tests.keeper.chain.rpc_node import RpcNode, through
from tests.keeper.worker.leasing import NAMES, Site, acceptances, events, paid, ready
from tests.programs.buyback.world import ISSUER, USDC_MINT
from tests.programs.orders.world import ASK_IO, IO, USDC, OrdersWorld
from tests.programs.world import key

# -- accepted --------------------------------------------------------------------------------------


async def test_a_lease_is_accepted_as_soon_as_it_is_seen(site: Site, world: OrdersWorld, logged) -> None:
    site.works.tests = True
    await site.look()
    assert site.book.newest(site.devices[0].address, 1) == []
    order = world.order(key("renter"))
    world.match(order, "one")
    before = world.chain.get(key("one").pubkey()).lamports
    await site.look()
    await site.look()
    lease = world.lease(order, "one")
    assert lease.status == LeaseStatus.RUNNING
    assert len(acceptances(world)) == 1
    assert world.chain.get(key("one").pubkey()).lamports == before - 5_000
    kept = site.newest("one")
    assert (kept.order, kept.price, kept.hours, kept.start, kept.stop) == (
        *(order.address, 2 * IO, 10, lease.start, lease.stop),
    )
    assert (kept.status, kept.hindrance) == (LeaseStatus.RUNNING, None)
    assert events(logged) == ["worker.lease_matched", "worker.lease_accepted", "worker.lease_runs"]
    assert logged[-1]["signed_here"] is True
    assert site.book.spent(world.chain.now()) == 5_000


async def test_a_look_at_many_devices_is_one_question(tmp_path: Path) -> None:
    names = [f"device {number}" for number in range(40)]
    world = ready(*names)
    order = world.order(key("renter"), devices=4)
    for name in names[:4]:
        world.match(order, name)
    node = RpcNode(world.chain)
    async with through(node) as chain:
        site = Site(world, tmp_path / "state", names, chain)
        await site.look()
        assert [site.newest(each).status for each in names[:4]] == [LeaseStatus.MATCHED] * 4
        await site.look()
        assert [site.newest(each).status for each in names[:4]] == [LeaseStatus.RUNNING] * 4
        node.calls.clear()
        await site.look()
        asked = [(method, len(parameters[0])) for method, parameters in node.calls]
        assert asked == [("getMultipleAccounts", 85)], "devices and keys, four leases and their order"
        site.close()


async def test_one_of_a_gang_waits_for_the_others(site: Site, world: OrdersWorld, logged) -> None:
    order = world.order(key("renter"), min_devices=2)
    world.match(order, "one")
    await site.look()
    await site.look()
    assert site.newest("one").status == LeaseStatus.ACCEPTED
    world.match(order, "two")
    await site.look()
    filled = world.read_order(key("renter")).filled_at
    await site.look()
    found = [site.newest(name) for name in NAMES]
    assert [(each.status, each.start) for each in found] == [(LeaseStatus.RUNNING, filled)] * 2
    assert [paid(each) for each in acceptances(world)] == [True, True]
    assert events(logged).count("worker.lease_waits") == 1


async def test_an_account_to_be_paid_into_is_opened(site: Site, world: OrdersWorld) -> None:
    """A payout that was never paid in USDC has no account for it: the worker's key pays its rent."""
    wallet = world.earner("wallet")
    world.do(staking.set_payout(world.read_device("one"), wallet.pubkey()), signers=[key("supplier")])
    world.chain.advance(1)
    order = world.order(key("renter"), currency=Currency.USDC, price=3 * USDC)
    world.match(order, "one")
    before = world.chain.get(key("one").pubkey()).lamports
    await site.look()
    assert world.lease(order, "one").status == LeaseStatus.RUNNING
    assert world.chain.get(key("one").pubkey()).lamports == before - 5_000 - TOKEN_ACCOUNT


# -- not accepted ----------------------------------------------------------------------------------


def ask(world: OrdersWorld, ask_io: int) -> None:
    device = world.read_device("one")
    change = staking.change_device(
        device,
        tier=device.tier,
        country=device.country,
        ask_io=ask_io,
        ask_usdc=device.ask_usdc,
        worker_may_end=False,
    )
    world.do(change, signers=[key("supplier")])


def poor(site: Site, world: OrdersWorld) -> Callable[[], None]:
    """One lamport is missing for an acceptance."""
    worker = key("one").pubkey()
    left = world.chain.get(worker).lamports - KEPT - 4_999
    world.do(
        transfer(TransferParams(from_pubkey=worker, to_pubkey=world.payer.pubkey(), lamports=left)),
        signers=[key("one")],
    )
    return lambda: world.chain.airdrop(worker, 1)


def silent(site: Site, world: OrdersWorld) -> Callable[[], None]:
    identity, site.operator.identity = site.operator.identity, None
    return lambda: setattr(site.operator, "identity", identity)


def inexact(site: Site, world: OrdersWorld) -> Callable[[], None]:
    site.backend.errs = site.works.tests = True
    return lambda: setattr(site.backend, "errs", False)


def paused(site: Site, world: OrdersWorld) -> Callable[[], None]:
    def pause(mask: int) -> None:
        until = world.chain.now() + HOUR if mask else 0
        world.do(orders.set_pause(world.guardian.pubkey(), mask, until), signers=[world.guardian])

    pause(PAUSE_MATCHING)
    return lambda: pause(0)


def frozen(site: Site, world: OrdersWorld) -> Callable[[], None]:
    account = associated_token_address(key("supplier").pubkey(), USDC_MINT)
    world.do(freeze(account, USDC_MINT, ISSUER.pubkey()), signers=[ISSUER])
    return lambda: world.do(thaw(account, USDC_MINT, ISSUER.pubkey()), signers=[ISSUER])


def off_market(site: Site, world: OrdersWorld) -> Callable[[], None]:
    world.do(staking.pause_device(world.read_device("one")), signers=[key("one")])
    return lambda: ask(world, ASK_IO)


def dear(site: Site, world: OrdersWorld) -> Callable[[], None]:
    ask(world, ASK_IO + 1)
    return lambda: ask(world, ASK_IO)


HINDRANCES = {
    "sol": poor,
    "no_operator": silent,
    "not_exact": inexact,
    "paused": paused,
    "payout": frozen,
    "off_market": off_market,
    "ask": dear,
}


@pytest.mark.parametrize("code", HINDRANCES)
async def test_what_hinders_an_acceptance_is_said_once_and_nothing_sent(
    code: str, site: Site, world: OrdersWorld, logged
) -> None:
    terms = {"currency": Currency.USDC, "price": 3 * USDC} if code == "payout" else {}
    order = world.order(key("renter"), **terms)
    world.match(order, "one")
    put_right = HINDRANCES[code](site, world)
    before = world.chain.get(key("one").pubkey())
    for _ in range(3):
        await site.look()
    assert world.chain.get(key("one").pubkey()) == before
    assert site.newest("one").hindrance.code == code
    said = [each for each in logged if each["event"] == "worker.lease_hindered"]
    assert [(each["code"], each["log_level"]) for each in said] == [(code, "warning")]
    if code == "sol":
        assert f"send 0.009104121 SOL to {key('one').pubkey()}" in said[0]["reason"]
        assert "worker.sol_low" in events(logged)
    put_right()
    await site.look()
    await site.look()
    assert site.newest("one").status == LeaseStatus.RUNNING
    assert site.newest("one").hindrance is None


async def test_a_lease_whose_time_is_over_is_left(site: Site, world: OrdersWorld) -> None:
    order = world.order(key("renter"))
    lease = world.match(order, "one")
    world.chain.warp_to(lease.accept_until)
    await site.look()
    assert site.newest("one").hindrance.code == "over"
    world.end(order, "one", world.payer)
    await site.look()
    found = site.newest("one")
    assert (found.status, found.reason) == (LeaseStatus.ENDED, EndReason.LAPSED)
    assert acceptances(world) == []


async def test_a_gang_that_is_never_filled_costs_no_fee(site: Site, world: OrdersWorld) -> None:
    """Its renter has cancelled it: nobody is barred for leaving it, and nothing would be paid."""
    order = world.order(key("renter"), min_devices=2)
    world.match(order, "one")
    world.do(orders.cancel_order(order), signers=[key("renter")])
    await site.look()
    assert site.newest("one").hindrance.code == "stranded"
    assert [paid(each) for each in acceptances(world) if each.signers[0] == key("one").pubkey()] == []


# -- the end ---------------------------------------------------------------------------------------


async def test_what_is_shown_as_earned_is_what_is_paid(site: Site, world: OrdersWorld, logged) -> None:
    order = world.order(key("renter"), devices=1)
    world.match(order, "one")
    await site.look()
    await site.look()
    kept = site.newest("one")
    assert [kept.earned(kept.start + each) for each in (0, HOUR - 1)] == [0, 0]
    whole = 8 * IO
    assert kept.earned(kept.start + HOUR) == whole - whole * 25 // 10_000
    assert kept.earned(kept.stop + HOUR) == 10 * whole - 10 * whole * 25 // 10_000
    before = world.money(key("supplier").pubkey(), Currency.IO)
    world.chain.warp_to(kept.start + 3 * HOUR + 1_234)
    world.end(order, "one", key("renter"))
    await site.look()
    world.chain.advance(3 * HOUR)
    world.settle(order, "one")
    got = world.money(key("supplier").pubkey(), Currency.IO) - before
    ended = site.newest("one")
    assert (ended.status, ended.reason) == (LeaseStatus.ENDED, EndReason.RENTER)
    assert ended.earned(world.chain.now()) == got > 3 * 7 * IO
    lease = world.lease(order, "one")
    world.do(orders.close_lease(lease))
    await site.look()
    assert site.newest("one").gone
    assert site.book.open(site.devices[0].address) == []
    assert logged[-1]["event"] == "worker.lease_ended"
    assert logged[-1]["reason"] == "renter"


async def test_an_end_that_nobody_saw(site: Site, world: OrdersWorld, logged) -> None:
    """The lease lapsed and was closed between two looks, and the device is in another one."""
    order = world.order(key("renter"))
    lease = world.match(order, "one")
    with site.silence():
        await site.look()
    world.chain.warp_to(lease.accept_until)
    world.end(order, "one", world.payer)
    world.do(orders.close_lease(world.lease(order, "one")))
    world.chain.advance(2 * HOUR)
    second = world.order(key("renter"), 2)
    world.match(second, "one")
    await site.look()
    await site.look()
    newest, older = site.book.newest(site.devices[0].address, 5)
    assert (newest.order, newest.status) == (second.address, LeaseStatus.RUNNING)
    assert (older.order, older.status, older.gone) == (order.address, LeaseStatus.ENDED, True)
    assert "worker.lease_ended" in events(logged)
