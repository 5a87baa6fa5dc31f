"""What changed of a table of devices since an earlier one, and the table again from both."""

from __future__ import annotations

import numpy as np

from keeper.market.snapshot import DEVICE, Out
from keeper.tables import Rows


def changes(before: Rows, now: Rows) -> Rows:
    """Rows of ``now`` that are new or differ, and for each device that is gone one that says so; sorted."""
    if not len(before):
        return now
    at = np.minimum(np.searchsorted(before["device"], now["device"]), len(before) - 1)
    gone = np.setdiff1d(before["device"], now["device"], assume_unique=True)
    left = np.zeros(len(gone), DEVICE)
    left["device"], left["out"] = gone, Out.GONE
    return _sorted(np.concatenate([now[before[at] != now], left]))


def changed(before: Rows, rows: Rows) -> Rows:
    """The table to which ``rows`` of :func:`changes` lead from ``before``."""
    stays = ~np.isin(before["device"], rows["device"])
    return _sorted(np.concatenate([before[stays], rows[rows["out"] != Out.GONE]]))


def _sorted(rows: Rows) -> Rows:
    return rows[np.argsort(rows["device"], kind="stable")]
