"""Events in words, for the terminal and pages alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from solders.pubkey import Pubkey

from keeper.economy.calendar import moment
from keeper.economy.money import show
from keeper.economy.orders import ENDED, Currency, EndReason
from keeper.indexer.lookup import Happened

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


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence; ``name`` is the event's field that it comes from, where that is an address."""

    text: str
    name: str | None = None


def pieces(each: Happened) -> Iterator[Piece]:
    """An event's sentence in parts, so that a page can link its addresses."""
    template = WORDS.get(each.event.name)
    if template is None:
        yield Piece(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", each.event.name).lower())
        return
    fields = dict(each.event.fields)
    if each.event.name == "Worked":
        fields |= {"net": fields["amount"] - fields["fee"], "fees": fields["fee"] + fields["renter_fee"]}
    for text, name, kind, _ in Formatter().parse(template):
        if text:
            yield Piece(text)
        if name is not None:
            value = fields[name]
            yield Piece(_said(value, kind or "", each.currency), name if isinstance(value, Pubkey) else None)


def words(each: Happened) -> str:
    """An event in a sentence."""
    return "".join(piece.text for piece in pieces(each))


def _said(value: Any, kind: str, currency: Currency | None) -> str:
    """A field's value, as its place in a sentence wants it."""
    if kind == "at":
        return moment(value)
    if kind == "bps":
        return f"{value / 100:g} %"
    if kind == "end":
        return ENDED.get(EndReason(value), "not begun")
    if kind in ("io", "usdc", "money"):
        of = currency if kind == "money" else Currency[kind.upper()]
        return f"{value:,} base units" if of is None else f"{show(value, of)} {of.name}"
    return str(value)
