"""Vesting by UTC calendar months: a share at launch, then equal monthly tranches."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.economy.calendar import month_of
from keeper.economy.supply import BPS


@dataclass(frozen=True, slots=True)
class Schedule:
    """When and how an amount (base units) becomes free.

    ``tge_bps`` of it at launch; the first of ``tranches`` at the start of the month that is
    ``cliff_months`` after the first month of emission.
    """

    amount: int
    tge_bps: int
    cliff_months: int
    tranches: int

    def vested(self, start_month: int, now: int) -> int:
        """Base units due at ``now``: ``tge + floor((amount - tge) * k / n)`` after k of n tranches."""
        at_launch = self.amount * self.tge_bps // BPS
        if self.tranches == 0:
            return self.amount
        due = month_of(now) - (start_month + self.cliff_months) + 1
        due = max(0, min(due, self.tranches))
        return at_launch + (self.amount - at_launch) * due // self.tranches
