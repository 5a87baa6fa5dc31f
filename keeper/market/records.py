"""What became of devices' leases, from events in their order: what their reputation is computed from.

A device is what was registered at once: one that is registered anew begins without a record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from solders.pubkey import Pubkey

from keeper.clients.orders import Lease, Order
from keeper.clients.staking import Class, Device
from keeper.economy.calendar import DAY
from keeper.economy.classes import STALE
from keeper.economy.orders import Currency, EndReason
from keeper.market.reputation import LeaseEnd, Reputation, reputation

NEW = Reputation().weight
"""The weight of a device without a record."""


@dataclass(slots=True)
class StalePrices:
    """What classes' prices were while they were stale, and leases cost what devices asked."""

    _spans: dict[int, list[tuple[int, int, Class]]] = field(default_factory=lambda: defaultdict(list))
    """By class: since when and until when it was as it was, where it was stale at the end of that."""
    _since: dict[int, tuple[int, Class]] = field(default_factory=dict)
    """Each class as it is, and since when."""

    def copy(self) -> Self:
        """The same, which goes its own way."""
        spans = {number: list(each) for number, each in self._spans.items()}
        return type(self)(defaultdict(list, spans), dict(self._since))

    def change(self, of_class: Class, at: int) -> None:
        """A class is this from ``at`` (unix seconds) on."""
        known = self._since.get(of_class.id)
        if known and known[1].step_at and at >= known[1].step_at + STALE:
            self._spans[of_class.id].append((known[0], at, known[1]))
        self._since[of_class.id] = at, of_class

    def of(self, number: int, currency: Currency, at: int) -> int | None:
        """What a processor and hour cost at ``at``, base units; None where the price was in force then."""
        since, of_class = self._since[number]
        spans = self._spans.get(number, ())
        was = next((each for start, end, each in spans if start <= at < end), None)
        if was is None and at < since:
            return None
        price = (was or of_class).price(currency, at)
        return price.amount if price.is_stale else None


@dataclass(slots=True)
class Records:
    """What became of leases, by device: of each the last that is known."""

    _ends: dict[Pubkey, dict[tuple[int, int], LeaseEnd]] = field(default_factory=lambda: defaultdict(dict))
    """By the device's registration and its lease's number."""
    _weights: dict[Pubkey, tuple[int, int, int]] = field(default_factory=dict)
    """Weights that were asked for, with their registration and day."""

    def copy(self) -> Self:
        """The same, which goes its own way."""
        ends = {device: dict(each) for device, each in self._ends.items()}
        return type(self)(defaultdict(dict, ends), dict(self._weights))

    def take(self, lease: Lease, order: Order, price: int) -> None:
        """A lease that ran has ended, or a fault changed what it comes to.

        ``price`` is the network's for a processor and hour when it was matched, base units.
        """
        # Only a fault takes away what the guardian held.
        disputed = lease.hold_from > 0 and lease.reason == EndReason.FAULT
        end = LeaseEnd.of(lease, order, price, disputed=disputed)
        self._ends[lease.device][lease.registered_at, lease.number] = end
        self._weights.pop(lease.device, None)

    def weights(self, devices: Mapping[Pubkey, Device], now: int) -> dict[Pubkey, int]:
        """What each device's idle time weighs at ``now``, basis points."""
        return {address: self._weight(address, each.registered_at, now) for address, each in devices.items()}

    def of(self, device: Pubkey, registered_at: int, now: int) -> Reputation:
        """What is left at ``now`` of the leases of a device that was registered then."""
        return reputation(self.ends(device, registered_at).values(), now)

    def ends(self, device: Pubkey, registered_at: int) -> dict[int, LeaseEnd]:
        """What became of the leases that ran of a device that was registered then, by their numbers."""
        found = self._ends.get(device, {})
        return {number: end for (since, number), end in sorted(found.items()) if since == registered_at}

    def _weight(self, device: Pubkey, registered_at: int, now: int) -> int:
        if device not in self._ends:
            return NEW
        known = self._weights.get(device)
        if known and known[:2] == (registered_at, now // DAY):
            return known[2]
        found = self.of(device, registered_at, now).weight
        self._weights[device] = registered_at, now // DAY, found
        return found
