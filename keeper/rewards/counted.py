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
from keeper.pow.clock import PLOT_COST, Shares, alpha, quartered
from keeper.pow.profiles import Profiles
from keeper.pow.seeds import pick_count
from keeper.rewards.rows import Hour, class_rows
from keeper.rewards.rule import Reason, class_of, reasons
from keeper.tables import Rows

OWN_SHARES = 4
"""The first rule by which residency waves have a share of their own."""
SHOWN_FIRST = 5
"""The first rule by which a device isn't paid before it has shown a product."""
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


def opened_shares(profiles: Profiles, devices: Iterable[tuple[int, int]]) -> Shares:
    """The shares of an hour's devices that are opened: :func:`keeper.pow.clock.alpha` of a wave's cost.

    ``devices`` are the class and the number of processors of each; a class without a profile costs nothing.
    Where memory isn't tested, a residency wave is a product.
    """
    products = plots = 0
    for number, processors in devices:
        profile = profiles.of_class(number)
        if profile is None:
            continue
        product = pick_count(profile.q, processors) * profile.K
        plot = profile.tested
        products += product
        plots += PLOT_COST * pick_count(plot.q, processors) * plot.inner(processors) if plot else product
    share = alpha(products)
    return Shares(share, alpha(plots)) if profiles.rule >= OWN_SHARES else quartered(share)
