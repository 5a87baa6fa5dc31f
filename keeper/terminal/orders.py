"""What ``ionet order`` shows of orders and leases: status in words, time left, money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from keeper.clients.orders import Config, Lease, Order, Parked
from keeper.clients.staking import Class
from keeper.economy.calendar import duration, moment
from keeper.economy.money import show
from keeper.economy.orders import ENDED, Currency, EndReason, LeaseStatus, OrderStatus
from keeper.terminal.answers import leasing
from keeper.terminal.tables import plain


def order_status(order: Order, now: int) -> str:
    """An order's status, in words."""
    if order.takes_devices(now):
        return "looks for devices"
    if order.leases:
        return "cancelled, has leases" if order.status == OrderStatus.CANCELLED else "has leases"
    return "served, can be closed" if order.served else "unserved, can be closed"


def lease_status(lease: Lease, now: int) -> str:
    """A lease's status, in words."""
    if lease.status == LeaseStatus.ENDED:
        return ENDED[EndReason(lease.reason)]
    if lease.status == LeaseStatus.MATCHED:
        return "waits for the worker" if now < lease.accept_until else "not accepted, can be ended"
    if lease.status == LeaseStatus.ACCEPTED:
        return "waits for the rest of its gang" if now < lease.accept_until else "unfilled, can be ended"
    if now >= lease.stop:
        return "over, can be ended"
    return "runs, money held by the guardian" if now < lease.hold_until else "runs"


def order_left(order: Order, now: int) -> str:
    """How much longer an order looks for devices."""
    return duration(order.match_until - now) if order.takes_devices(now) else "-"


def lease_left(lease: Lease, now: int) -> str:
    """How much longer a lease runs, or its worker has to accept it."""
    until = {LeaseStatus.MATCHED: lease.accept_until, LeaseStatus.RUNNING: lease.stop}
    left = until.get(LeaseStatus(lease.status), now) - now
    return duration(left) if left > 0 else "-"


def orders(found: Sequence[Order], now: int) -> Table:
    """A line for each order."""
    table = plain(
        f"Orders at {moment(now)}", "order", "status", "left", "devices", "free", "held", "paid", ""
    )
    table.columns[1].justify = "left"
    for order in found:
        currency = order.terms.currency
        money = (show(amount, currency) for amount in (order.free, order.held, order.paid))
        devices = f"{order.leases} of {order.terms.devices}"
        status = (order_status(order, now), order_left(order, now))
        table.add_row(str(order.address), *status, devices, *money, currency.name)
    return table


