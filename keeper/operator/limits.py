"""Budgets: how much the service does for whom, decided before anything dear is done.

What a message costs to check (70 us for a signature) is known; who sends it is not. So everybody has a budget
by address, and all strangers together have one. Whoever has sent a rightly signed message from an address is
no stranger there: its budget is its own, and no flood from elsewhere uses it up. Who is known where outlives
the process (the book has it): after a restart in a flood all devices would be strangers at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterable
from dataclasses import dataclass

from keeper.budgets import Buckets, Rate, network_of

HOMES = 4
"""Addresses that a device is known at, at most."""
HOME_SECONDS = 86_400.0
"""An address where a device was heard from so lately isn't forgotten for another: an operator that hands its
messages on from elsewhere would make a stranger of it at all others."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the service does for whom. Connections are counted where they are accepted."""

    device: Rate = Rate(12, 0.5)
    """Messages of a device from an address where it is known: a wave has three, each perhaps twice. As many
    again that a glance is enough for."""
    stranger: Rate = Rate(60, 6)
    """Messages from an address, of devices that aren't known there."""
    strangers: Rate = Rate(4_000, 2_000)
    """The same of all addresses together: 2,000 signatures are a seventh of a core."""
    reader: Rate = Rate(600, 100)
    """Other requests from an address, times its :meth:`Gate.share`."""
    names: int = 65_536
    """Addresses that are remembered at a time: about 20 MB."""
    connections: int = 16_384
    """Open at a time, of all; the last quarter is for addresses where a device is known."""
    connections_each: int = 48
    """Open at a time from an address, times its :meth:`Gate.share`."""
    arrivals: Rate = Rate(96, 8)
    """Connections that an address opens, times its :meth:`Gate.share`."""
    trusted: frozenset[str] = frozenset({"127.0.0.1", "::1"})
    """Proxies on this machine: whom they speak for is in ``x-forwarded-for``, and they limit connections."""


class Gate:
    """Who is admitted; asked before a body is read and before a signature is checked."""

    def __init__(self, limits: Limits) -> None:
        """Nobody is known yet."""
        self.limits = limits
        self._devices = Buckets(limits.device, 4 * limits.names)
        self._glances = Buckets(limits.device, 4 * limits.names)
        self._addresses = Buckets(limits.stranger, limits.names)
        self._readers = Buckets(limits.reader, limits.names)
        self._arrivals = Buckets(limits.arrivals, limits.names)
        self._all = Buckets(limits.strangers)
        self._homes: dict[bytes, OrderedDict[str, float]] = {}
        self._guests: dict[str, int] = {}
        self._changed: set[bytes] = set()

    def admit(self, address: str, device: bytes, now: float) -> float:
        """Admit a message that says it is ``device``'s; returns 0, or the seconds to wait."""
        if self.is_home(address, device):
            return self._devices.take((address, device), now)
        # An address's own budget first: what it is refused costs the others nothing.
        return self._addresses.take(network_of(address), now) or self._all.take(None, now)

    def glance(self, address: str, device: bytes, now: float) -> float:
        """Count a message that a glance is enough for; returns 0, or the seconds to wait.

        It is refused, or was taken before. No signature is looked at, so that it may be anybody's: it uses up
        nothing of what the device that it names may say anew, nor of strangers elsewhere.
        """
        if self.is_home(address, device):
            return self._glances.take((address, device), now)
        return self._addresses.take(network_of(address), now)

    def is_home(self, address: str, device: bytes) -> bool:
        """Whether ``device`` is known at an address."""
        return address in self._homes.get(device, ())

    def read(self, address: str, now: float) -> float:
        """Admit a request that is no message; returns 0, or the seconds to wait."""
        return self._readers.take(network_of(address), now, 1 / self.share(address))

    def arrive(self, address: str, now: float) -> bool:
        """Whether an address may open another connection."""
        return self._arrivals.take(network_of(address), now, 1 / self.share(address)) == 0

    def proved(self, address: str, device: bytes, now: float) -> None:
        """``device`` has sent a rightly signed message from ``address``."""
        homes = self._homes.setdefault(device, OrderedDict())
        if address in homes:
            homes[address] = now
            homes.move_to_end(address)
            return
        if len(homes) == HOMES:
            longest_unused, heard = next(iter(homes.items()))
            if now - heard < HOME_SECONDS:
                return
            del homes[longest_unused]
            self._leave(longest_unused)
        self._changed.add(device)
        homes[address] = now
        self._guests[address] = self._guests.get(address, 0) + 1

    def keep_only(self, devices: Container[bytes]) -> None:
        """Devices that aren't among these, as they take part no more, are known nowhere."""
        for device in [each for each in self._homes if each not in devices]:
            self._changed.add(device)
            for address in self._homes.pop(device):
                self._leave(address)

    def recall(self, homes: Iterable[tuple[bytes, str]], now: float) -> None:
        """Devices and addresses where they are known from before this process, the longest unused first."""
        for device, address in homes:
            self.proved(address, device, now)
        self._changed.clear()

    def changes(self) -> dict[bytes, list[str]]:
        """Of each device for which that has changed since the last call, where it is known now.

        The longest unused address first.
        """
        found = {device: list(self._homes.get(device, ())) for device in self._changed}
        self._changed.clear()
        return found

    def share(self, address: str) -> int:
        """How much of what an address gets it gets: once, and once for each device that is known there."""
        return 1 + self._guests.get(address, 0)

    def _leave(self, address: str) -> None:
        self._guests[address] -= 1
        if not self._guests[address]:
            del self._guests[address]
