"""What ``ionet history`` and receipts show: events in words, with amounts, and what became of an order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from keeper.clients.programs import PROGRAMS
from keeper.db.types import jsonable
from keeper.economy.calendar import duration, moment
from keeper.economy.money import show
from keeper.economy.orders import CloseReason, Currency, EndReason, LeaseStatus
from keeper.indexer.lookup import Happened, Receipt
from keeper.terminal.orders import ENDED
from keeper.terminal.tables import plain

WORDS: Mapping[str, str] = {
    # tokenomics
    "Launched": "the network began, {minted:io} were minted",
    "Emitted": "{amount:io} were emitted for rewards",
    "Released": "{amount:io} of a vesting allocation were paid to {beneficiary}",
    "AllocationAdded": "a vesting allocation of {amount:io} for {beneficiary}",
    "BeneficiaryProposed": "{beneficiary} offered an allocation to {pending}",
    "BeneficiaryChanged": "an allocation passed from {from} to {to}",
    "SeasonOpened": "season {season} was funded by {funder}",
    "SeasonClaimed": "{wallet} was paid {amount:io} of season {season}",
    "Burned": "{owner} burned {amount:io}",
    # staking
    "WalletOpened": "{wallet} can earn from now on",
    "RewardClaimed": "{wallet} was paid {amount:io} of rewards, {claimed:io} in all",
    "DeviceRegistered": "{supplier} registered device {device}",
    "DeviceChanged": "device {device} asks {ask_io:io} or {ask_usdc:usdc} an hour",
    "PayoutChanged": "device {device} earns for {to}, no longer for {from}",
    "DeviceTerminated": "device {device} was ended for good",
    "DeviceClosed": "device {device} was closed",
    "Staked": "{supplier} put {amount:io} on device {device}",
    "Unstaked": "{supplier} takes {own:io} out of device {device}, free at {until:at}",
    "Withdrawn": "{supplier} got {amount:io} back from device {device}",
    "OverflowWithdrawn": "{supplier} got {amount:io} back that device {device} didn't need",
    "OfferOpened": "device {device} looks for a co-stake of {amount:io} for {reward_bps:bps}",
    "OfferClosed": "device {device} looks for no co-stake any more",
    "CoStaked": "{staker} put a co-stake of {amount:io} on device {device}",
    "CoStakerLeft": "{staker} leaves device {device}, which waits until {until:at}",
    "CoStakeWithdrawn": "{staker} got a co-stake of {amount:io} back from device {device}",
    "SlashVoted": "{operator} voted to slash device {device} by {bps:bps}",
    "SlashAppealed": "the slash of device {device} was appealed against",
    "SlashVetoed": "the slash of device {device} was vetoed",
    "SlashVoided": "the votes to slash device {device} are void",
    "Slashed": "device {device} was slashed: {burned:io} burned",
    "DeviceLeased": "device {device} was leased by order {order}",
    "DeviceFreed": "device {device} is free of lease {lease}",
    "Attested": "{operator} attested emission hour {hour}",
    "PricesVoted": "{operator} voted for the price steps of unix hour {hour}",
    "Posted": "{operator} put a hash on record",
    # orders
    "BookProduct": "{customer_id} opened order {cluster_id}",
    "Pay": "{amount:money} were put into order {cluster_id}",
    "Refund": "{amount:money} of order {cluster_id} went back to its renter",
    "Earn": "{amount:money} of fees of order {cluster_id} went to the network",
    "Worked": "{payout} was paid {net:money} for lease {lease}; {fees:money} are fees",
    "Extend": "lease {lease} runs {extended_minutes} minutes longer, until {stop:at}",
    "LeaseMatched": "device {device} of {supplier} was matched with order {order}",
    "LeaseAccepted": "lease {lease} of order {order} was accepted",
    "LeaseStarted": "lease {lease} of order {order} runs since {start:at}",
    "LeaseEnded": "lease {lease} ended: {reason:end}",
    "LeaseClosed": "lease {lease} was closed",
    "LeaseHeld": "the money of lease {lease} is held until {until:at}",
    "OrderCancelled": "order {order} was cancelled, for {charged:money}",
    "OrderClosed": "order {order} was closed: {deposit:money} in, {paid:money} to suppliers, "
    "{fees:money} fees, {refunded:money} back",
    "FaultVoted": "{operator} voted that lease {lease} was not served",
    "FeesParked": "{amount:money} of fees wait for {destination}",
    "PayParked": "{amount:money} wait for {wallet}, whose account can't be paid",
    "ParkedPaid": "{wallet} was paid {amount:money} that had waited",
    # buyback
    "AuctionStarted": "auction {number}: {lot:usdc} for sale",
    "AuctionSold": "{bidder} took {lot:usdc} in auction {number} for {cost:io}, which were burned",
    "AuctionUnsold": "nobody took {lot:usdc} in auction {number}",
    "FeesBurned": "{amount:io} of fees were burned",
    # roles, in every program
    "AdminProposed": "{admin} offered the admin's role to {pending}",
    "AdminChanged": "the admin's role passed from {from} to {to}",
    "GuardianProposed": "{pending} is to be guardian from {at:at}",
    "GuardianChanged": "the guardian's role passed from {from} to {to}",
}
"""What events say; the others say their names."""


LAMPORTS = 10**9
"""Of a SOL."""


class _Said:
    """A field's value, as its place in a sentence wants it."""

    def __init__(self, value: Any, currency: Currency | None) -> None:
        self._value, self._currency = value, currency

    def __format__(self, kind: str) -> str:
        value = self._value
        if kind == "at":
            return moment(value)
        if kind == "bps":
            return f"{value / 100:g} %"
        if kind == "end":
            return ENDED.get(EndReason(value), "not begun")
        if kind in ("io", "usdc", "money"):
            currency = self._currency if kind == "money" else Currency[kind.upper()]
            return f"{value:,} base units" if currency is None else f"{show(value, currency)} {currency.name}"
        return str(value)


