"""The devices that may take part: registered, with a sufficient stake, of a class that has a profile."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.clients import staking
from keeper.operator.refusals import Refusal, Why
from keeper.pow.clock import Shares
from keeper.pow.hashing import u32
from keeper.pow.profiles import Profiles
from keeper.pow.profiles_by_hour import ByHour
from keeper.rewards.counted import counted, opened_shares
from keeper.rewards.rows import OBSERVATION, device_rows
from keeper.tables import addresses


class Entry(NamedTuple):
    """A device that takes part, by what its account says."""

    address: Pubkey
    worker: Pubkey
    device_class: int
    processors: int
    since: int
    """Unix time since when its stake is sufficient."""


class Fleet(NamedTuple):
    """The devices of an hour, which its pings are about: sorted addresses, and the shares that are opened."""

    devices: tuple[bytes, ...]
    shares: Shares

    def encode(self) -> bytes:
        """For a file that only this service reads."""
        return b"".join([*map(u32, self.shares), *self.devices])

    @classmethod
    def decode(cls, data: bytes) -> Fleet:
        """Read it again."""
        shares = Shares(*struct.unpack_from("<II", data))
        return cls(tuple(data[at : at + 32] for at in range(8, len(data), 32)), shares)


@dataclass(frozen=True, slots=True)
class Roster:
    """Devices by their accounts' addresses (32 bytes); ``resting`` ones don't take part, and why.

    ``workers`` are the keys of all that there are: what a device did in an hour counts, whatever became of
    it since.
    """

    entries: Mapping[bytes, Entry]
    resting: Mapping[bytes, str]
    workers: Mapping[bytes, Pubkey] = field(default_factory=dict)

    def find(self, device: bytes) -> Entry | Refusal:
        """A device that takes part, or why it doesn't."""
        if entry := self.entries.get(device):
            return entry
        if reason := self.resting.get(device):
            return Refusal(Why.NOT_STAKED, f"The device doesn't take part: {reason}.")
        return Refusal(Why.UNKNOWN_DEVICE, "No device has this account: register it, or wait a minute.")


async def read_roster(chain: ChainReader, profiles: ByHour) -> Roster:
    """Who takes part as of now; what it does in a wave, that wave's hour says."""
    entries, resting = dict[bytes, Entry](), dict[bytes, str]()
    devices, classes = await staking.read_devices(chain), profiles.classes
    for address, device in devices.items():
        since = device.sufficient_since
        if device.terminated:
            resting[bytes(address)] = "it is terminated"
        elif not since:
            resting[bytes(address)] = "its stake isn't sufficient"
        elif device.device_class not in classes:
            resting[bytes(address)] = f"class {device.device_class} has no profile"
        else:
            entries[bytes(address)] = Entry(
                address, device.worker, device.device_class, device.processors, since
            )
    return Roster(entries, resting, {bytes(address): each.worker for address, each in devices.items()})


async def read_fleet(chain: ChainReader, profiles: Profiles, start: int) -> Fleet:
    """The devices of the hour from ``start`` (unix seconds), which must have begun; see :func:`counted`.

    Those whose class has a profile.
    """
    accounts = await staking.device_accounts(chain)
    classes = await staking.read_classes(chain)
    rows = device_rows(list(accounts), list(accounts.values()), np.zeros(0, OBSERVATION))
    rows = rows[counted(rows, classes, start)]
    rows = rows[[profiles.of_class(int(each)) is not None for each in rows["class"]]]
    terms = zip(rows["class"].tolist(), rows["processors"].tolist(), strict=True)
    return Fleet(tuple(map(bytes, addresses(rows["device"]))), opened_shares(profiles, terms))
