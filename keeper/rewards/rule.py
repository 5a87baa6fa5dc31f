"""The rule: which devices earn in an hour, how much, and what every wallet has earned so far.

A pure function of published rows in integers: no chain, no clock, no floats. Whoever has the rows
gets the same result to the last base unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

from keeper.clients.staking import MAX_PROCESSORS, MAX_TIER
from keeper.economy.calendar import HOUR
from keeper.economy.classes import MAX_MULTIPLIER, Pool
from keeper.economy.staking import MIN_STAKE, MULTIPLIER_UNIT, CoStakeState
from keeper.rewards.exact import U64, mul_div
from keeper.rewards.rows import INPUT, Hour, RowsError, Work
from keeper.tables import KEY, Rows

POOL_POINTS = {Pool.ENTERPRISE: 9_500_000, Pool.COMMUNITY: 500_000}
"""How the pools share an hour."""
ALL_POINTS = sum(POOL_POINTS.values())
POINT_PARTS = 1_000
"""Normalised scores are shown in thousandths of a point."""

UPTIME = 5 * HOUR
"""A device must have been up for longer than this before the hour."""
VRAM_FAILURES = 4
"""This many failures of the memory test shut a device out, until the last is over ``VRAM_PAUSE`` ago."""
VRAM_PAUSE = 12 * HOUR
BPS = 10_000
UNMEASURED_TIER = 1
"""What a device counts as until it was measured: the lowest tier. If the stated one counted so long, a device
whose line is measured as bad would register anew, and be paid for its word again."""


class Reason(IntFlag):
    """Why a device earned nothing: a bit for each criterion that it failed."""

    NOT_REWARDED = 1
    """Its class has no multiplier, or is unknown."""
    TERMINATED = 2
    SLASH_PENDING = 4
    INSUFFICIENT_STAKE = 8
    """Less than the minimum was staked at the hour's start, or at some time in the hour."""
    UPTIME = 16
    """Not up for more than five hours before the hour."""
    VRAM = 32
    """Four or more failures of the memory test, the last at most twelve hours before the hour."""
    WORK_MISSING = 64
    """No proof of work in the hour, hired or not."""
    WORK_FAILED = 128
    """A wrong proof of work, in the hour or shortly before, hired or not."""
    OFFLINE = 256
    """Didn't answer throughout the hour."""
    BARRED = 512
    """Barred at some moment of the hour, for a lease that it didn't accept or didn't serve."""
    WORK_SLOW = 1024
    """Passed in the time that only a hired device has: one card can answer so for two devices, one after
    the other, and the later answer earns nothing."""
    WORK_UNSHOWN = 2048
    """Passed without having shown a product since it is there, or since it last failed: so whoever commits to
    anything, and keeps quiet where it is drawn, earns nothing."""


DURING_HOUR = Reason.WORK_MISSING | Reason.WORK_FAILED | Reason.WORK_SLOW | Reason.OFFLINE
"""What a nominated device can fail; everything else keeps it from being nominated."""


class DeviceStatus(IntEnum):
    """What the hour was for a device."""

    MISSED = 0
    """It wasn't nominated."""
    FAILED = 1
    """It was, and failed in the hour."""
    SUCCEEDED = 2


RESULT = np.dtype(
    [
        ("device", KEY),
        ("pool", "u1"),
        ("status", "u1"),
        ("reasons", "<u2"),
        ("score", "<u8"),
        ("normalised", "<u8"),
        ("reward", "<u8"),
        ("supplier", "<u8"),
        ("co_staker", "<u8"),
    ]
)
"""A device's result: ``score`` by the published formula, ``normalised`` in thousandths of its pool's
points, ``reward`` and its two parts in base units."""

WALLET = np.dtype([("wallet", KEY), ("lifetime", "<u8"), ("earned", "<u8")])
"""A wallet: all it has ever earned, and how much of it in this hour, base units."""

EARNED = np.dtype([("wallet", KEY), ("amount", "<u8")])
"""What a device earned for a wallet, base units."""

