"""Leases that end otherwise: not accepted, declined, withdrawn, by the renter, by a fault, under a hold."""

from keeper.economy import orders as economy
from tests.e2e.network import ORDERS, PURSE_IO, Network
from tests.model.orders.state import BY_FAULT, BY_RENTER, DECLINED, IO, LAPSED, WITHDRAWN, Lease, Terms
from tests.model.state import Address
from tests.programs.orders.calls import OPERATORS
from tests.programs.orders.world import ASK_IO, MINIMUM
from tests.programs.side_by_side import GUARDIAN, MALLORY

HOURS = 10
RATE = 4 * ASK_IO
FEE = economy.fee(economy.principal(RATE, HOURS), ORDERS.renter_fee_bps)
EVIDENCE = b"e" * 32


HOUR_FEE = economy.fee(RATE, ORDERS.renter_fee_bps)
"""What it costs to give up a place early."""


def rent(network: Network, name: str) -> tuple[Address, Address, Address]:
    """A renter's order for one device, the device, and the renter."""
    renter, supplier = network.join(f"{name} renter"), network.join(f"{name} supplier")
    device = network.let(f"{name} device", supplier, MINIMUM)
    return network.open(renter, Terms(ASK_IO, HOURS, 1, 4, (1,))), device, renter


def closed(network: Network, lease: Lease) -> bool:
    return network.do_close_lease(lease.payer, lease) == "close_lease"


def test_a_lease_that_nobody_accepts_costs_the_device_its_place_for_an_hour(network: Network) -> None:
    renter, supplier = network.join("unaccepted renter"), network.join("unaccepted supplier")
    devices = [network.let(f"unaccepted device {number}", supplier, MINIMUM) for number in range(3)]
    order = network.open(renter, Terms(ASK_IO, HOURS, 1, 4, (1,)))
    device = devices[0]
    assert network.match(order, device) == "match_device"
    lapsed = network.lease(order, device)
    assert network.do_end(MALLORY, lapsed) == "NotParty"
    network.wait_until(lapsed.accept_until)
    assert network.do_accept(lapsed.worker, lapsed) == "AcceptanceOver"
    assert network.do_end(MALLORY, lapsed) == "end_lease"
    assert (lapsed.reason, network.model.orders[order].open) == (LAPSED, 1)
    assert closed(network, lapsed)
    assert network.device(device).barred_until > network.now
    assert network.match(order, device) == "DeviceBarred"

    device = devices[1]
    assert network.match(order, device, OPERATORS[1]) == "match_device"
    declined = network.lease(order, device)
    assert network.do_end(declined.worker, declined) == "end_lease"
    assert (declined.reason, network.model.orders[order].open) == (DECLINED, 1)
    assert closed(network, declined)

    device = devices[2]
    assert network.match(order, device) == "match_device"
    withdrawn = network.lease(order, device)
    assert network.do_end(renter, withdrawn) == "end_lease"
    assert (withdrawn.reason, network.model.orders[order].open) == (WITHDRAWN, 0)
    assert network.close(order) == "OrderBusy"
    assert closed(network, withdrawn)
    assert network.close(order) == "close_order"
    assert network.money(renter) == PURSE_IO - HOUR_FEE
    rows = [network.device(each) for each in devices]
    assert [(row.leases_failed, row.strikes) for row in rows] == [(0, 1), (0, 1), (0, 0)]


def test_a_renter_who_leaves_owes_the_first_hour(network: Network) -> None:
    order, device, renter = rent(network, "leaving")
    lease = network.run(order, device)
    assert network.do_end(MALLORY, lease) == "NotParty"
    assert network.do_end(renter, lease) == "end_lease"
    assert (lease.reason, lease.held) == (BY_RENTER, economy.earned(RATE, 3_600) + FEE)
    assert network.refund(order) == "refund"
    assert network.money(renter) == PURSE_IO - lease.held
    assert network.do_settle(lease) == "settle"
    assert lease.paid == 0, "the hour is not over"
    assert network.do_close_lease(lease.payer, lease) == "LeaseNotPaid"
    assert network.close(order) == "OrderBusy"


def test_operators_attest_a_fault_in_the_first_hour(network: Network) -> None:
    order, device, renter = rent(network, "faulty")
    lease = network.run(order, device)
    assert network.do_vote(MALLORY, lease, EVIDENCE, 0) == "NotOperator"
    assert network.do_vote(OPERATORS[0], lease, EVIDENCE, 0) == "vote_fault"
    assert network.do_vote(OPERATORS[0], lease, EVIDENCE, 0) == "AlreadyVoted"
    # Another opinion is another fault: one vote each decides nothing.
    assert network.do_vote(OPERATORS[1], lease, EVIDENCE, 1) == "vote_fault"
    assert network.do_vote(OPERATORS[2], lease, EVIDENCE, 1) == "FaultInvalid"
    assert network.do_vote(OPERATORS[2], lease, EVIDENCE, 0) == "vote_fault"
    assert (lease.reason, lease.held) == (BY_FAULT, 0)
    assert closed(network, lease)
    address = network.address_of(lease)
    for name, fault in list(network.model.faults.items()):
        if name[0] == address:
            assert network.do_close_fault(fault.payer, name) == "close_fault"
    assert network.give_up(order) == HOUR_FEE, "the place is open again"
    assert network.money(renter) == PURSE_IO - HOUR_FEE
    assert network.device(device).leases_failed == 1


def test_the_guardian_holds_money_back_for_a_while(network: Network) -> None:
    order, device, renter = rent(network, "disputed")
    lease = network.run(order, device)
    until = network.now + 600
    assert network.do_hold(MALLORY, lease, until) == "NotGuardian"
    assert network.do_hold(GUARDIAN, lease, until) == "hold_lease"
    assert network.do_hold(GUARDIAN, lease, until + 1) == "HoldInvalid"
    assert network.do_hold(GUARDIAN, lease, network.now + 15) == "hold_lease"
    assert network.do_settle(lease) == "settle"
    network.wait_until(lease.hold_until)
    assert network.do_hold(GUARDIAN, lease, until) == "HoldInvalid"
    assert network.device(device).disputes == 1
    # A hold stands in nobody's way: the supplier breaks off, and everything unpaid is the renter's.
    assert network.do_end(lease.supplier, lease) == "end_lease"
    assert closed(network, lease)
    assert network.give_up(order) == HOUR_FEE
    assert network.money(renter, IO) == PURSE_IO - HOUR_FEE
