"""What a simulation comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass
class Outcome:
    """What came of it; money in millionths, ``prices``, ``used`` (permille of all processors) by the hour.

    By device: ``profits``, the seconds for which honest orders were ``served``, ``weights`` at the end.
    ``wanted`` and ``filled`` are honest orders' places, ``surplus`` is what their renters have of them.
    ``spent`` is what attackers' own orders cost them, which ``profits`` don't know.
    """

    prices: list[int] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    wanted: int = 0
    filled: int = 0
    surplus: int = 0
    spent: int = 0
    profits: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    served: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    weights: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
