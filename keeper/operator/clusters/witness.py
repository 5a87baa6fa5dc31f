"""What this operator saw of leases at full minutes: kept for a while, and signed where it is asked for.

All leases that run are noted at each minute, so that every operator can be asked about the same one; which of
them are silent here is told first, as the rest is of no use to anybody.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.budgets import Buckets, Rate
from keeper.chain.signer import Signer
from keeper.clients.orders import Lease
from keeper.compute.board import Heard
from keeper.compute.liveness import GRID_SECONDS, LOST_SECONDS, Observation
from keeper.compute.observations import Case, sign
from keeper.compute.wire import Network

MINUTES = 5
"""That are kept: 20 MB with 10,000 leases."""
SIGNATURES = Rate(600, 10)
"""Observations that are signed, for everybody together: a signer may be a program, started for each."""


class TooMany(Exception):
    """Too many observations were asked for; ``wait`` seconds until there is room."""

    def __init__(self, wait: float) -> None:
        """``wait`` are seconds."""
        super().__init__(wait)
        self.wait = wait


class _Noted(NamedTuple):
    """A lease at a minute, and its worker's last BEAT in it."""

    case: Case
    last_beat: int
    beat: bytes


class _Minute(NamedTuple):
    """All leases at a minute, by their addresses."""

    at: int
    leases: dict[Pubkey, _Noted]
    heard: int

    def observation(self, operator: Pubkey, noted: _Noted) -> Observation:
        return Observation(
            str(operator),
            self.at,
            noted.case.lease,
            noted.last_beat,
            len(self.leases),
            self.heard,
            noted.beat.hex(),
        )


class Witness:
    """One operator's."""

    def __init__(self, network: Network, signer: Signer) -> None:
        """Nothing is noted yet; ``signer`` is the operator's."""
        self._network, self._operator, self._signer = network, signer.pubkey(), signer
        self._minutes: OrderedDict[int, _Minute] = OrderedDict()
        self._signed: dict[tuple[int, Pubkey], bytes] = {}
        self._signatures = Buckets(SIGNATURES)
        self._signing = asyncio.Lock()

    def note(self, now: int, running: Iterable[Lease], heard: Mapping[tuple[Pubkey, Pubkey], Heard]) -> bool:
        """Note the full minute that ``now`` (unix seconds) is in, once; whether it was a new one."""
        at = now - now % GRID_SECONDS
        if at in self._minutes:
            return False
        leases = {}
        for each in running:
            if each.start < at:
                seen = _last(each, heard.get((each.order, each.worker)), at)
                beat = (seen.ms // 1_000, seen.data) if seen else (0, b"")
                leases[each.address] = _Noted(Case.of(each), *beat)
        fresh = sum(at - noted.last_beat < LOST_SECONDS for noted in leases.values())
        self._minutes[at] = _Minute(at, leases, fresh)
        while len(self._minutes) > MINUTES:
            gone, _ = self._minutes.popitem(last=False)
            self._signed = {key: data for key, data in self._signed.items() if key[0] != gone}
        return True

    def silent(self, at: int) -> list[Pubkey]:
        """The leases that aren't heard here at a minute, as far as that can be told."""
        minute = self._minutes.get(at)
        if minute is None:
            return []
        return [
            address
            for address, noted in minute.leases.items()
            if minute.observation(self._operator, noted).hears_nothing
        ]

    async def observation(self, at: int, lease: Pubkey, monotonic: float) -> bytes | None:
        """The signed file of a lease at a minute; None where there is none. Raises TooMany, SigningFailed."""
        minute = self._minutes.get(at)
        noted = minute.leases.get(lease) if minute else None
        if minute is None or noted is None:
            return None
        async with self._signing:
            if (at, lease) not in self._signed:
                if wait := self._signatures.take(None, monotonic):
                    raise TooMany(wait)
                seen = minute.observation(self._operator, noted)
                self._signed[at, lease] = await asyncio.to_thread(sign, seen, self._network, self._signer)
        return self._signed[at, lease]


def _last(lease: Lease, heard: Heard | None, at: int) -> Heard | None:
    """The last BEAT of a lease in a minute: a newer one may have come since."""
    for each in (heard, heard.previous if heard else None):
        if each and each.number == lease.number and lease.start <= each.ms // 1_000 <= at:
            return each
    return None
