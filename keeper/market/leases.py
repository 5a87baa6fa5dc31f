"""What is due for orders and leases, and what ending a lease means: pure functions of accounts and time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from solders.pubkey import Pubkey

from keeper.clients.orders import Fault, Lease, Order, Parked
from keeper.economy import orders as economy
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import EndReason, LeaseStatus, OrderStatus
from keeper.errors import UserError

SETTLE_EVERY = DAY - HOUR
"""A running lease is paid when the last payment is this long ago: once a day even if keepers are late."""
CLOSE_AFTER = HOUR
"""A lease stays for this long after it ran, so that whoever computes the hour's rewards still finds it."""


class DueKind(StrEnum):
    """What can be due, in the order in which it is done."""

    END = "end"
    SETTLE = "settle"
    PARK_PAY = "park_pay"
    PAY_PARKED = "pay_parked"
    CLOSE_LEASE = "close_lease"
    CLOSE_FAULT = "close_fault"
    REFUND = "refund"
    PARK_FEES = "park_fees"
    CLOSE_ORDER = "close_order"


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that is due, for the lease, the fault, the order or the parked money at ``address``."""

    kind: DueKind
    address: Pubkey


@dataclass(frozen=True, slots=True)
class OrderAccounts:
    """Everything of orders that is on chain, by address.

    ``blocked`` are the leases and orders whose payee, and the parked money whose destination can't be paid
    now: an account that is closed, frozen or handed over. Of an order that is the fee vault.
    """

    orders: Mapping[Pubkey, Order]
    leases: Mapping[Pubkey, Lease]
    faults: Mapping[Pubkey, Fault]
    parked: Mapping[Pubkey, Parked] = field(default_factory=dict)
    blocked: Collection[Pubkey] = ()


def due(book: OrderAccounts, now: int) -> list[Due]:
    """What anybody may and somebody should do at ``now``.

    Leases whose time to be accepted or whose hours are over end; a running lease is paid once a day, an
    ended one when all of its money is due, together with the rest of the renter's fee; what is done with
    is closed. When an order takes no more devices, its rest goes back, by closing it where no lease is
    left. Money whose payee can't be paid is parked once nothing else is left to wait for.
    """
    steps = ((address, _step(book, address, now)) for address in book.leases)
    found = [Due(kind, address) for address, kind in steps if kind]
    found += [Due(DueKind.PAY_PARKED, address) for address in book.parked if address not in book.blocked]
    for address, fault in book.faults.items():
        if fault.lease not in book.leases:
            found.append(Due(DueKind.CLOSE_FAULT, address))
    for address, order in book.orders.items():
        if order.takes_devices(now):
            continue
        if order.leases == 0:
            parks = order.fees_due > 0 and address in book.blocked
            found.append(Due(DueKind.PARK_FEES if parks else DueKind.CLOSE_ORDER, address))
        elif order.refundable(now) > 0:
            found.append(Due(DueKind.REFUND, address))
    return sorted(found, key=lambda action: list(DueKind).index(action.kind))


def _step(book: OrderAccounts, address: Pubkey, now: int) -> DueKind | None:
    """The next step that is due for a lease, None when none is."""
    order = book.orders[book.leases[address].order]
    lease = book.leases[address].begun(order)
    if lease.status in (LeaseStatus.MATCHED, LeaseStatus.ACCEPTED):
        return DueKind.END if now >= lease.accept_until else None
    if lease.status == LeaseStatus.RUNNING and now >= lease.stop:
        return DueKind.END
    if lease.due(order, now):
        everything = lease.status == LeaseStatus.ENDED and lease.due_until(order, now) == lease.stop
        if address in book.blocked and lease.due(order, now).net:
            # Nobody waits for it before the end, and until then its owner can put its account right.
            return DueKind.PARK_PAY if everything else None
        return DueKind.SETTLE if everything or now - last_paid(order, lease) >= SETTLE_EVERY else None
    if lease.status == LeaseStatus.ENDED and lease.held == 0:
        # One that never ran keeps its device out of the order: closed at once.
        ran_until = min(lease.ended_at, lease.start + lease.hours * HOUR) if lease.start else 0
        return DueKind.CLOSE_LEASE if now >= ran_until + CLOSE_AFTER else None
    return None


def last_paid(order: Order, lease: Lease) -> int:
    """When a lease was last settled, at the earliest, from what was paid by then; its start if it wasn't."""
    if not lease.paid:
        return lease.start
    return lease.start + -(-lease.paid * HOUR // lease.rate) + order.settlement_lag


@dataclass(frozen=True, slots=True)
class Ending:
    """What ending a lease does: it earns until ``stop``; ``released`` is free again.

    ``pay`` for its supplier and ``fee``, the rest of the renter's fee, are still held. ``order`` is the order
    as that leaves it: a place that was never served a whole hour is open again, and what the renter withdraws
    before it runs costs the fee on an hour.
    """

    reason: EndReason
    stop: int
    pay: int
    fee: int
    released: int
    order: Order


class EndingRefused(UserError):
    """A lease that has ended already, or is not the caller's to end."""


def ending(order: Order, lease: Lease, caller: Pubkey, now: int, *, worker_may_end: bool) -> Ending:
    """What happens when ``caller`` ends a lease at ``now``; raises EndingRefused when it may not.

    A renter pays the first hour in full and then by the second; a supplier gets nothing for the hour that
    it breaks off in. What was due is never taken back. The worker ends a running lease as its supplier does
    where the supplier allows it on the device: ``worker_may_end``.
    """
    lease = lease.begun(order)
    if lease.status == LeaseStatus.ENDED:
        raise EndingRefused(f"the lease {lease.address} has ended already")
    if lease.start == 0:
        return _dropping(order, lease, caller, now)
    renter = caller == order.renter
    supplier = caller == lease.supplier or (caller == lease.worker and worker_may_end)
    served = now - lease.start
    if now >= lease.stop:
        reason, stop = EndReason.COMPLETED, lease.stop
    elif renter:
        reason, stop = EndReason.RENTER, lease.start + max(served, HOUR)
    elif supplier:
        reason, stop = EndReason.SUPPLIER, lease.start + served - served % HOUR
    elif caller == lease.worker:
        raise EndingRefused(f"the device of {lease.address} doesn't let its worker end a lease that runs")
    else:
        raise EndingRefused(f"{caller} is neither renter nor supplier of {lease.address}")
    stop = min(max(stop, lease.due_until(order, now)), lease.stop)
    pay = economy.earned(lease.rate, stop - lease.start) - lease.paid
    fee = replace(lease, stop=stop, reason=reason).renter_fee - lease.fees
    released = lease.held - pay - fee
    after = _released(order, released, left=stop == lease.start)
    if stop == lease.start:
        after = _reopened(after, now)
    return Ending(reason, stop, pay, fee, released, after)


def _dropping(order: Order, lease: Lease, caller: Pubkey, now: int) -> Ending:
    """As :func:`ending`, of a lease that doesn't run yet."""
    stranded = order.is_stranded(now)
    if now >= lease.accept_until:
        blameless = stranded or lease.status == LeaseStatus.ACCEPTED
        reason = EndReason.UNFILLED if blameless else EndReason.LAPSED
    elif caller == order.renter:
        reason = EndReason.WITHDRAWN
    elif caller in (lease.supplier, lease.worker):
        reason = EndReason.UNFILLED if stranded else EndReason.DECLINED
    else:
        raise EndingRefused(f"{caller} is neither renter nor supplier of {lease.address}")
    cancelled = order.status == OrderStatus.CANCELLED
    # In a cancelled order nothing opens again, and who didn't come in time isn't counted as having left.
    waited = cancelled and reason in (EndReason.LAPSED, EndReason.UNFILLED)
    after = _released(order, lease.held, left=not waited)
    if reason == EndReason.WITHDRAWN:
        # Half a gang is of no use: to withdraw one of its devices is to want none.
        if order.is_unfilled_gang and not cancelled:
            after = _charged(after, after.cancel_fee(now))
            after = replace(after, status=OrderStatus.CANCELLED, open=0)
        after = _charged(after, _hour_fee(after))
    elif reason == EndReason.UNFILLED and cancelled:
        after = _charged(after, _hour_fee(after))
    else:
        after = _reopened(after, now)
    return Ending(reason, 0, 0, 0, lease.held, after)


def _released(order: Order, amount: int, *, left: bool) -> Order:
    """The order with money of a lease free again, and its place, which is ``left`` if it wasn't served."""
    taken = order.taken - left
    return replace(order, held=order.held - amount, free=order.free + amount, taken=taken)


def _charged(order: Order, amount: int) -> Order:
    """The order with a fee taken out of what is free."""
    fees, due = order.fees + amount, order.fees_due + amount
    return replace(order, free=order.free - amount, fees=fees, fees_due=due)


def _hour_fee(order: Order) -> int:
    """The fee for a device that the renter gives up before it ran."""
    return economy.cancel_fee(order.hourly, 1, order.renter_fee_bps, order.free)


def _reopened(order: Order, now: int) -> Order:
    """The order with one place more, and its time for it, unless it was cancelled.

    Places that nobody took before the end of the matching stay over, and so does a gang to which too few are
    left.
    """
    if order.status == OrderStatus.CANCELLED:
        return order
    places = 1 + (order.open if now < order.match_until else 0)
    if order.is_unfilled_gang and places + order.taken < order.terms.min_devices:
        return replace(order, open=0)
    until = max(order.match_until, now + order.match_window)
    return replace(order, open=places, match_until=until)
