"""One order of each currency from its opening to its end, with every balance by hand."""

from __future__ import annotations

import pytest

from keeper.clients import buyback, orders, staking
from keeper.economy.orders import Currency, EndReason
from keeper.economy.supply import IO
from tests.programs.orders.world import ASK_IO, ASK_USDC, HOUR, USDC, USDC_MINT, OrdersWorld


@pytest.mark.parametrize(
    ("currency", "unit", "ask", "bps"),
    [(Currency.IO, IO, ASK_IO, 25), (Currency.USDC, USDC, ASK_USDC, 225)],
    ids=["IO", "USDC"],
)
def test_an_order_from_opening_to_end(currency: Currency, unit: int, ask: int, bps: int) -> None:
    world = OrdersWorld.ready()
    renter, supplier = world.renter("renter"), world.supplier("supplier")
    for name in ("one", "two"):
        world.let(name, supplier)
    rich = world.money(renter.pubkey(), currency)
    paid_before = world.money(supplier.pubkey(), currency)
    price = 3 * unit
    order = world.order(renter, currency=currency, price=price)
    most = price * 4 * 10
    place = most + -(-most * bps // 10_000)
    assert world.tokens(order.vault) == 2 * place == rich - world.money(renter.pubkey(), currency)
    for number, name in enumerate(("one", "two")):
        world.match(order, name, number)
        assert world.read_device(name).lease == orders.lease_address(
            order.address, staking.device_address(world.read_device(name).worker)
        )
        world.accept(order, name)
    principal = ask * 4 * 10
    fee = -(-principal * bps // 10_000)
    vault = buyback.IO_VAULT if currency == Currency.IO else buyback.fee_vault(USDC_MINT)
    assert world.tokens(vault) == 0, "nothing is served yet"
    assert [world.lease(order, name).held for name in ("one", "two")] == [principal + fee] * 2
    config = world.orders_config()
    world.do(orders.refund(config, order))
    assert world.money(renter.pubkey(), currency) == rich - 2 * principal - 2 * fee
    # Two hours and a half on, the first half hour is due by time, but not before a whole hour is.
    world.chain.advance(2 * HOUR + HOUR // 2)
    world.do(orders.settle(config, order, world.lease(order, "one")))
    assert world.lease(order, "one").paid == 0
    world.chain.advance(HOUR)
    assert world.settle(order, "one").error is None
    due = ask * 4 * 3 // 2
    cut = -(-due * 25 // 10_000)
    assert world.money(supplier.pubkey(), currency) == paid_before + due - cut
    assert world.tokens(vault) == cut - (-due * bps // 10_000)
    # The renter ends the other lease after 3 h 30 min 1 s: that much is paid, once the lag is over.
    world.chain.advance(1)
    assert world.end(order, "two", renter).error is None
    assert world.read_device("two").lease == staking.NOBODY
    seconds = 3 * HOUR + HOUR // 2 + 1
    ended = world.lease(order, "two")
    assert (ended.reason, ended.stop - ended.start) == (EndReason.RENTER, seconds)
    world.chain.advance(10 * HOUR)
    for name in ("one", "two"):
        assert world.settle(order, name).error is None
    assert world.end(order, "one", world.payer).error is None
    earned = principal + ask * 4 * seconds // HOUR
    cuts = -(-principal * 25 // 10_000) + -(-(earned - principal) * 25 // 10_000)
    assert world.money(supplier.pubkey(), currency) == paid_before + earned - cuts
    for name in ("one", "two"):
        world.do(orders.close_lease(world.lease(order, name)))
        record = world.read_device(name)
        assert (record.leases_done, record.leases_failed) == (1, 0)
    world.do(orders.close_order(config, order))
    assert world.chain.get(order.address) is None
    assert world.chain.get(order.vault) is None
    assert world.money(renter.pubkey(), currency) == rich - earned - 2 * fee
    assert world.tokens(vault) == 2 * fee + cuts
