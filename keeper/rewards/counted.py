"""Which devices an hour of proof of work counts for, and what share of them is opened.

One function for whoever judges an hour, by the events up to its start, and for operators' services, which
read accounts a moment after it. What changes an account in that moment can only take a device out: whose
stake comes to suffice then has it since then, and counts from the next hour on. So a service counts the same
devices or fewer, and the share that it opens is the same or larger: it takes and fetches every opening that
is due, and with devices that leave in the hour some that aren't, which count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from keeper.clients.staking import Class
from keeper.pow.clock import alpha
from keeper.pow.profiles import Profiles
from keeper.pow.seeds import pick_count
from keeper.rewards.rows import Hour, class_rows
from keeper.rewards.rule import Reason, class_of, reasons
from keeper.tables import Rows

BARRING = Reason.TERMINATED | Reason.INSUFFICIENT_STAKE | Reason.NOT_REWARDED


def counted(rows: Rows, classes: Mapping[int, Class], start: int) -> NDArray[np.bool_]:
    """Whether each of ``rows`` (INPUT) counts in the hour from ``start`` (unix seconds), bool[rows].

    Registered, not terminated, staked enough at the start, and of a class that is rewarded then.
    """
    multiplier, _ = class_of(rows, class_rows(classes, start))
    barred = reasons(Hour(0, start, 0), rows, multiplier) & BARRING.value != 0
    # Accounts that are read later have stakes of the very second in which the hour starts: too late.
    found: NDArray[np.bool_] = ~barred & (rows["sufficient_since"] < start)
    return found


def opened_share(profiles: Profiles, devices: Iterable[tuple[int, int]]) -> int:
    """The share of an hour's devices that is opened, in 65,536ths: :func:`keeper.pow.clock.alpha` of theirs.

    ``devices`` are the class and the number of processors of each; a class without a profile costs nothing.
    """
    load = 0
    for number, processors in devices:
        profile = profiles.of_class(number)
        if profile is not None:
            load += pick_count(profile.q, processors) * profile.K
    return alpha(load)
