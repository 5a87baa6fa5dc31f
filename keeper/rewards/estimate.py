"""What a device would have earned: the rule on published hours, with one device more.

Nothing is extrapolated: each hour is computed anew by :func:`~keeper.rewards.rule.reward`, and the device's
row is read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keeper.economy.calendar import DAY, HOUR
from keeper.economy.staking import minimum
from keeper.economy.supply import BPS
from keeper.errors import UserError
from keeper.rewards import publication
from keeper.rewards.rows import INPUT, Hour, Work
from keeper.rewards.rule import UPTIME, reward
from keeper.tables import Rows

_UP = 2 * UPTIME
"""For so long it has been up, seconds: long enough."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A device as it would be; ``device_class`` is its class's number, ``tier`` is measured, too."""

    device_class: int
    processors: int
    tier: int
    hired: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """Base units that a device would have earned by hour, and the stake that it needs now."""

    earned: Mapping[int, int]
    stake: int

    @property
    def total(self) -> int:
        """In all of these hours."""
        return sum(self.earned.values())

    @property
    def daily(self) -> int:
        """In a day like these hours, rounded down."""
        return self.total * DAY // (HOUR * len(self.earned))

    @property
    def yearly_bps(self) -> int:
        """Of its stake in a year of such days, basis points, rounded down; nothing is added to the stake."""
        return self.daily * 365 * BPS // self.stake


def earned(folder: Path, hour: int, candidate: Candidate) -> int:
    """Base units that the device would have earned in a published hour, doing all that it must.

    Raises PublicationError, and UserError for a class that the hour doesn't have.
    """
    manifest = publication.read_manifest(folder, hour)
    inputs, classes = (
        publication.read_table(folder, manifest, name) for name in ("inputs.csv", "classes.csv")
    )
    row = _row(classes, candidate, manifest.start)
    rows = np.concatenate([inputs, row])
    # Its address is one that nobody has: it only has to have a place.
    rows = rows[np.argsort(rows["device"], kind="stable")]
    before = publication.wallets_before(folder, hour)
    found = reward(Hour(hour, manifest.start, manifest.emitted), rows, classes, before).devices
    return int(found["reward"][found["device"] == row["device"][0]].sum())


def _row(classes: Rows, candidate: Candidate, start: int) -> Rows:
    of_class = classes[classes["id"] == candidate.device_class]
    if not len(of_class):
        raise UserError(f"there was no class {candidate.device_class} in that hour")
    row = np.zeros(1, INPUT)
    row["device"] = row["payout"] = bytes([255]) * 32
    row["class"], row["processors"] = candidate.device_class, candidate.processors
    row["tier"] = row["measured_tier"] = candidate.tier
    row["own"] = minimum(int(of_class["multiplier"][0]), candidate.processors)
    row["sufficient_since"] = row["up_since"] = start - max(_UP, HOUR)
    row["online"], row["work"], row["hired"] = 1, Work.PASSED, candidate.hired
    return row
