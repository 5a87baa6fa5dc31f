"""An order from opening to close in both currencies."""

import pytest

from keeper.economy import orders as economy
from keeper.economy.orders import TICK, turn_opens
from tests.e2e.network import ORDERS, PURSE_IO, PURSE_USDC, STAKING, Network
from tests.model.orders.state import ACCEPTED, BY_SUPPLIER, IO, LAPSED, NOW, UNFILLED, USDC, Terms
from tests.programs.orders.calls import OPERATORS, UNITS
from tests.programs.orders.world import ASK_IO, ASK_USDC, MINIMUM
from tests.programs.side_by_side import MALLORY

HOURS, MORE = 10, 3
PURSES, ASKS = (PURSE_IO, PURSE_USDC), (ASK_IO, ASK_USDC)


@pytest.mark.parametrize(
    "currency", [pytest.param(IO, id="IO", marks=pytest.mark.smoke), pytest.param(USDC, id="USDC")]
)
def test_an_order_from_opening_to_close(network: Network, currency: int) -> None:
    renter, supplier = network.join(f"renter {currency}"), network.join(f"supplier {currency}")
    devices = [
        network.let(f"device {currency}.{number}", supplier, MINIMUM, may_end=number == 1)
        for number in range(2)
    ]
    purse, rate, fees = PURSES[currency], 4 * ASKS[currency], network.fees(currency)
    staked = 2 * MINIMUM if currency == IO else 0
    bps = ORDERS.renter_fee_bps + (ORDERS.usdc_fee_bps if currency == USDC else 0)

    order = network.open(renter, Terms(3 * UNITS[currency], HOURS, 2, 4, (2, 1), currency))
    place = economy.place(3 * UNITS[currency], 4, HOURS, bps)
    assert network.money(renter, currency) == purse - 2 * place
    by_operator = network.run(order, devices[0], OPERATORS[2])
    by_supplier = network.run(order, devices[1])
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

    # The supplier, and a worker that may, break off in the first hour: nothing is paid, and no fee on it.
    assert network.do_end(by_operator.worker, by_operator) == "NotParty"
    assert network.do_end(supplier, by_operator) == "end_lease"
    assert network.do_end(by_supplier.worker, by_supplier) == "end_lease"
    for device, lease in zip(devices, (by_operator, by_supplier), strict=True):
        assert (lease.reason, lease.held) == (BY_SUPPLIER, 0)
        assert network.do_close_lease(lease.payer, lease) == "close_lease"
        assert network.device(device).leases_failed == 1
        assert network.match(order, device) == "DeviceBarred"
    # Both places are open again: giving them up costs the fee on an hour of each.
    charged = network.give_up(order)
    assert charged == economy.fee(3 * UNITS[currency] * 4 * 2, bps)
    assert network.money(renter, currency) == purse - charged
    assert network.money(supplier, currency) == purse - staked
    assert network.fees(currency) == fees + charged


def test_an_order_that_is_cancelled_gives_back_all_but_the_fee_on_an_hour(network: Network) -> None:
    renter = network.join("undecided")
    order = network.open(renter, Terms(3 * UNITS[IO], HOURS, 2, 4, (1,), urgency=NOW))
    assert network.close(order) == "OrderBusy"
    charged = network.give_up(order)
    assert charged == economy.fee(3 * UNITS[IO] * 4 * 2, ORDERS.renter_fee_bps + ORDERS.now_fee_bps)
    assert network.money(renter) == PURSE_IO - charged


def test_operators_come_first_and_in_turns(network: Network) -> None:
    renter, supplier = network.join("patient"), network.join("eager")
    device = network.let("eager device", supplier, MINIMUM)
    order = network.open(renter, Terms(ASK_IO, HOURS, 1, 4, (1,)))
    assert network.do_match(supplier, order, device) == "ExclusiveTime"
    row = network.model.orders[order]
    tick = row.created_at // TICK + 1
    first = OPERATORS[tick % len(STAKING.operators)]
    # The tick before the opening has no such order, and the next one belongs to operators in their turns.
    assert network.do_match(first, order, device, tick=tick - 1) == "TickTooEarly"
    assert network.do_match(MALLORY, order, device, tick=tick) == "NotMatcher"
    network.wait_until(turn_opens(tick, tick % 3, 3))
    assert network.do_match(first, order, device, tick=tick) == "match_device"
    lease = network.lease(order, device)
    assert lease.rate == 4 * ASK_IO, "the network's price"
    assert network.do_end(renter, lease) == "end_lease"
    assert network.do_close_lease(lease.payer, lease) == "close_lease"
    assert network.close(order) == "close_order"


def test_a_gang_runs_together_or_not_at_all(network: Network) -> None:
    renter, supplier = network.join("boss"), network.join("gangster")
    devices = [network.let(f"gangster {number}", supplier, MINIMUM) for number in range(2)]
    order = network.open(renter, Terms(ASK_IO, HOURS, 2, 4, (1,), min_devices=2))
    for device in devices:
        assert network.match(order, device) == "match_device"
    first, second = (network.lease(order, device) for device in devices)
    assert network.do_accept(first.worker, first) == "accept_lease"
    assert (first.status, first.start) == (ACCEPTED, 0)
    assert network.do_accept(second.worker, second) == "accept_lease"
    # Anything that happens to a lease writes down that it has begun.
    assert network.do_settle(first) == "settle"
    assert first.start == second.start == network.model.orders[order].filled_at
    for lease in (first, second):
        assert network.do_end(renter, lease) == "end_lease"


def test_a_gang_that_is_not_filled_in_time_costs_nothing(network: Network) -> None:
    renter, supplier = network.join("lone boss"), network.join("lone gangster")
    devices = [network.let(f"lone gangster {number}", supplier, MINIMUM) for number in range(2)]
    order = network.open(renter, Terms(ASK_IO, HOURS, 2, 4, (1,), min_devices=2))
    for device in devices:
        assert network.match(order, device) == "match_device"
    accepted, waiting = (network.lease(order, device) for device in devices)
    assert network.do_accept(accepted.worker, accepted) == "accept_lease"
    network.wait_until(accepted.accept_until)
    for lease, reason in ((accepted, UNFILLED), (waiting, LAPSED)):
        assert network.do_end(MALLORY, lease) == "end_lease"
        assert (lease.reason, lease.paid, lease.fees) == (reason, 0, 0)
        assert network.do_close_lease(lease.payer, lease) == "close_lease"
    barred = [network.device(device).barred_until > network.now for device in devices]
    assert barred == [False, True]
    charged = network.give_up(order)
    assert network.money(renter) == PURSE_IO - charged
