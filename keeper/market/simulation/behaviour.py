"""What somebody with devices can do, at the moments that a supplier, a renter or an operator really has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keeper.market.simulation.town import Town
from keeper.market.snapshot import Snapshot

Asks = NDArray[np.int64]


class Behaviour:
    """Suppliers who ask their costs, and do nothing else."""

    def __init__(self, town: Town) -> None:
        """Of the devices that are ``town.own``."""
        self.town = town

    @property
    def costs(self) -> Asks:
        """What an hour costs them now."""
        return self.town.costs * self.town.worth

    @property
    def too_much(self) -> Asks:
        """An ask that nobody meets."""
        return np.full_like(self.town.costs, self.town.price * 3 // 2)

    def asks(self) -> Asks:
        """What devices ask in an hour, at its beginning."""
        return self.costs

    def tick(self) -> None:
        """Before the state of a tick is looked at."""

    def seen(self, tick: Snapshot) -> Snapshot:
        """After that, before its first turn; what whoever matches goes by."""
        return tick

    def serves(self, device: int) -> bool:
        """Whether a lease of one is served."""
        return True

    def voted(self, before: int, after: int) -> int:
        """The price that operators' votes lead to from ``before``, where the rule leads to ``after``."""
        return after