def words(each: Happened) -> str:
    """An event in a sentence."""
    template = WORDS.get(each.event.name)
    if template is None:
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", each.event.name).lower()
    fields = dict(each.event.fields)
    if each.event.name == "Worked":
        fields |= {"net": fields["amount"] - fields["fee"], "fees": fields["fee"] + fields["renter_fee"]}
    return template.format_map({name: _Said(value, each.currency) for name, value in fields.items()})


def as_json(each: Happened) -> dict[str, Any]:
    """An event for programs: 64-bit figures as text, as JSON's readers may round them."""
    kinds = {field["name"]: field["type"] for field in PROGRAMS[each.program].event_fields[each.event.name]}
    return {
        "slot": each.place.slot,
        "time": each.place.time,
        "signature": each.signature,
        "fee": None if each.fee is None else str(each.fee),
        "program": each.program,
        "event": each.event.name,
        "words": words(each),
        "currency": each.currency.name if each.currency is not None else None,
        "fields": {
            name: str(value) if kinds[name] == "u64" else jsonable(value)
            for name, value in each.event.fields.items()
        },
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


def order_json(each: Receipt) -> dict[str, Any]:
    """A receipt for programs: amounts in base units, as text."""
    row = each.order
    return {
        "order": row["address"],
        "renter": row["renter"],
        "currency": Currency(row["currency"]).name,
        "opened": row["created_at"],
        "closed": row["closed_at"],
        "close_reason": None
        if row["close_reason"] is None
        else CloseReason(row["close_reason"]).name.lower(),
        **{name: str(row[name]) for name in ("deposit", "paid", "fees", "refunded", "free", "held")},
        "surplus": None if row["surplus"] is None else str(row["surplus"]),
        "leases": [_lease_json(each, lease) for lease in each.leases],
        "payments": [as_json(payment) for payment in each.payments],
    }


def _close_reason(row: Mapping[str, Any]) -> str | None:
    return None if row["close_reason"] is None else CloseReason(row["close_reason"]).name.lower()


def _lease_json(each: Receipt, lease: Mapping[str, Any]) -> dict[str, Any]:
    net, fees = lease_sums(each, lease)
    names = ("device", "supplier", "worker", "payout", "state", "matched_at", "start", "stop", "ended_at")
    return {
        "lease": lease["address"],
        **{name: lease[name] for name in names},
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
