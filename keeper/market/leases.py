"""What is due for orders and leases, and what ending a lease means: pure functions of accounts and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from solders.pubkey import Pubkey

from keeper.clients.orders import Fault, Lease, Order
from keeper.economy import orders as economy
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import EndReason, LeaseStatus
from keeper.errors import UserError

SETTLE_EVERY = DAY - HOUR
"""A running lease is paid when the last payment is this long ago: once a day even if keepers are late."""
CLOSE_AFTER = HOUR
"""A lease stays for this long after it ran, so that whoever computes the hour's rewards still finds it."""


class DueKind(StrEnum):
    """What can be due, in the order in which it is done."""

    END = "end"
    SETTLE = "settle"
    CLOSE_LEASE = "close_lease"
    CLOSE_FAULT = "close_fault"
    REFUND = "refund"
    CLOSE_ORDER = "close_order"


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that is due, for the lease, the fault or the order at ``address``."""

    kind: DueKind
    address: Pubkey


@dataclass(frozen=True, slots=True)
class OrderAccounts:
    """Everything of orders that is on chain, by address."""

    orders: Mapping[Pubkey, Order]
    leases: Mapping[Pubkey, Lease]
    faults: Mapping[Pubkey, Fault]


def due(book: OrderAccounts, now: int) -> list[Due]:
    """What anybody may and somebody should do at ``now``.

    Leases whose time to be accepted or whose hours are over end; a running lease is paid once a day, an
    ended one when all of its money is due, together with the rest of the renter's fee; what is done with
    is closed. When an order takes no more devices, its rest goes back, by closing it where no lease is
    left.
    """
    steps = ((address, _step(book, lease, now)) for address, lease in book.leases.items())
    found = [Due(kind, address) for address, kind in steps if kind]
    for address, fault in book.faults.items():
        if fault.lease not in book.leases:
            found.append(Due(DueKind.CLOSE_FAULT, address))
    for address, order in book.orders.items():
        if order.takes_devices(now):
            continue
        if order.leases == 0:
            found.append(Due(DueKind.CLOSE_ORDER, address))
        elif order.refundable(now) > 0:
            found.append(Due(DueKind.REFUND, address))
    return sorted(found, key=lambda action: list(DueKind).index(action.kind))


def _step(book: OrderAccounts, lease: Lease, now: int) -> DueKind | None:
    """The next step that is due for a lease, None when none is."""
    order = book.orders[lease.order]
    if lease.status == LeaseStatus.MATCHED:
        return DueKind.END if now >= lease.accept_until else None
    if lease.status == LeaseStatus.RUNNING and now >= lease.stop:
        return DueKind.END
    if lease.due(order, now):
        everything = lease.status == LeaseStatus.ENDED and lease.due_until(order, now) == lease.stop
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

    ``pay`` for its supplier and ``fee``, the rest of the renter's fee, are still held.
    """

    reason: EndReason
    stop: int
    pay: int
    fee: int
    released: int


class EndingRefused(UserError):
    """A lease that has ended already, or is not the caller's to end."""


def ending(order: Order, lease: Lease, caller: Pubkey, now: int) -> Ending:
    """What happens when ``caller`` ends a lease at ``now``; raises EndingRefused when it may not.

    A renter pays the first hour in full and then by the second; a supplier gets nothing for the hour that
    it breaks off in. What was due is never taken back. The renter's fee is charged in full unless the
    supplier ended the lease.
    """
    renter, supplier = caller == order.renter, caller in (lease.supplier, lease.worker)
    if lease.status == LeaseStatus.ENDED:
        raise EndingRefused(f"the lease {lease.address} has ended already")
    if lease.status == LeaseStatus.MATCHED:
        if now >= lease.accept_until:
            reason = EndReason.LAPSED
        elif renter or supplier:
            reason = EndReason.WITHDRAWN if renter else EndReason.DECLINED
        else:
            raise EndingRefused(f"{caller} is neither renter nor supplier of {lease.address}")
        return Ending(reason, 0, 0, 0, lease.held)
    served = now - lease.start
    if now >= lease.stop:
        reason, stop = EndReason.COMPLETED, lease.stop
    elif renter:
        reason, stop = EndReason.RENTER, lease.start + max(served, HOUR)
    elif supplier:
        reason, stop = EndReason.SUPPLIER, lease.start + served - served % HOUR
    else:
        raise EndingRefused(f"{caller} is neither renter nor supplier of {lease.address}")
    stop = min(max(stop, lease.due_until(order, now)), lease.stop)
    pay = economy.earned(lease.rate, stop - lease.start) - lease.paid
    fee = replace(lease, stop=stop, reason=reason).renter_fee - lease.fees
    return Ending(reason, stop, pay, fee, lease.held - pay - fee)
