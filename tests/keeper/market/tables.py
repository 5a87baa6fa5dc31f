"""Ticks for the tests of samples, from what is of interest there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keeper.market.snapshot import Out, Snapshot
from tests.keeper.market.ticks import NOW, device, order, tick

Row = Mapping[str, Any]


def market(devices: Iterable[Row], orders: Iterable[Row], prices: dict[int, tuple[int, int]]) -> Snapshot:
    """A tick: devices that are hired, or free and matchable or not; ripe orders that pay any price."""
    return tick(
        [_device(at, **row) for at, row in enumerate(devices)],
        [order(at, **{"created_at": NOW - 61, "limit": 10**9, **row}) for at, row in enumerate(orders)],
        prices=prices,
    )


def _device(name: int, *, hired: bool = False, matchable: bool = True, **row: Any) -> dict[str, Any]:
    out = Out.HIRED if hired else 0 if matchable else Out.BARRED
    return device(name, **{"out": out, **row})
