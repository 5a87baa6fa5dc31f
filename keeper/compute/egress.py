"""A renter's way out of a device: which names its supplier allows, and which addresses are never reached.

A name is compared as it was asked for; an address is one that was looked at, and that very one is connected
to, so a name whose address changes in between leads nowhere else. Nothing here touches a network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)

PORT = 443
"""The only one: what is spoken there is encrypted, by whoever listens to such names."""
MOST_NAMES = 64
MOST_NAME = 253
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LAST = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
"""Begins with a letter, so no way to write an IPv4 address is a name."""
_NAME = re.compile(rf"(?:{_LABEL}\.)+{_LAST}")
ANY = "*."
"""Before a name: all below it."""
_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that leads anywhere; what stands for an IPv4 address, mapped or translated, is outside."""
_NEVER = [
    ip_network(each)
    for each in (
        "192.0.0.0/24",  # What Python's own table has beside these depends on its version.
        "192.88.99.0/24",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",  # An IPv4 address is in it, such as a private one.
        "3fff::/20",
    )
]


def require_allowed(names: Sequence[str]) -> None:
    """Raise ValueError unless these can be a supplier's list: host names, or ``*.`` before one."""
    if len(names) > MOST_NAMES:
        raise ValueError(f"a list has {MOST_NAMES} names at most, not {len(names)}")
    for each in names:
        if not is_name(each.removeprefix(ANY)):
            raise ValueError(
                f"{each!r} is no host's name in small letters: write it like pypi.org, "
                "or *.pypi.org for all below it"
            )


def is_name(name: str) -> bool:
    """Whether it is a host's name of two labels at least, and no address."""
    return len(name) <= MOST_NAME and _NAME.fullmatch(name) is not None


def allows(allowed: Iterable[str], name: str) -> bool:
    """Whether a name is one of the list, or below one that is there with ``*.``, at any depth."""
    return any(
        name.endswith(each.removeprefix("*")) and is_name(name) if each.startswith(ANY) else name == each
        for each in allowed
    )


def reachable(addresses: Iterable[str], own: Sequence[Network]) -> list[Address]:
    """Those of some addresses that a renter's code may be connected to; ``own`` are the machine's networks.

    Public ones alone: no loopback, private, shared (CGNAT), link-local, multicast or reserved one, none that
    stands for an IPv4 address, and nobody beside the machine on its own networks.
    """
    found: list[Address] = []
    for each in addresses:
        try:
            address = ip_address(each)
        except ValueError:
            continue
        if _is_public(address) and not any(address in network for network in own) and address not in found:
            found.append(address)
    return found


def networks(interfaces: Iterable[tuple[str, str | None]]) -> list[Network]:
    """The networks of interfaces' addresses and masks; one without a mask is an address alone."""
    found: list[Network] = []
    for address, mask in interfaces:
        plain = address.partition("%")[0]
        try:
            if ":" in plain and mask:
                bits = bin(int(IPv6Address(mask))).count("1")
            else:
                bits = ip_interface(f"{plain}/{mask}").network.prefixlen if mask else -1
            # A mask of no bits would be the whole internet: some tunnels have it.
            network = ip_interface(f"{plain}/{bits}").network if bits > 0 else ip_network(plain)
        except ValueError:
            continue
        found.append(network)
    return found


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in each for each in _NEVER)
