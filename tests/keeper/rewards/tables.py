"""Devices, classes and wallets for tests of the rewards: plain objects into the rule's columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from keeper.rewards.rows import CLASS, INPUT
from keeper.rewards.rule import WALLET
from tests.model.rewards import Machine
from tests.model.schedule import DAY, HOUR, IO

START = 1_719_792_000
"""An hour's start: July 2024."""
CLASSES = {1: (1_000, 0), 2: (125, 0), 3: (100, 1), 4: (25, 1), 5: (0, 1)}
"""Multiplier and pool by number."""


def key(name: str | int) -> bytes:
    """An address; numbers make ones that end in zeros."""
    return (name if isinstance(name, str) else f"{name:06}").encode().ljust(32, b"\0")


GOOD = Machine(
    device=key("device"),
    payout=key("supplier"),
    co_staker=bytes(32),
    class_id=3,
    processors=4,
    tier=4,
    terminated=False,
    slash_pending=False,
    barred_until=0,
    sufficient_since=START - DAY,
    own=800 * IO,
    co_amount=0,
    co_until=0,
    co_state=0,
    co_reward_bps=0,
    up_since=START - DAY,
    online=True,
    work=1,
    vram_failures=0,
    vram_failed_at=0,
    measured_tier=4,
    hired=False,
)
"""Earns its score of 80,200."""


def another(number: int, **changed: object) -> Machine:
    """A good device of another number."""
    return replace(GOOD, device=key(number), payout=key(f"wallet {number}"), **changed)  # type: ignore[arg-type]


def rows(machines: Iterable[Machine]) -> np.ndarray:
    """Devices as INPUT rows, sorted."""
    names = [name if name != "class" else "class_id" for name in INPUT.names]
    ordered = sorted(machines, key=lambda each: each.device)
    return np.array([tuple(getattr(each, name) for name in names) for each in ordered], INPUT)


def classes(table: Mapping[int, tuple[int, int]] = CLASSES) -> np.ndarray:
    """Classes as CLASS rows."""
    return np.array([(number, *values) for number, values in sorted(table.items())], CLASS)


def wallets(amounts: Mapping[bytes, int]) -> np.ndarray:
    """Wallets as WALLET rows, sorted."""
    return np.array([(owner, amount, 0) for owner, amount in sorted(amounts.items())], WALLET)


def machine(row: Any) -> Machine:
    """An INPUT row, or the same of a published file, as the model takes it."""
    values = {each.name: row["class" if each.name == "class_id" else each.name] for each in fields(Machine)}
    addresses = {"device", "payout", "co_staker"}
    return Machine(
        **{
            name: bytes(value).ljust(32, b"\0") if name in addresses else int(value)
            for name, value in values.items()
        }
    )


def padded(column: np.ndarray) -> list[bytes]:
    """A column of addresses as 32 bytes each."""
    return [each.ljust(32, b"\0") for each in column.tolist()]


__all__ = [
    "CLASSES",
    "GOOD",
    "HOUR",
    "START",
    "another",
    "classes",
    "key",
    "machine",
    "padded",
    "rows",
    "wallets",
]
