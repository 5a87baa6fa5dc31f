"""What ``ionet history`` and receipts show: events in words, with amounts, and what became of an order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from keeper.chain.framework import LAMPORTS
from keeper.economy.calendar import duration, moment
from keeper.economy.money import show
from keeper.economy.orders import ENDED, CloseReason, Currency, EndReason, LeaseStatus
from keeper.indexer.lookup import Happened, Receipt
from keeper.indexer.words import words
from keeper.terminal.answers import leasing, looking
from keeper.terminal.tables import plain


def as_json(each: Happened) -> looking.Event:
    """An event for programs: 64-bit figures as text, as JSON's readers may round them."""
    found = each.json()
    return {
        "slot": found["slot"],
        "time": found["time"],
        "signature": found["signature"],
        "program": found["program"],
        "event": found["event"],
        "currency": found["currency"],
        "fields": found["fields"],
        "fee": None if each.fee is None else str(each.fee),
        "words": words(each),
        "place": str(each.cursor),
    }


def lines(found: Sequence[Happened], named: Mapping[str, str]) -> Iterator[str]:
    """Events for people: a line for each transaction, with its time and fee, and one for each event in it.

    Lines are as long as they are, as addresses are for copying. ``named`` has other words for some.
    """
    before = None
    for each in found:
        if each.signature != before:
            fee = "" if each.fee is None else f", fee {each.fee / LAMPORTS:.9f} SOL"
            yield f"{moment(each.place.time)}, transaction {each.signature}{fee}"
            before = each.signature
        said = words(each)
        for address, name in named.items():
            said = re.sub(f"((order|device|lease) )?{address}", name, said)
        yield f"    {said}"


# -- receipts ------------------------------------------------------------------------------------


def order_json(each: Receipt) -> leasing.OrderReceipt:
    """A receipt for programs: amounts in base units, as text."""
    row = each.order
    return {
        "order": row["address"],
        "renter": row["renter"],
        "currency": Currency(row["currency"]).name,
        "opened": row["created_at"],
        "closed": row["closed_at"],
        "close_reason": _close_reason(row),
        "deposit": str(row["deposit"]),
        "paid": str(row["paid"]),
        "fees": str(row["fees"]),
        "refunded": str(row["refunded"]),
        "free": str(row["free"]),
        "held": str(row["held"]),
        "surplus": None if row["surplus"] is None else str(row["surplus"]),
        "leases": [_lease_json(each, lease) for lease in each.leases],
        "payments": [as_json(payment) for payment in each.payments],
    }


def _close_reason(row: Mapping[str, Any]) -> str | None:
    return None if row["close_reason"] is None else CloseReason(row["close_reason"]).name.lower()


def _lease_json(each: Receipt, lease: Mapping[str, Any]) -> leasing.LeaseReceipt:
    net, fees = lease_sums(each, lease)
    return {
        "lease": lease["address"],
        "device": lease["device"],
        "supplier": lease["supplier"],
        "worker": lease["worker"],
        "payout": lease["payout"],
        "state": lease["state"],
        "matched_at": lease["matched_at"],
        "start": lease["start"],
        "stop": lease["stop"],
        "ended_at": lease["ended_at"],
        "ended": ENDED.get(EndReason(lease["reason"])),
        "hours": lease["hours"],
        "rate": str(lease["rate"]),
        "paid": str(net),
        "fees": str(fees),
    }


def lease_sums(each: Receipt, lease: Mapping[str, Any]) -> tuple[int, int]:
    """What a lease paid to its supplier, and both fees on that, base units."""
    mine = [payment.event.fields for payment in each.worked(lease)]
    net = sum(fields["amount"] - fields["fee"] for fields in mine)
    return net, sum(fields["fee"] + fields["renter_fee"] for fields in mine)


def receipt(each: Receipt) -> list[Table]:
    """What an order came to: money in and out, and its leases."""
    row = each.order
    currency = Currency(row["currency"])
    facts = plain("Receipt", "", "")
    closed = "still there" if row["closed_at"] is None else moment(row["closed_at"])
    if reason := _close_reason(row):
        closed += f", {reason}"
    for name, value in (
        ("order", row["address"]),
        ("renter", row["renter"]),
        ("opened", moment(row["created_at"])),
        ("closed", closed),
    ):
        facts.add_row(name, value)
    sums = plain("Money", "", currency.name)
    sums.add_row("escrowed", show(row["deposit"], currency), end_section=True)
    for name, column in (
        ("paid to suppliers", "paid"),
        ("fees", "fees"),
        ("given back", "refunded"),
        ("held for leases", "held"),
        ("free", "free"),
    ):
        sums.add_row(name, show(row[column], currency))
    if row["surplus"]:
        sums.add_row("sent to it by others, to the renter", show(row["surplus"], currency))
    return [facts, sums, *([_leases(each, currency)] if each.leases else [])]


def _leases(each: Receipt, currency: Currency) -> Table:
    """Three lines for each lease: its device, how it went with its figures, and who was paid."""
    table = plain(f"Leases, {currency.name}", "", "paid", "fees")
    for lease in each.leases:
        net, fees = lease_sums(each, lease)
        how = ENDED.get(EndReason(lease["reason"]), LeaseStatus(lease["status"]).name.lower())
        ran = f", ran {duration(lease['stop'] - lease['start'])}" if lease["start"] else ""
        table.add_row(lease["device"], "", "")
        table.add_row(f"  {how}{ran}", show(net, currency), show(fees, currency))
        table.add_row(f"  to {lease['payout']}", "", "")
    return table
