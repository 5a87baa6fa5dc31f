"""What events say of accounts as they were: running totals, and what they repeat of an account.

A fold takes a total from its event. So that nobody is told a wrong one that a later event puts right, each is
computed here from the accounts before it and the amounts that moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keeper.audit import order_rules
from keeper.audit.decoded import Happened
from keeper.chain.program import Fields
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.indexer.book import Book

Books = Mapping[str, Book]
Right = dict[str, Any]
"""Fields of an event, as they follow from the accounts before it."""
CONFIGS = {
    "tokenomics": tokenomics.CONFIG,
    "staking": staking.CONFIG,
    "buyback": buyback.CONFIG,
    "orders": orders.CONFIG,
}
"""Each program's root account."""


def right(happened: Happened, books: Books) -> Right:
    """What fields of an event must be, by the accounts before it; raises LookupError or FoldError."""
    program, event, now = happened.program.name, happened.event, happened.executed.record.time
    if event.name == "ParamsProposed":
        return {"at": now + _config(books, program)["params"]["notice"]}
    if event.name == "DeviceChanged":
        return {"changed_at": _changed_at(_device(books, event.fields), event.fields, now)}
    known = _RIGHT.get(program, {}).get(event.name)
    return known(books, event.fields) if known else {}


def by_rules(happened: Happened, books: Books) -> Right:
    """What an order's event must say by the rules of its money; raises as :func:`right`."""
    rule = order_rules.RULES.get(happened.event.name) if happened.program.name == "orders" else None
    return rule(order_rules.Asked(books, happened)) if rule else {}


def _config(books: Books, program: str) -> Fields:
    return books[program].get("Config", CONFIGS[program])


def _added(program: str, total: str, event_total: str, amount: str) -> Callable[[Books, Fields], Right]:
    """A total of a program's config that grows by the event's amount."""
    return lambda books, event: {event_total: _config(books, program)[total] + event[amount]}


def _device(books: Books, event: Fields) -> Fields:
    return books["staking"].get("Device", event["device"])


def _changed_at(device: Fields, event: Fields, now: int) -> int:
    """When a device's terms changed last: whoever takes it off the market, or says who ends, changes none."""
    moved = any(device[name] != event[name] for name in ("tier", "country"))
    asked = any(event[name] not in (0, device[name]) for name in ("ask_io", "ask_usdc"))
    changed: int = now if moved or asked else device["changed_at"]
    return changed


def _order(books: Books, event: Fields) -> Fields:
    return books["orders"].get("Order", event["cluster_id"])


def _allocation(books: Books, event: Fields) -> Fields:
    return books["tokenomics"].get("Allocation", tokenomics.allocation_address(event["allocation"]))


def _emitted(books: Books, event: Fields) -> Right:
    config = _config(books, "tokenomics")
    return {"from_hour": config["emitted_hours"], "emitted": config["emitted"] + event["amount"]}


def _released(books: Books, event: Fields) -> Right:
    row = _allocation(books, event)
    return {"beneficiary": row["beneficiary"], "released": row["released"] + event["amount"]}


def _season_claimed(books: Books, event: Fields) -> Right:
    season = books["tokenomics"].get("Season", tokenomics.season_address(event["season"]))
    return {"claimed": season["claimed"] + event["amount"]}


def _burned(books: Books, event: Fields) -> Right:
    burned = _config(books, "tokenomics")["burned"]
    return {"burned": burned + event["amount"] + event.get("by_others", 0)}


def _slashed(books: Books, event: Fields) -> Right:
    device = _device(books, event)
    stakes = device["own"], device["own_cooling"], device["co"]["amount"], device["leaving"]["amount"]
    left = event["own"] + event["own_cooling"] + event["co"] + event["leaving"]
    slash = books["staking"].get("Slash", staking.slash_address(event["device"], event["evidence"]))
    return {"burned": sum(stakes) - left, "bps": slash["bps"]}


def _finalised(books: Books, event: Fields) -> Right:
    block = books["staking"].get("Block", staking.block_address(event["hour"]))
    return {name: block[name] for name in ("root", "total", "devices", "data_hash")}


def _claimed(books: Books, event: Fields) -> Right:
    wallet = books["staking"].get("Wallet", staking.wallet_address(event["wallet"]))
    return {"claimed": wallet["claimed"] + event["amount"]}


def _withdrawn(books: Books, event: Fields) -> Right:
    device = _device(books, event)
    return {"supplier": device["supplier"], "amount": device["own_cooling"]}


def _numbered(books: Books, event: Fields) -> Right:
    return {"transaction_id": _order(books, event)["transactions"]}


def _worked(books: Books, event: Fields) -> Right:
    lease = books["orders"].get("Lease", event["lease"])
    return {**_numbered(books, event), "payout": lease["payout"], "paid": lease["paid"] + event["amount"]}


def _matched(books: Books, event: Fields) -> Right:
    device = _device(books, event)
    return {name: device[name] for name in ("country", "supplier", "worker", "payout", "registered_at")}


def _lease_closed(books: Books, event: Fields) -> Right:
    return {"device": books["orders"].get("Lease", event["lease"])["device"]}


def _sold(books: Books, event: Fields) -> Right:
    config = _config(books, "buyback")
    auction = books["buyback"].get("Auction", buyback.auction_address(event["number"]))
    return {
        "lot": auction["lot"],
        "usdc_sold": config["usdc_sold"] + event["lot"],
        "burned": config["burned_auctions"] + event["cost"],
    }


_RIGHT: Mapping[str, Mapping[str, Callable[[Books, Fields], Right]]] = {
    "tokenomics": {
        "AllocationAdded": _added("tokenomics", "allocated", "allocated", "amount"),
        "Emitted": _emitted,
        "Released": _released,
        "SeasonClaimed": _season_claimed,
        "Burned": _burned,
        "BurnsCounted": _burned,
    },
    "staking": {
        "Staked": lambda books, event: {"own": _device(books, event)["own"] + event["amount"]},
        "OverflowWithdrawn": lambda books, event: {"own": _device(books, event)["own"] - event["amount"]},
        "Withdrawn": _withdrawn,
        "Slashed": _slashed,
        "BlockFinalised": _finalised,
        "RewardClaimed": _claimed,
    },
    "buyback": {
        "AuctionSold": _sold,
        "FeesBurned": _added("buyback", "burned_fees", "fees_io", "amount"),
    },
    "orders": {
        **dict.fromkeys(("Pay", "Refund", "Earn"), _numbered),
        "Worked": _worked,
        "LeaseMatched": _matched,
        "LeaseClosed": _lease_closed,
    },
}
"""By program, by event."""
