"""What this operator saw of leases at full minutes: kept for a while, and signed where it is asked for.

All leases that run are noted at each minute, so that every operator can be asked about the same one; which of
them are silent here is told first, as the rest is of no use to anybody.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.budgets import Buckets, Rate
from keeper.chain.signer import Signer
from keeper.clients.orders import Lease
from keeper.compute.board import Heard
from keeper.compute.knocks import Reached
from keeper.compute.liveness import GRID_SECONDS, LOST_SECONDS, Observation
from keeper.compute.observations import Case, sign
from keeper.compute.wire import Network
from keeper.operator.clusters.probing import Words

MINUTES = 5
"""That are kept: 20 MB with 10,000 leases."""
NOTE_SECONDS = 25
"""After a full minute it isn't noted any more: a board has a worker's last two BEATs, 30 seconds apart."""
SIGHT = LOST_SECONDS // GRID_SECONDS
"""Minutes in each of which devices must have been heard for an operator to be sure of its own network."""
SIGNATURES = Rate(600, 10)
"""Observations that a program signs, for everybody together, as it is started for each; the same again of
leases that aren't heard here, so that nobody who asks for the others' keeps those from being signed."""


NOTHING = Words()


class TooMany(Exception):
    """Too many observations were asked for; ``wait`` seconds until there is room."""

    def __init__(self, wait: float) -> None:
        """``wait`` are seconds."""
        super().__init__(wait)
        self.wait = wait


class _Noted(NamedTuple):
    """A lease at a minute, and its worker's last BEAT in it."""

    lease: Lease
    last_beat: int
    beat: bytes
    words: Words


class _Minute(NamedTuple):
    """All leases at a minute that are judged, by their addresses."""

    at: int
    leases: dict[Pubkey, _Noted]
    beating: set[Pubkey]
    """Leases, also of others than these, with a BEAT in this one minute, or since."""
    leased: int
    heard: int
    reached: int
    silent: list[Pubkey]

    def observation(self, operator: Pubkey, noted: _Noted) -> Observation:
        lease, beat = Case.of(noted.lease).lease, noted.beat.hex()
        seen = (noted.last_beat, self.leased, self.heard, beat, *noted.words)
        return Observation(str(operator), self.at, lease, *seen, reached=self.reached)


class Witness:
    """One operator's."""

    def __init__(self, network: Network, signer: Signer) -> None:
        """Nothing is noted yet; ``signer`` is the operator's."""
        self._network, self._operator, self._signer = network, signer.pubkey(), signer
        self.reached = Reached(LOST_SECONDS)
        self._minutes: OrderedDict[int, _Minute] = OrderedDict()
        self._known: dict[tuple[Pubkey, int, int], int] = {}
        """Leases that run, by what names them, and the minute in which they were first seen to."""
        self._signed: dict[tuple[int, Pubkey], bytes] = {}
        self._signatures = Buckets(SIGNATURES, 2)
        self._signing = asyncio.Lock()

    def note(
        self,
        now: int,
        running: Iterable[Lease],
        heard: Mapping[tuple[Pubkey, Pubkey], Heard],
        words: Callable[[Lease, int], Words] = lambda lease, at: NOTHING,
    ) -> bool:
        """Note the full minute that ``now`` (unix seconds) is in, once and in time; whether it was a new one.

        ``words`` is what speaks against a lease at a second.

        A lease is judged once it was seen to run for :data:`LOST_SECONDS` by this clock: the chain's, which
        its start is by, may be behind, and who has just begun to listen can't know who was there before.
        """
        at = now - now % GRID_SECONDS
        if at in self._minutes or now - at > NOTE_SECONDS:
            return False
        known, self._known = self._known, {}
        due, beating, leases = set(), set(), {}
        for each in running:
            address = each.address
            name = address, each.number, each.registered_at
            since = self._known[name] = known.get(name, at)
            beats = [beat for beat in _beats(heard.get((each.order, each.worker))) if _is_of(beat, each)]
            if beats and at - beats[0].ms // 1_000 < GRID_SECONDS:
                beating.add(address)
            if at - since < LOST_SECONDS:
                continue
            due.add(address)
            before = [beat for beat in beats if beat.ms // 1_000 <= at]
            if beats and not before:
                continue  # It was heard since, and what came before that isn't known any more.
            last = (before[0].ms // 1_000, before[0].data) if before else (0, b"")
            leases[address] = _Noted(each, *last, words(each, at))
        sight = [self._minutes.get(at - GRID_SECONDS * back) for back in range(1, SIGHT)]
        fewest = min(len(due & minute.beating) if minute else 0 for minute in sight)
        fewest = min(fewest, len(due & beating))
        self._minutes[at] = minute = _Minute(
            at, leases, beating, len(due), fewest, self.reached.since(at), []
        )
        for address, noted in leases.items():
            # Few of them: making an observation of each would hold up the wave's clock.
            is_late = at - max(noted.last_beat, noted.lease.start) >= LOST_SECONDS
            hears_nothing = is_late and minute.observation(self._operator, noted).hears_nothing
            if hears_nothing or noted.words.probes_failed:
                minute.silent.append(address)
        while len(self._minutes) > MINUTES:
            gone, _ = self._minutes.popitem(last=False)
            self._signed = {key: data for key, data in self._signed.items() if key[0] != gone}
        return True

    def silent(self, at: int) -> list[Pubkey]:
        """The leases that aren't heard here at a minute, so far as can be told, or whose probes failed."""
        minute = self._minutes.get(at)
        return minute.silent if minute else []

    async def observation(self, at: int, lease: Pubkey, monotonic: float) -> bytes | None:
        """The signed file of a lease at a minute; None where there is none. Raises TooMany, SigningFailed."""
        minute = self._minutes.get(at)
        noted = minute.leases.get(lease) if minute else None
        if minute is None or noted is None:
            return None
        seen = minute.observation(self._operator, noted)
        if isinstance(self._signer, Keypair):  # At once, and the same each time.
            return sign(seen, self._network, self._signer)
        async with self._signing:
            if (at, lease) not in self._signed:
                if wait := self._signatures.take(seen.hears_nothing, monotonic):
                    raise TooMany(wait)
                self._signed[at, lease] = await asyncio.to_thread(sign, seen, self._network, self._signer)
        return self._signed[at, lease]


def _beats(heard: Heard | None) -> list[Heard]:
    """A worker's last BEATs, the last one first."""
    return [each for each in (heard, heard.previous if heard else None) if each]


def _is_of(beat: Heard, lease: Lease) -> bool:
    return beat.number == lease.number and lease.start <= beat.ms // 1_000
