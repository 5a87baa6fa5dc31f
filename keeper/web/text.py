"""How pages write amounts, times, states and addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from keeper.economy.calendar import duration, moment
from keeper.economy.money import show
from keeper.economy.orders import ENDED, Currency, EndReason, LeaseStatus
from keeper.indexer.lookup import Happened
from keeper.indexer.words import pieces

NOTHING = "-"
"""Where there is no value."""
SOL_DECIMALS = 9
_PATHS = {"device": "devices", "order": "orders", "cluster_id": "orders", "lease": "leases"}
"""The page of what an event's field names; any other address has a wallet's."""
_GOOD, _BUSY, _WAITS, _BAD = "good", "busy", "waits", "bad"
STATES: Mapping[str, str] = {
    **dict.fromkeys(("ready", "pass", "final", "succeeded", "sold", "running", "free"), _GOOD),
    **dict.fromkeys(("leased", "open", "agreed", "matched", "accepted", "pending"), _BUSY),
    **dict.fromkeys(("short", "unknown", "missed", "unsold", "ended", "closed"), _WAITS),
    **dict.fromkeys(("terminated", "fail", "failed", "cancelled", "void", "executed"), _BAD),
}
"""The class of colour of each state's word."""


def amount(value: int | None, currency: str = "IO") -> Markup:
    """Base units with all decimals, zeros at the end quiet; the column's head has the currency."""
    if value is None:
        return Markup(NOTHING)
    shown = show(value, Currency[currency])
    told = shown.rstrip("0").rstrip(".")
    return Markup("{}<small>{}</small>").format(told, shown[len(told) :]) if told != shown else Markup(shown)


def money(value: int | None, currency: int) -> Markup:
    """Base units of a currency by its number, with its name."""
    of = Currency(currency)
    return Markup(NOTHING) if value is None else Markup("{} {}").format(amount(value, of.name), of.name)


def io(value: int | None) -> Markup:
    """Base units of IO, with its name."""
    return money(value, Currency.IO)


def sol(lamports: int | None) -> str:
    """Lamports as SOL."""
    return NOTHING if lamports is None else f"{lamports / 10**SOL_DECIMALS:.{SOL_DECIMALS}f}"


def count(value: int | None) -> str:
    """A number with thousands separators."""
    return NOTHING if value is None else f"{value:,}"


def percent(bps: int | None) -> str:
    """Basis points."""
    return NOTHING if bps is None else f"{bps / 100:g} %"


def when(at: int | None) -> Markup | str:
    """A unix time in UTC, for people and for machines; none for 0, as accounts have it."""
    if not at:
        return NOTHING
    return Markup('<time datetime="{}">{}</time>').format(
        f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}", moment(at)
    )


def state(word: str) -> Markup:
    """A state: its word, and a colour."""
    return Markup('<span class="state {}">{}</span>').format(STATES.get(word, _WAITS), word)


def address(value: object, path: str = "wallets") -> Markup:
    """An address as a link to its page, never shortened; nobody's is no link."""
    found = str(value)
    if value is None or set(found) == {"1"}:
        return Markup(NOTHING)
    return Markup('<a class="address" href="/{}/{}" title="{}">{}</a>').format(path, found, found, found)


def sentence(each: Happened) -> Markup:
    """An event in words, with links to what it names."""
    return Markup("").join(
        escape(piece.text) if piece.name is None else address(piece.text, _PATHS.get(piece.name, "wallets"))
        for piece in pieces(each)
    )


def lease_words(row: Any) -> str:
    """A lease's state, and why it is over."""
    return ENDED[EndReason(row.reason)] if row.status == LeaseStatus.ENDED else str(row.state)


FILTERS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        amount,
        money,
        io,
        sol,
        count,
        percent,
        when,
        state,
        address,
        sentence,
        lease_words,
        duration,
    )
}
"""What templates write values with."""
