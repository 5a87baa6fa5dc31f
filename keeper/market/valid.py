"""Whether a tick's rows are ones that a market can have: asked of whatever somebody else published.

Who writes rows that no chain gives rise to made a mistake, or cheats. Whether they are those of the tick's
slot is another question, which the chain's events answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keeper.clients.staking import MAX_PROCESSORS, MAX_TIER
from keeper.economy.classes import MAX_PRICE
from keeper.economy.orders import BPS, Currency, Urgency
from keeper.errors import UserError
from keeper.market.places import found
from keeper.market.snapshot import Out, Snapshot, reaches_a_price
from keeper.tables import NOTHING, Rows

LATEST = 1 << 40
"""No time is as late as this, unix seconds: sums of times fit."""
KEYS = {"devices": ("device",), "orders": ("order",), "prices": ("class",), "pairs": ("order", "device")}
"""What each of a snapshot's tables is sorted by."""
BOUNDS = {
    "devices": {
        "processors": (1, MAX_PROCESSORS),
        "tier": (1, MAX_TIER),
        "changed_at": (0, LATEST),
        "idle_since": (0, LATEST),
        "weight": (0, BPS),
        "out": (0, Out.GONE - 1),
        "hired_until": (0, LATEST),
    },
    "orders": {
        "created_at": (0, LATEST),
        "match_until": (0, LATEST),
        "urgency": (0, max(Urgency)),
        "currency": (0, max(Currency)),
        "processors": (1, MAX_PROCESSORS),
        "min_tier": (1, MAX_TIER),
        "minimum": (1, (1 << 16) - 1),
        "colocated": (0, 1),
    },
    "prices": {"io": (0, MAX_PRICE), "usdc": (0, MAX_PRICE)},
}
"""The least and the most in columns of tables."""


class RowsUnsorted(UserError):
    """Rows that aren't in the order of their keys, or one that is there twice."""


class RowsInvalid(UserError):
    """Rows that no market has."""


def require_valid(snapshot: Snapshot) -> None:
    """Raise RowsUnsorted or RowsInvalid where a snapshot is none of any market."""
    for name, keys in KEYS.items():
        require_sorted(f"{name}.csv", getattr(snapshot, name), *keys)
    for name, bounds in BOUNDS.items():
        rows = getattr(snapshot, name)
        for column, (least, most) in bounds.items():
            _require(
                name, (rows[column] >= least) & (rows[column] <= most), f"{column} is in {least}..{most}"
            )
    orders, pairs = snapshot.orders, snapshot.pairs
    _require("devices", _named(snapshot.devices["country"]), "country is two letters")
    devices = snapshot.devices
    hired = devices["out"] & Out.HIRED != 0
    until = np.where(hired, devices["hired_until"] > snapshot.now, devices["hired_until"] == 0)
    _require("devices", until, "hired_until is after the tick where a lease runs, else 0")
    _require("orders", orders["created_at"] < snapshot.now, "created_at is before the tick")
    _require("orders", orders["match_until"] > snapshot.now, "match_until is after the tick")
    _require("orders", orders["minimum"] <= orders["open"], "minimum is at most open")
    _require("orders", orders["classes"][:, 0] != NOTHING, "a class is named")
    for column, nothing in (("classes", NOTHING), ("countries", b"")):
        _require("orders", _distinct(orders[column], nothing), f"{column} are named once")
    listed = _named(orders["countries"]) | (orders["countries"] == b"")
    _require("orders", listed.all(axis=1), "countries are two letters each")
    _require(
        "orders", _named(orders["country"]) | (orders["country"] == b""), "country is two letters, or none"
    )
    together = (orders["colocated"] == 1) | (orders["country"] == b"")
    _require("orders", together, "an order that is bound to a country is colocated")
    _require("orders", reaches_a_price(orders, snapshot.prices), "a class is named whose price it pays")
    there = snapshot.devices["device"][snapshot.devices["out"] == 0]
    _require("pairs", found(orders["order"], pairs["order"])[1], "the order takes part")
    _require("pairs", found(there, pairs["device"])[1], "the device takes part")


def require_sorted(file: str, rows: Rows, *keys: str) -> None:
    """Raise RowsUnsorted where a row isn't after the one before it."""
    after, same = np.zeros(max(len(rows) - 1, 0), bool), np.ones(max(len(rows) - 1, 0), bool)
    for key in keys:
        column = rows[key]
        after |= same & (column[1:] > column[:-1])
        same &= column[1:] == column[:-1]
    if not after.all():
        raise RowsUnsorted(f"{file}: row {int(np.argmin(after)) + 2} isn't after the one before it")


def _require(table: str, holds: NDArray[np.bool_], what: str) -> None:
    if not holds.all():
        raise RowsInvalid(f"{table}.csv: row {int(np.argmin(holds)) + 1}: not so that {what}")


def _named(countries: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Which are two capital letters."""
    letters = np.ascontiguousarray(countries).view(np.uint8).reshape(*countries.shape, 2)
    named: NDArray[np.bool_] = np.all((letters >= ord("A")) & (letters <= ord("Z")), axis=-1)
    return named


def _distinct(lists: Rows, nothing: object) -> NDArray[np.bool_]:
    """Which rows have nothing twice."""
    values = np.sort(lists, axis=1)
    twice = (values[:, 1:] == values[:, :-1]) & (values[:, 1:] != nothing)
    distinct: NDArray[np.bool_] = ~np.any(twice, axis=1)
    return distinct
