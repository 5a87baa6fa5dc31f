"""A tick's tables for the tests of samples, from plain rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from keeper.market.snapshot import DEVICE, NO_CLASS, ORDER, PRICE, Out, Rows

NOW = 500_000 * 3_600
DEVICE_ROW = {"class": 1, "processors": 1, "tier": 1, "ask_io": 1, "ask_usdc": 1, "changed_at": 1}
ORDER_ROW = {
    "created_at": NOW - 61,
    "currency": 0,
    "classes": [1],
    "processors": 1,
    "min_tier": 1,
    "countries": [],
    "open": 1,
    "minimum": 1,
    "colocated": 0,
    "limit": 10**9,
}


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def devices(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Devices by their addresses; ``hired`` and ``matchable`` as bits, anything else as it is."""
    rows = list(rows)
    table = np.zeros(len(rows), DEVICE)
    for at, row in enumerate(rows):
        out = Out.HIRED if row.get("hired") else 0 if row.get("matchable", True) else Out.BARRED
        table[at]["device"] = key(at + 1)
        table[at]["out"] = row.get("out", out)
        for name, value in {**DEVICE_ROW, **row}.items():
            if name in DEVICE.names:
                table[at][name] = value
    return table


def orders(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Orders by their addresses, lists filled up."""
    rows = list(rows)
    table = np.zeros(len(rows), ORDER)
    table["classes"] = NO_CLASS
    for at, row in enumerate(rows):
        table[at]["order"] = key(at + 1)
        for name, value in {**ORDER_ROW, **row}.items():
            if name in ("classes", "countries"):
                table[at][name][: len(value)] = value
            else:
                table[at][name] = value
    return table


def prices(rows: Iterable[Mapping[str, int]]) -> Rows:
    """Prices by class."""
    rows = sorted(rows, key=lambda each: each["class"])
    table = np.zeros(len(rows), PRICE)
    for at, row in enumerate(rows):
        for name, value in row.items():
            table[at][name] = value
    return table
