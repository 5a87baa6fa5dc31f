"""What staking's events do to classes: multipliers, prices and bounds, which hold from announced times on."""

from __future__ import annotations

from collections.abc import Mapping

from keeper.chain.program import Fields
from keeper.clients import staking as client
from keeper.clients.staking import PROGRAM
from keeper.economy.classes import holds_from
from keeper.indexer.book import Book, Fold


def added(book: Book, event: Fields, at: int) -> None:
    """A class exists; it opens after the notice."""
    address, bump = PROGRAM.pda_and_bump("add_class", "class", id=event["id"])
    prices = dict(event["prices"])
    amounts = {name: prices.pop(name) for name in ("price_io", "price_usdc")}
    kept = {name: event[name] for name in ("id", "name", "pool", "kind", "opens_at")}
    pending = {"pending_multiplier": event["multiplier"], "pending_at": event["opens_at"]}
    book.create("Class", address, bump, bounds=prices, **amounts, **kept, **pending)


def changed(book: Book, event: Fields, at: int) -> None:
    """A class's multiplier will change."""
    pending = {"pending_multiplier": event["to"], "pending_at": event["at"]}
    _class(book, event["id"]).update(multiplier=event["from"], **pending)


def bounds_changed(book: Book, event: Fields, at: int) -> None:
    """A class's bounds will change."""
    row = _settled(book, event["id"], event, event["now"])
    row.update(next_bounds=event["bounds"], bounds_at=event["at"])


def cancelled(book: Book, event: Fields, at: int) -> None:
    """The guardian dropped what was announced of a class: what is 0 now and wasn't before."""
    row = _class(book, event["id"])
    if event["pending_at"] != row["pending_at"]:
        row.update(pending_multiplier=0, pending_at=0)
    if event["bounds_at"] != row["bounds_at"]:
        row.update(next_bounds=_no_bounds(row), bounds_at=0)
    row["opens_at"] = event["opens_at"]


def price_applied(book: Book, event: Fields, at: int) -> None:
    """A class's step is announced."""
    row = _settled(book, event["class"], event, event["at"])
    row.update(price_hour=event["hour"], next_io=event["step_io"], next_usdc=event["step_usdc"])


def price_cancelled(book: Book, event: Fields, at: int) -> None:
    """The guardian dropped a class's announced step."""
    _class(book, event["class"]).update(next_io=0, next_usdc=0)


FOLDS: Mapping[str, Fold] = {
    "ClassAdded": added,
    "ClassChanged": changed,
    "BoundsChanged": bounds_changed,
    "ClassCancelled": cancelled,
    "PriceApplied": price_applied,
    "PriceCancelled": price_cancelled,
}


def _class(book: Book, number: int) -> Fields:
    return book.change("Class", client.class_address(number))


def _settled(book: Book, number: int, event: Fields, now: int) -> Fields:
    """The class with what holds at ``now`` written down; the event has its prices."""
    row = _class(book, number)
    row.update({name: event[name] for name in ("price_io", "price_usdc")})
    if now >= holds_from(row["price_hour"]):
        row.update(next_io=0, next_usdc=0)
    if 0 < row["bounds_at"] <= now:
        row.update(bounds=row["next_bounds"], next_bounds=_no_bounds(row), bounds_at=0)
    return row


def _no_bounds(row: Fields) -> Fields:
    return dict.fromkeys(row["bounds"], 0)