LARGEST = (1 << 62) - 1
"""Of seconds and amounts: sums of a few of them fit 64 bits."""
INPUT_BOUNDS: dict[str, int] = {
    "processors": MAX_PROCESSORS,
    "tier": MAX_TIER,
    "co_state": max(CoStakeState),
    "co_reward_bps": BPS,
    "work": max(Work),
    "measured_tier": MAX_TIER,
    **{name: LARGEST for name in INPUT.names or () if INPUT[name] == np.dtype("<u8")},
}
"""The most that a column of ``INPUT`` may hold, where its integers go further."""
CLASS_BOUNDS: dict[str, int] = {"multiplier": MAX_MULTIPLIER, "pool": max(Pool)}
WALLET_BOUNDS: dict[str, int] = {"lifetime": LARGEST}


@dataclass(frozen=True, slots=True)
class Sums:
    """What an hour adds up to; ``pot`` is what could be paid, ``paid`` what was, ``total`` all ever paid."""

    hour: Hour
    pot: int
    paid: int
    total: int
    statuses: Mapping[DeviceStatus, int]
    """How many devices have each; what a status has no device of needn't be in it."""


@dataclass(frozen=True, slots=True)
class BlockResult:
    """An hour's result; amounts as those of :class:`Sums`.

    Devices and wallets are sorted by their raw addresses. What isn't paid is in the next hour's pot.
    """

    hour: Hour
    devices: Rows
    wallets: Rows
    pot: int
    paid: int
    total: int

    @property
    def sums(self) -> Sums:
        """What it adds up to."""
        return Sums(self.hour, self.pot, self.paid, self.total, statuses(self.devices))


@dataclass(slots=True)
class Scores:
    """What the devices that succeeded scored in each pool; no pool is in it in which none did."""

    of: dict[Pool, int] = field(default_factory=dict)

    def add(self, results: Rows) -> None:
        """Count more devices, ``RESULT`` rows as :func:`judge` gives them."""
        succeeded = results["status"] == DeviceStatus.SUCCEEDED
        for each in Pool:
            mine = succeeded & (results["pool"] == each)
            if mine.any():
                self.of[each] = self.of.get(each, 0) + int(results["score"][mine].sum())


def reward(hour: Hour, rows: Rows, classes: Rows, before: Rows) -> BlockResult:
    """Compute an hour.

    ``rows`` is an array of ``INPUT``, ``classes`` of ``CLASS``, ``before`` the last hour's wallets
    (``WALLET``), each sorted. Raises RowsError when they aren't, when more was paid before than was
    emitted, and for figures that no network has: they could wrap, and then mean something else here than to
    whoever computes the hour with larger integers.
    """
    pot, paid_before = pot_of(hour, before)
    results = judge(hour, rows, classes)
    scores = Scores()
    scores.add(results)
    pay(results, rows, scores, pot)
    wallets = wallets_of(rows, results, before)
    paid = sum_of(results["reward"])
    return BlockResult(hour, results, wallets, pot, paid, paid_before + paid)


def pot_of(hour: Hour, before: Rows) -> tuple[int, int]:
    """What an hour can pay, and what was paid before it; raises RowsError as :func:`reward` does."""
    _require(before, "wallet", WALLET_BOUNDS)
    paid_before = sum_of(before["lifetime"])
    pot = hour.emitted - paid_before
    if pot < 0:
        raise RowsError(f"{paid_before} base units were paid before hour {hour.number}, {-pot} too many")
    return pot, paid_before


def judge(hour: Hour, rows: Rows, classes: Rows) -> Rows:
    """Each device's result (``RESULT``) as far as it depends on no other device: all but what it is paid.

    Raises RowsError as :func:`reward` does.
    """
    _require(rows, "device", INPUT_BOUNDS)
    _require(classes, "id", CLASS_BOUNDS)
    multiplier, pool = class_of(rows, classes)
    results = np.zeros(len(rows), RESULT)
    results["device"] = rows["device"]
    results["pool"] = pool
    results["reasons"] = reasons(hour, rows, multiplier)
    nominated = results["reasons"] & np.uint16(~DURING_HOUR & 0xFFFF) == 0
    succeeded = results["reasons"] == 0
    results["status"] = np.where(
        succeeded, DeviceStatus.SUCCEEDED, np.where(nominated, DeviceStatus.FAILED, DeviceStatus.MISSED)
    )
    results["score"] = score(rows, multiplier)
    return results