def terms(order: Order, classes: Mapping[int, Class], now: int) -> Table:
    """What was asked for, and the order's status."""
    asked = order.terms
    table = plain(f"Order {order.address} at {moment(now)}", "", "")
    names = ", ".join(classes[number].name for number in asked.classes)
    rows = {
        "status": order_status(order, now),
        "time left to match": order_left(order, now),
        "renter": str(order.renter),
        "opened": moment(order.created_at),
        "devices": f"{asked.devices}: {order.leases} matched, {order.open} open, "
        f"{order.served} accepted so far",
        "run once accepted": str(asked.min_devices),
        "each": f"{asked.processors} processors of {names}, tier {asked.min_tier} or better",
        "hours": str(asked.hours),
        "countries": (", ".join(asked.countries) or "any") + (", all in one" if asked.colocated else ""),
        "urgency": asked.urgency.name.lower(),
        "most for a processor and hour": f"{show(asked.price, asked.currency)} {asked.currency.name}",
        "renter's fee": f"{order.renter_fee_bps / 100:g} %",
        "supplier's fee": f"{order.supplier_fee_bps / 100:g} %",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def order_json(order: Order, classes: Mapping[int, Class], now: int) -> leasing.Order:
    """An order for programs: amounts in base units as text, times unix seconds."""
    asked = order.terms
    return {
        "order": str(order.address),
        "renter": str(order.renter),
        "status": order_status(order, now),
        "currency": asked.currency.name,
        "created_at": order.created_at,
        "match_until": order.match_until,
        "classes": [classes[number].name for number in asked.classes],
        "processors": asked.processors,
        "min_tier": asked.min_tier,
        "countries": list(asked.countries),
        "colocated": asked.colocated,
        "urgency": asked.urgency.name.lower(),
        "hours": asked.hours,
        "price": str(asked.price),
        "devices": asked.devices,
        "min_devices": asked.min_devices,
        "open": order.open,
        "leases": order.leases,
        "served": order.served,
        "deposit": str(order.deposit),
        "free": str(order.free),
        "held": str(order.held),
        "paid": str(order.paid),
        "fees": str(order.fees),
        "refunded": str(order.refunded),
        "refundable": str(order.refundable(now)),
    }


def money(order: Order, leases: Sequence[Lease], now: int) -> Table:
    """Where all deposited money is."""
    currency = order.terms.currency
    due = sum(lease.due(order, now).amount for lease in leases if lease.start)
    table = plain("Money", "", currency.name)
    parts = (order.free, order.held, order.paid, order.fees, order.refunded)
    names = ("free", "held for leases, their fee included", "paid to suppliers", "fees", "given back")
    if order.fees_due:
        table.caption = f"{show(order.fees_due, currency)} of the fees are still in the vault"
    for name, amount in zip(names, parts, strict=True):
        table.add_row(name, show(amount, currency), end_section=name == names[-1])
    table.add_row("deposited in all", show(order.deposit, currency), end_section=True)
    table.add_row("can be given back now", show(order.refundable(now), currency))
    table.add_row("due to suppliers now, of what is held", show(due, currency))
    return table


def leases(order: Order, found: Sequence[Lease], now: int) -> Table:
    """A line for each lease."""
    columns = ("device", "status", "left", "an hour", "held", "due now", "paid")
    table = plain(f"Leases, {order.terms.currency.name}", *columns)
    table.columns[1].justify = "left"
    for lease in found:
        due = lease.due(order, now).amount if lease.start else 0
        amounts = (show(amount, order.terms.currency) for amount in (lease.rate, lease.held, due, lease.paid))
        status = (lease_status(lease, now), lease_left(lease, now))
        table.add_row(str(lease.device), *status, *amounts)
    return table


def lease_json(lease: Lease, order: Order, now: int) -> leasing.Lease:
    """A lease for programs: amounts in base units as text, times unix seconds."""
    return {
        "lease": str(lease.address),
        "device": str(lease.device),
        "supplier": str(lease.supplier),
        "worker": str(lease.worker),
        "status": LeaseStatus(lease.status).name.lower(),
        "words": lease_status(lease, now),
        "reason": EndReason(lease.reason).name.lower(),
        "rate": str(lease.rate),
        "accept_until": lease.accept_until,
        "start": lease.start,
        "stop": lease.stop,
        "hold_until": lease.hold_until,
        "held": str(lease.held),
        "due": str(lease.due(order, now).amount if lease.start else 0),
        "paid": str(lease.paid),
    }


def parked_json(config: Config, found: Parked) -> leasing.ParkedMoney:
    """What is set aside for a payee, for programs: base units as text."""
    return {
        "wallet": str(found.wallet),
        "amount": str(found.amount),
        "currency": _currency(config, found).name,
        "destination": str(found.destination),
    }


def _currency(config: Config, found: Parked) -> Currency:
    return Currency.IO if found.mint == config.io_mint else Currency.USDC


def parked(config: Config, found: Sequence[Parked]) -> Table:
    """A line for each payee whose money is set aside."""
    table = plain("Set aside", "whose", "amount", "", "to be paid into")
    table.columns[2].justify = table.columns[3].justify = "left"
    for each in found:
        currency = _currency(config, each)
        table.add_row(str(each.wallet), show(each.amount, currency), currency.name, str(each.destination))
    return table
