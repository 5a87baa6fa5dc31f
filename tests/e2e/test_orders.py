"""An order from opening to close in both currencies."""

import pytest

from keeper.economy import orders as economy
from tests.e2e.network import ORDERS, PURSE_IO, PURSE_USDC, Network
from tests.model.orders.state import BY_SUPPLIER, IO, USDC, Terms
from tests.programs.orders.calls import OPERATORS, UNITS
from tests.programs.orders.world import ASK_IO, ASK_USDC, MINIMUM

HOURS, MORE = 10, 3
PURSES, ASKS = (PURSE_IO, PURSE_USDC), (ASK_IO, ASK_USDC)


@pytest.mark.parametrize(
    "currency", [pytest.param(IO, id="IO", marks=pytest.mark.smoke), pytest.param(USDC, id="USDC")]
)
def test_an_order_from_opening_to_close(network: Network, currency: int) -> None:
    renter, supplier = network.join(f"renter {currency}"), network.join(f"supplier {currency}")
    devices = [network.let(f"device {currency}.{number}", supplier, MINIMUM) for number in range(2)]
    purse, rate, fees = PURSES[currency], 4 * ASKS[currency], network.fees(currency)
    staked = 2 * MINIMUM if currency == IO else 0
    bps = ORDERS.renter_fee_bps + (ORDERS.usdc_fee_bps if currency == USDC else 0)

    order = network.open(renter, Terms(3 * UNITS[currency], HOURS, 2, 4, (2, 1), currency))
    place = economy.place(3 * UNITS[currency], 4, HOURS, bps)
    assert network.money(renter, currency) == purse - 2 * place
    by_operator = network.run(order, devices[0], OPERATORS[2])
    by_supplier = network.run(order, devices[1], supplier)
    principal = economy.principal(rate, HOURS)
    cost = principal + economy.fee(principal, bps)
    assert by_operator.held == by_supplier.held == cost
    assert network.fees(currency) == fees, "the fee follows the service"

    assert network.refund(order) == "refund"
    assert network.money(renter, currency) == purse - 2 * cost
    assert network.refund(order) == "NothingToRefund"
    assert network.do_settle(by_operator) == "settle"
    assert by_operator.paid == 0, "nothing is due before a whole hour"
    assert network.extend(order, devices[0], MORE) == "extend_lease"
    more = economy.principal(rate, MORE)
    extension = more + economy.fee(principal + more, bps) - economy.fee(principal, bps)
    assert network.money(renter, currency) == purse - 2 * cost - extension
    assert network.unstake(devices[0]) == "DeviceLeased"

    # The supplier and a worker break off in the first hour: nothing is paid, and no fee on it.
    assert network.do_end(supplier, by_operator) == "end_lease"
    assert network.do_end(by_supplier.worker, by_supplier) == "end_lease"
    for device, lease in zip(devices, (by_operator, by_supplier), strict=True):
        assert (lease.reason, lease.held) == (BY_SUPPLIER, 0)
        assert network.do_close_lease(lease.payer, lease) == "close_lease"
        assert network.device(device).leases_failed == 1
    assert network.close(order) == "close_order"
    assert network.money(renter, currency) == purse
    assert network.money(supplier, currency) == purse - staked
    assert network.fees(currency) == fees


def test_an_order_that_is_cancelled_gives_everything_back(network: Network) -> None:
    renter = network.join("undecided")
    order = network.open(renter, Terms(3 * UNITS[IO], HOURS, 2, 4, (1,)))
    assert network.close(order) == "OrderBusy"
    network.give_up(order)
    assert network.money(renter) == PURSE_IO