def pay(results: Rows, rows: Rows, scores: Scores, pot: int) -> None:
    """Complete what :func:`judge` gave of some ``rows``: their parts of a pot, by all devices' scores.

    Of ``rows`` it takes the co-stake's state and its share.
    """
    some = set(scores.of)
    amounts, points = divide(pot, some), divide(ALL_POINTS * POINT_PARTS, some)
    succeeded = results["status"] == DeviceStatus.SUCCEEDED
    for each in some:
        mine = succeeded & (results["pool"] == each)
        won, whole = results["score"][mine], scores.of[each]
        results["reward"][mine] = mul_div(won, amounts[each], whole)
        results["normalised"][mine] = mul_div(won, points[each], whole)
    share = np.where(rows["co_state"] == CoStakeState.ACTIVE, rows["co_reward_bps"], 0).astype(np.uint64)
    # At most 3e16 base units times 10,000 wouldn't fit: whole units of 10,000 first, then the rest.
    tens, rest = np.divmod(results["reward"], np.uint64(BPS))
    results["co_staker"] = tens * share + rest * share // np.uint64(BPS)
    results["supplier"] = results["reward"] - results["co_staker"]


def statuses(results: Rows) -> Counter[DeviceStatus]:
    """How many of some devices (``RESULT``) have each status."""
    found = np.bincount(results["status"], minlength=len(DeviceStatus))
    return Counter({each: int(found[each]) for each in DeviceStatus})


def _require(table: Rows, by: str, bounds: Mapping[str, int]) -> None:
    """Raise RowsError unless a table is sorted by a column, and no column holds more than its bound."""
    column = table[by]
    if not (column[1:] > column[:-1]).all():
        raise RowsError("rows must be sorted by address or number, and none may be there twice")
    for name, most in bounds.items():
        if (table[name] > most).any():
            raise RowsError(f"{name} is {table[name].max()} in a row, which is more than {int(most)}")


