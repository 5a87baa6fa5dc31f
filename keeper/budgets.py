"""Budgets: how much is done for whom, decided before anything dear is done."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

IPV6_NETWORK = 64
"""Bits of an IPv6 address that its owner was given: the others it picks freely."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So much at once, refilled at ``each_second``."""

    burst: float
    each_second: float


class Buckets:
    """A budget for each name; the names unused for longest are forgotten beyond ``most``."""

    def __init__(self, rate: Rate, most: int = 1) -> None:
        """All budgets begin full."""
        self._rate, self._most = rate, most
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._left)

    def take(self, name: Hashable, now: float, cost: float = 1.0) -> float:
        """Take ``cost`` from a budget at a monotonic time; returns 0, or the seconds until there is so much.

        What isn't there isn't taken.
        """
        left = self._refilled(name, now)
        wait = max(0.0, cost - left) / self._rate.each_second
        self._left[name] = (left if wait else left - cost, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return wait

    def owe(self, name: Hashable, now: float, cost: float) -> None:
        """Take what something came to afterwards, also what isn't there: down to as much again below 0."""
        if name in self._left:
            left = self._refilled(name, now)
            self._left[name] = (max(-self._rate.burst, left - cost), now)

    def _refilled(self, name: Hashable, now: float) -> float:
        left, at = self._left.pop(name, (self._rate.burst, now))
        return min(self._rate.burst, left + max(0.0, now - at) * self._rate.each_second)


def host_of(told: str) -> str:
    """An address without the port that some proxies add: ``192.0.2.7:443``, ``[2001:db8::7]:443``.

    Each connection has another port, which would be another budget each time.
    """
    if told.startswith("["):
        return told[1:].partition("]")[0]
    host, colon, port = told.partition(":")
    return host if colon and port.isdigit() and "." in host else told


def network_of(address: str) -> str:
    """Whose budget an address uses: its own, or an IPv6 network's."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    # Who listens on IPv6 alone sees all of IPv4 in one network: nobody there shall use up another's budget.
    if (mapped := found.ipv4_mapped) is not None:
        return str(mapped)
    return str(ipaddress.IPv6Network((found, IPV6_NETWORK), strict=False))
