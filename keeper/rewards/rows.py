"""What an hour's rewards are computed from: a row for each device, a row for each class."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from keeper.chain.program import Fields
from keeper.clients.staking import PROGRAM, Class
from keeper.errors import UserError
from keeper.tables import CHUNK, KEY, Rows, keys


class RowsError(UserError):
    """Rows that no hour can be computed from: whoever wrote them down made a mistake, or cheats."""


class Work(IntEnum):
    """What became of a device's proof of work in the hour."""

    MISSING = 0
    PASSED = 1
    FAILED = 2
    SLOW = 3
    """Passed while hired, and later than a device that isn't hired may: no failure, and no pay."""
    UNSHOWN = 4
    """In time, and no product of the device was opened yet, or none since it last failed: no pay."""


OBSERVED: list[tuple[str, str]] = [
    ("up_since", "<u8"),
    ("online", "u1"),
    ("work", "u1"),
    ("vram_failures", "u1"),
    ("vram_failed_at", "<u8"),
    ("measured_tier", "u1"),
    ("processors_shown", "u1"),
]
"""What is seen of a device from outside: up since when (unix seconds, 0 for not up), whether it
answered throughout the hour (proof of time-lock), its :class:`Work`, its failures of the memory test
and the last one's time, the tier that was last measured (0 for never), and of how many of its processors
its time in a wave told while its memory wasn't tested (0 for all)."""

STAKED: list[tuple[str, str]] = [
    ("class", "<u2"),
    ("processors", "u1"),
    ("tier", "u1"),
    ("terminated", "u1"),
    ("slash_pending", "u1"),
    ("barred_until", "<u8"),
    ("sufficient_since", "<u8"),
    ("own", "<u8"),
    ("co_amount", "<u8"),
    ("co_until", "<u8"),
    ("co_state", "u1"),
    ("co_reward_bps", "<u2"),
]
"""What its account says when the hour ends, under the account's own names."""

_STAKED_IN = [(name, "co" if name.startswith("co_") else "", name.removeprefix("co_")) for name, _ in STAKED]
"""Where an account has each: the column, the part of the account, the field in it."""

KEYS: list[tuple[str, str]] = [("device", KEY), ("payout", KEY), ("co_staker", KEY)]

INPUT = np.dtype([*KEYS, *STAKED, *OBSERVED, ("hired", "u1")])
"""A device in an hour; ``hired`` says whether it had a lease that ran, see :mod:`keeper.rewards.hired`."""

OBSERVATION = np.dtype([("device", KEY), *OBSERVED])
"""What was seen of a device in an hour."""

CLASS = np.dtype([("id", "<u2"), ("multiplier", "<u2"), ("pool", "u1")])
"""A class at the start of an hour; the multiplier in hundredths."""


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the emission: its number, its start (unix seconds), and what may have been paid by its end.

    ``emitted`` is the cumulative emission C(hour + 1), base units.
    """

    number: int
    start: int
    emitted: int


def device_rows(
    addresses: Sequence[Pubkey], accounts: Sequence[bytes], seen: Rows, hired: Collection[Pubkey] = ()
) -> Rows:
    """Put device accounts, what was seen of them and which were hired together, sorted by raw addresses.

    ``seen`` is an array of :data:`OBSERVATION`; a device that is not in it was not seen. Raises
    RowsError when it has a device twice.
    """
    rows = np.zeros(len(accounts), INPUT)
    rows["device"] = keys(addresses)
    rows["hired"] = np.fromiter((each in hired for each in addresses), bool, len(rows))
    for at in range(0, len(rows), CHUNK):
        # An account is three times as long as what is read of it.
        table, some = PROGRAM.decode_accounts("Device", accounts[at : at + CHUNK]), rows[at : at + CHUNK]
        some["payout"] = _key_column(table["payout"])
        some["co_staker"] = _key_column(table["co"]["staker"])
        for name, part, field in _STAKED_IN:
            some[name] = table[part][field] if part else table[field]
    return _observed(rows[np.argsort(rows["device"], kind="stable")], seen)


def field_rows(devices: Mapping[Pubkey, Fields], seen: Rows, hired: Collection[Pubkey] = ()) -> Rows:
    """As :func:`device_rows`, from the devices' fields as a book made from events has them."""
    accounts = sorted(devices.items(), key=lambda item: bytes(item[0]))
    rows = np.zeros(len(accounts), INPUT)
    rows["device"] = keys([address for address, _ in accounts])
    rows["payout"] = keys([device["payout"] for _, device in accounts])
    rows["co_staker"] = keys([device["co"]["staker"] for _, device in accounts])
    for name, part, field in _STAKED_IN:
        rows[name] = [device[part][field] if part else device[field] for _, device in accounts]
    rows["hired"] = [address in hired for address, _ in accounts]
    return _observed(rows, seen)


def _observed(rows: Rows, seen: Rows) -> Rows:
    """Add what was seen to each row."""
    seen = seen[np.argsort(seen["device"], kind="stable")]
    if (seen["device"][1:] == seen["device"][:-1]).any():
        raise RowsError("a device was observed twice in one hour")
    _, here, there = np.intersect1d(rows["device"], seen["device"], assume_unique=True, return_indices=True)
    found = seen[there]
    for name, _ in OBSERVED:
        rows[name][here] = found[name]
    return rows


def class_rows(classes: Mapping[int, Class], start: int) -> Rows:
    """The classes as they are in force at ``start``, sorted by number."""
    table = [(each.id, each.multiplier_at(start), each.pool) for _, each in sorted(classes.items())]
    return np.array(table, CLASS)


def _key_column(column: Any) -> NDArray[np.bytes_]:
    return np.ascontiguousarray(column).view(KEY)
