"""Devices as an order finds them: by class, processors, tier, currency and country, the free ones first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from keeper.market.places import Places
from keeper.market.sequence import U64

Numbers = NDArray[np.intp]
"""A column of countries' numbers."""


class Rack:
    """Devices in sequence, of which those that are free are looked at."""

    __slots__ = ("devices", "left")

    def __init__(self, devices: Places) -> None:
        """Take their places."""
        self.devices = self.left = devices

    def free(self, is_free: NDArray[np.bool_], start: int, stop: int) -> tuple[Places, int]:
        """Those of a part of what is left that are free, and where the next part starts.

        Once most of a part are taken, the taken ones aren't left any more: nothing that was taken when this
        is asked may be free again later.
        """
        part = self.left[start:stop]
        devices = part.compress(is_free.take(part))
        if 2 * len(devices) >= len(part):
            return devices, stop
        self.left = np.concatenate([self.left[:start], devices, self.left[stop:]])
        return devices, start + len(devices)


class Shelf:
    """The devices of a class and number of processors that are let for a currency, from a tier upwards."""

    def __init__(self, devices: Places, country: Numbers, changed_at: U64) -> None:
        """Take their places in sequence; the columns are of all devices."""
        self._whole = Rack(devices)
        self._country = country[devices]
        self.youngest = int(changed_at[devices].max(initial=0))
        """The last change of terms among them, unix seconds."""

    def racks(self, countries: Sequence[int]) -> list[Rack]:
        """Those of some countries, without such that have none; all of them in one for no countries."""
        if not countries:
            return [self._whole]
        racks = self._by_country
        return [racks[each] for each in countries if each in racks]

    @cached_property
    def _by_country(self) -> dict[int, Rack]:
        order = np.argsort(self._country, kind="stable")
        devices = self._whole.devices[order]
        numbers, starts = np.unique(self._country[order], return_index=True)
        edges = [*starts.tolist(), len(devices)]
        return {
            number: Rack(devices[start:stop])
            for number, (start, stop) in zip(numbers.tolist(), pairwise(edges), strict=True)
        }
