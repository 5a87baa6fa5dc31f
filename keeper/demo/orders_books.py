"""The demo's orders as their events alone show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from keeper.chain import Event
from keeper.chain.program import Fields
from keeper.economy.orders import CloseReason, Currency, EndReason, Urgency


@dataclass(slots=True)
class BookedLease:
    """A lease as its events show it; amounts in base units, ``bought`` the hours of each extension."""

    order: Pubkey
    device: Pubkey
    matcher: Pubkey
    supplier: Pubkey
    rate: int
    hours: int
    matched_at: int
    accepted_at: int = 0
    bought: list[int] = field(default_factory=list)
    start: int = 0
    stop: int = 0
    reason: EndReason = EndReason.NONE
    paid: int = 0
    fees: int = 0
    net: int = 0
    """Of what was paid, what its supplier got."""
    held: bool = False


@dataclass(slots=True)
class BookedOrder:
    """An order as its events show it; amounts in base units.

    ``charged`` is the fee on places that were cancelled, ``cancelled`` their number, ``earned`` what the
    network got.
    """

    renter: Pubkey
    opened_at: int
    currency: Currency
    urgency: Urgency
    devices: int
    price: int
    processors: int
    renter_fee_bps: int
    supplier_fee_bps: int
    deposited: int = 0
    refunded: int = 0
    cancelled: int = 0
    charged: int = 0
    earned: int = 0
    reason: CloseReason | None = None
    surplus: int = 0


@dataclass(slots=True)
class Books:
    """Everything that happened."""

    events: Sequence[tuple[int, Event]] = ()
    orders: dict[Pubkey, BookedOrder] = field(default_factory=dict)
    leases: list[BookedLease] = field(default_factory=list)
    earned: Counter[tuple[Pubkey, Currency]] = field(default_factory=Counter)
    net: Counter[Currency] = field(default_factory=Counter)
    fees: Counter[Currency] = field(default_factory=Counter)
    parked: Counter[Currency] = field(default_factory=Counter)
    """What waited for payees that could not be paid."""

    def deposited(self, currency: Currency) -> int:
        """All that renters ever deposited."""
        return sum(each.deposited for each in self.orders.values() if each.currency == currency)

    def refunded(self, currency: Currency) -> int:
        """All that went back to them."""
        return sum(each.refunded for each in self.orders.values() if each.currency == currency)


def keep(events: Sequence[tuple[int, Event]]) -> Books:
    """Keep the books from the program's events."""
    books = Books(events)
    current: dict[Pubkey, BookedLease] = {}
    for at, event in events:
        if event.name == "LeaseMatched":
            names = ("order", "device", "matcher", "supplier", "rate", "hours")
            lease = BookedLease(**{name: event.fields[name] for name in names}, matched_at=at)
            current[event.fields["lease"]] = lease
            books.leases.append(lease)
        _keep_order(books, event.name, event.fields, at)
        _keep_lease(current, event.name, event.fields, at)
        _keep_pay(books, current, event.name, event.fields)
    return books


def _keep_order(books: Books, name: str, fields: Fields, at: int) -> None:
    match name:
        case "BookProduct":
            terms = fields["terms"]
            books.orders[fields["cluster_id"]] = BookedOrder(
                fields["customer_id"],
                at,
                Currency(fields["currency"]),
                Urgency(terms["urgency"]),
                terms["devices"],
                terms["price"],
                terms["processors"],
                fields["renter_fee_bps"],
                fields["supplier_fee_bps"],
            )
        case "Pay":
            books.orders[fields["cluster_id"]].deposited += fields["amount"]
        case "Refund":
            books.orders[fields["cluster_id"]].refunded += fields["amount"]
        case "OrderCancelled":
            order = books.orders[fields["order"]]
            order.cancelled, order.charged = fields["open"], fields["charged"]
        case "Earn":
            order = books.orders[fields["cluster_id"]]
            order.earned += fields["amount"]
            books.fees[order.currency] += fields["amount"]
        case "OrderClosed":
            order = books.orders[fields["order"]]
            order.reason, order.surplus = CloseReason(fields["reason"]), fields["surplus"]


def _keep_lease(current: Mapping[Pubkey, BookedLease], name: str, fields: Fields, at: int) -> None:
    match name:
        case "LeaseAccepted" | "LeaseStarted":
            lease = current[fields["lease"]]
            lease.start, lease.accepted_at = fields["start"], lease.accepted_at or at
        case "Extend":
            current[fields["lease"]].bought.append(fields["extended_minutes"] // 60)
        case "LeaseHeld":
            current[fields["lease"]].held = True
        case "LeaseEnded":
            lease = current[fields["lease"]]
            lease.stop, lease.reason = fields["stop"], EndReason(fields["reason"])


def _keep_pay(books: Books, current: Mapping[Pubkey, BookedLease], name: str, fields: Fields) -> None:
    if name not in {"Worked", "PayParked"}:
        return
    lease = current[fields["lease"]]
    currency = books.orders[lease.order].currency
    if name == "PayParked":
        books.parked[currency] += fields["amount"]
        return
    net = fields["amount"] - fields["fee"]
    lease.paid += fields["amount"]
    lease.net += net
    lease.fees += fields["fee"] + fields["renter_fee"]
    books.earned[fields["payout"], currency] += net
    books.net[currency] += net
