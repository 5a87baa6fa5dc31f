"""The demo's tables about orders: who paid and got what, and what became of them."""

from __future__ import annotations

from collections import Counter

from solders.pubkey import Pubkey

from keeper.demo.orders import Market
from keeper.demo.sheet import Section, Sheet
from keeper.economy.calendar import HOUR
from keeper.economy.money import show
from keeper.economy.orders import ENDED, CloseReason, Currency, EndReason

CLOSED = {
    CloseReason.SERVED: "served",
    CloseReason.UNSERVED: "no device available at their price",
    CloseReason.CANCELLED: "cancelled by the renter before that",
}


def section(market: Market) -> Section:
    """Everything that people should see of the orders."""
    about = (
        "The most that an order can cost lies in a vault of its own from the moment it opens. From there "
        "suppliers are paid by the second, the network takes its fee, and what is left goes back to the "
        "renter. Leases end in every way that there is. A gang is all of an order's devices or none."
    )
    parts: list[Sheet | str] = [_money(market), _orders(market), _leases(market), _summary(market)]
    return Section("orders", "Orders and leases", about, parts)


def _money(market: Market) -> Sheet:
    books = market.books
    title = f"{len(books.orders)} orders of {len({o.renter for o in books.orders.values()})} renters"
    table = Sheet(title, ("", *(currency.name for currency in Currency)))
    rows = {
        "renters deposited": [books.deposited(each) for each in Currency],
        "- given back": [books.refunded(each) for each in Currency],
        "renters paid": [books.deposited(each) - books.refunded(each) for each in Currency],
        "- suppliers got": [books.net[each] for each in Currency],
        "- network fees, in buyback's vaults": [books.fees[each] for each in Currency],
    }
    rows["dust left in vaults"] = [
        paid - net - fees for paid, net, fees in zip(*list(rows.values())[2:], strict=True)
    ]
    for name, amounts in rows.items():
        ends = name in ("- given back", "- network fees, in buyback's vaults")
        shown = (show(amount, each) for amount, each in zip(amounts, Currency, strict=True))
        table.add_row(name, *shown, end_section=ends)
    return table


def _orders(market: Market) -> Sheet:
    orders = market.books.orders.values()
    table = Sheet("What became of the orders", ("", "orders", "devices wanted"))
    for reason, name in CLOSED.items():
        found = [order.devices for order in orders if order.reason == reason]
        table.add_row(name, str(len(found)), str(sum(found)))
    return table


def _leases(market: Market) -> Sheet:
    leases = market.books.leases
    table = Sheet("What became of the leases", ("", "leases", "hours served"))
    for reason, name in ENDED.items():
        found = [lease for lease in leases if lease.reason == reason]
        seconds = sum(lease.stop - lease.start for lease in found if lease.start)
        if found:
            table.add_row(name, str(len(found)), f"{seconds / HOUR:,.2f}")
    return table


def _summary(market: Market) -> str:
    books = market.books
    leases = books.leases
    operators = [operator.pubkey() for operator in market.stakers.operators]
    by = Counter[Pubkey](lease.matcher for lease in leases)
    lapsed = [lease for lease in leases if lease.reason in (EndReason.LAPSED, EndReason.UNFILLED)]
    again = {lease.order for lease in lapsed if books.orders[lease.order].reason == CloseReason.SERVED}
    charged = ", ".join(
        f"{show(sum(o.charged for o in books.orders.values() if o.currency == each), each)} {each.name}"
        for each in Currency
    )
    parked = ", ".join(f"{show(amount, each)} {each.name}" for each, amount in books.parked.items())
    shares = ", ".join(str(by[operator]) for operator in operators)
    return (
        f"Each lease costs its class's price at the match. {len(leases)} leases: {shares} matched by the "
        f"operators in their turns, {len(leases) - sum(by[operator] for operator in operators)} taken by "
        "suppliers five minutes after the opening, as long as no device had passed its work. "
        f"Places of {len({lease.order for lease in lapsed})} orders opened again, as "
        f"a worker didn't accept; other devices served {len(again)} of them. "
        f"{sum(bool(lease.bought) for lease in leases)} leases were extended; the guardian held the money of "
        f"{sum(lease.held for lease in leases)} back and released it. Cancelling cost {charged}. "
        f"{parked} waited for a payee whose account was frozen, and were paid. Every balance follows from "
        "the events."
    )