def reasons(hour: Hour, rows: Rows, multiplier: U64) -> NDArray[np.uint16]:
    """The criteria that each device failed, as :class:`Reason` bits.

    The stake is judged at the hour's start. ``sufficient_since`` says since when it has been enough
    without a break, as far as it is written down on chain; a co-stake whose wait ended before the hour
    and a multiplier that rose count even where nobody has written them down.

    ``barred_until`` is that of the last bar before the hour's end. It tells of any moment of the hour: a bar
    begins when a lease ends, a barred device has no lease, so the last bar is the one that ends last.
    """
    start = np.uint64(hour.start)
    waits = (rows["co_state"] == CoStakeState.WAITING) & (start < rows["co_until"])
    counted = rows["own"] + np.where((rows["co_state"] == CoStakeState.ACTIVE) | waits, rows["co_amount"], 0)
    minimum = (
        np.maximum(multiplier, np.uint64(MULTIPLIER_UNIT))
        * rows["processors"].astype(np.uint64)
        * np.uint64(MIN_STAKE // MULTIPLIER_UNIT)
    )
    since = rows["sufficient_since"]
    up_since = rows["up_since"]
    criteria = {
        Reason.NOT_REWARDED: multiplier == 0,
        Reason.TERMINATED: rows["terminated"] != 0,
        Reason.SLASH_PENDING: rows["slash_pending"] != 0,
        Reason.INSUFFICIENT_STAKE: (since == 0) | (since > start) | (counted < minimum),
        Reason.UPTIME: (up_since == 0) | (up_since + np.uint64(UPTIME) >= start),
        Reason.VRAM: (rows["vram_failures"] >= VRAM_FAILURES)
        & (rows["vram_failed_at"] + np.uint64(VRAM_PAUSE) >= start),
        Reason.WORK_MISSING: rows["work"] == Work.MISSING,
        Reason.WORK_FAILED: rows["work"] == Work.FAILED,
        Reason.WORK_SLOW: rows["work"] == Work.SLOW,
        Reason.WORK_UNSHOWN: rows["work"] == Work.UNSHOWN,
        Reason.OFFLINE: rows["online"] == 0,
        Reason.BARRED: rows["barred_until"] > start,
    }
    found = np.zeros(len(rows), np.uint16)
    for reason, failed in criteria.items():
        found |= np.where(failed, np.uint16(reason), np.uint16(0))
    return found


def score(rows: Rows, multiplier: U64) -> U64:
    """``50 * tier + 200 * multiplier * processors + 5 * hired``, the multiplier in hundredths.

    Of processors those count that were shown, where that is fewer.

    The network's formula ``((0.02 * tier / 4 + 2 * multiplier * processors) * 100 + 0.05 * hired) * 100``
    without fractions. The tier is the stated one or the measured one, whichever is lower.
    """
    wide = {name: rows[name].astype(np.uint64) for name in ("processors", "hired")}
    tier = np.minimum(rows["tier"], np.maximum(rows["measured_tier"], UNMEASURED_TIER)).astype(np.uint64)
    shown = rows["processors_shown"].astype(np.uint64)
    processors = np.where(shown > 0, np.minimum(shown, wide["processors"]), wide["processors"])
    hardware = np.uint64(200) * multiplier * processors
    points: U64 = np.uint64(50) * tier + hardware + np.uint64(5) * wide["hired"]
    return points


def divide(whole: int, succeeded: set[Pool]) -> dict[Pool, int]:
    """Divide ``whole`` by the points of the pools in which a device succeeded.

    A pool without one gives its part to the other. Enterprise's part is rounded down.
    """
    if len(succeeded) < len(Pool):
        return dict.fromkeys(succeeded, whole)
    enterprise = whole * POOL_POINTS[Pool.ENTERPRISE] // ALL_POINTS
    return {Pool.ENTERPRISE: enterprise, Pool.COMMUNITY: whole - enterprise}


def class_of(rows: Rows, classes: Rows) -> tuple[U64, NDArray[np.uint8]]:
    """Each device's multiplier (0 for an unknown class) and pool."""
    multipliers = np.zeros(1 << 16, np.uint64)
    pools = np.zeros(1 << 16, np.uint8)
    multipliers[classes["id"]] = classes["multiplier"]
    pools[classes["id"]] = classes["pool"]
    return multipliers[rows["class"]], pools[rows["class"]]


def sum_of(column: U64) -> int:
    """A column's sum, however many bits it takes."""
    half = np.uint64(32)
    return (int((column >> half).sum()) << 32) + int((column & np.uint64((1 << 32) - 1)).sum())


def wallets_of(rows: Rows, results: Rows, before: Rows) -> Rows:
    """Add what devices earned (``RESULT``) to what wallets had; those that never earned are left out."""
    return with_earned(before, [earned(rows, results)])


def earned(rows: Rows, results: Rows) -> Rows:
    """What wallets earned by some devices, ``EARNED`` rows in any order: one may be there several times."""
    paid = [(rows["payout"], results["supplier"]), (rows["co_staker"], results["co_staker"])]
    some = [(wallet[amount > 0], amount[amount > 0]) for wallet, amount in paid]
    found = np.empty(sum(len(wallet) for wallet, _ in some), EARNED)
    found["wallet"] = np.concatenate([wallet for wallet, _ in some])
    found["amount"] = np.concatenate([amount for _, amount in some])
    return found


def with_earned(before: Rows, some: Sequence[Rows]) -> Rows:
    """Add ``EARNED`` rows to what wallets had (``WALLET``)."""
    wallets = np.concatenate([before["wallet"], *(each["wallet"] for each in some)])
    amounts = [each["amount"] for each in some]
    earned_now = np.concatenate([np.zeros(len(before), np.uint64), *amounts])
    lifetime = np.concatenate([before["lifetime"], *amounts])
    order = np.argsort(wallets, kind="stable")
    wallets = wallets[order]
    first = np.flatnonzero(np.concatenate([np.ones(min(1, len(wallets)), bool), wallets[1:] != wallets[:-1]]))
    table = np.zeros(len(first), WALLET)
    if len(table):
        table["wallet"] = wallets[first]
        table["lifetime"] = np.add.reduceat(lifetime[order], first)
        table["earned"] = np.add.reduceat(earned_now[order], first)
    return table
