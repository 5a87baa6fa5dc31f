"""Whether a hired device was lost, or beat and didn't serve, and how long it was good: repeated from files.

Each operator publishes an :class:`Observation` of a lease, made at a full minute. :func:`silence` and
:func:`unserved` are functions of those and of nothing else. The hash that operators vote under is of the
verdict alone, so that operators which saw different beats vote alike; what each saw lies beside it.

A BEAT counts at the second that its worker signed, and repeats what its operator asked for last. So who makes
an observation can keep beats back, and can't have any from before it asked or of another time. Whatever the
others say, no device is found lost that k operators hear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from solders.pubkey import Pubkey

from keeper import canonical
from keeper.compute import wire
from keeper.compute.bodies import Beat
from keeper.compute.refusals import WireError
from keeper.compute.wire import Network
from keeper.economy.calendar import HOUR
from keeper.errors import UserError

RULE = 2
"""Version of the rules here: part of every verdict."""
BEAT_SECONDS = 30
SUSPECT_SECONDS, LOST_SECONDS = 90, 180
"""Without a beat."""
DARK_SECONDS = 5_400
"""Without a beat, where an operator hears less than half of all leased devices and others reach it. An outage
that is shorter costs nobody anything, and money that is due is paid two hours late: who has most devices and
switches them off is paid for none of these seconds."""
GRID_SECONDS = 60
"""Observations are made at multiples of it, so that operators judge the same moment."""
JOINING_SECONDS = 600
"""After a lease's start in which a device can't be unserved: Ray is starting, once more if need be."""
TOGETHER_SECONDS = 600
"""What shows that a device doesn't serve comes within so many seconds."""
AFTER_WAVE_SECONDS = 60
"""A sandbox is frozen for a wave: nothing counts from its block on until so long after its last second."""


class ObservationError(UserError):
    """An observation that can't be one, or isn't of the lease that is judged."""


class Reason(StrEnum):
    """Why a lease was not served on."""

    SILENT = "silent"
    UNSERVED = "unserved"


@dataclass(frozen=True, slots=True)
class Hired:
    """A lease that is judged; ``device`` is base58, times unix seconds."""

    device: str
    registered_at: int
    number: int
    start: int
    stop: int

    def __post_init__(self) -> None:
        """Raise ObservationError for hours that can't be."""
        if not 0 < self.start < self.stop:
            raise ObservationError("a lease that is judged has begun, and has hours")


@dataclass(frozen=True, slots=True)
class Observation:
    """What one operator saw of a lease until ``at``; seconds are unix seconds."""

    operator: str
    at: int
    lease: Hired
    last_beat: int
    """The second that the last valid BEAT of this lease was signed in; 0 without one."""
    leased: int
    """Devices of the network whose leases it has seen run for :data:`LOST_SECONDS`."""
    heard: int
    """Of those, how many beat here in that minute of the last :data:`LOST_SECONDS` in which fewest did: after
    a network has failed and come back some are heard before the others are."""
    beat: str = ""
    """That BEAT as it was signed, hexadecimal: see :func:`require_proven`."""
    complaints: tuple[int, ...] = ()
    """Seconds of the renter's COMPLAINTs about the device."""
    missing: tuple[int, ...] = ()
    """Seconds of VIEWs in which its node isn't alive; none of the device's own."""
    probes_failed: tuple[int, ...] = ()
    """Seconds in which a probe in its sandbox began that this operator sent and that failed."""
    reached: int = 0
    """The second since which at least half of the other operators have reached its board, without a pause of
    :data:`LOST_SECONDS`, by the way that BEATs take; 0 where they don't. See :mod:`keeper.compute.knocks`."""
    version: int = RULE

    def __post_init__(self) -> None:
        """Raise ObservationError for numbers that can't be."""
        seconds = (*self.complaints, *self.missing, *self.probes_failed, self.last_beat, self.reached)
        if self.version != RULE:
            raise ObservationError(f"version {self.version} of observations isn't known here: update ionet")
        if self.at % GRID_SECONDS or self.at <= 0:
            raise ObservationError(f"an observation is made at a full minute, not at {self.at}")
        if not 0 <= self.heard <= self.leased:
            raise ObservationError("an operator hears no more devices than are leased")
        if min(seconds) < 0 or max(seconds) > self.at:
            raise ObservationError("an observation has nothing that comes after it")

    def encode(self) -> bytes:
        """The published file: canonical JSON."""
        return canonical.encode(self)

    @property
    def sighted(self) -> bool:
        """Whether it heard at least half of all leased devices: else its own network may have failed."""
        return 0 < self.leased <= 2 * self.heard

    @property
    def last_good(self) -> int:
        """The last second that it saw the lease served in; its start without a beat since."""
        return min(max(self.last_beat, self.lease.start), self.lease.stop)

    @property
    def hears_nothing(self) -> bool:
        """Whether it can tell that the device is silent, and it is.

        An operator at which most devices are silent can't tell whether it is cut off from them or they are
        switched off. So it waits, less long than money that is due: those whom it doesn't hear by then,
        while other operators reached it all along, are lost.
        """
        silent = self.at - max(self.last_beat, self.lease.start)
        if self.sighted:
            return silent >= LOST_SECONDS
        return silent >= DARK_SECONDS and bool(self.reached) and self.at - self.reached >= DARK_SECONDS


_FORM = canonical.Form(Observation, "an observation", "is none", ObservationError)


def decode(data: bytes) -> Observation:
    """Read a published observation; raises ObservationError for anything else, and for another form of it."""
    return _FORM.decode(data)


def require_proven(seen: Observation, network: Network, order: Pubkey, worker: Pubkey) -> None:
    """Raise ObservationError unless the BEAT that an observation has is its last one, signed by ``worker``.

    Without one there is nothing to prove: the observation says that there was none.
    """
    if not seen.beat and not seen.last_beat:
        return
    try:
        signed = wire.decode(bytes.fromhex(seen.beat), network, order)
        signed.verify()
    except (WireError, ValueError) as error:
        raise ObservationError(f"the beat of {seen.operator}'s observation is none: {error}") from error
    said, body = signed.message, signed.message.body
    if not isinstance(body, Beat) or (said.sender, str(body.operator)) != (worker, seen.operator):
        raise ObservationError(f"that isn't a beat of {worker} to {seen.operator}")
    if (said.ms // 1_000, body.number) != (seen.last_beat, seen.lease.number):
        raise ObservationError(f"that beat is of another second or lease than {seen.operator} says")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What operators vote: a lease was good for so many hours and no longer. Its hash is the evidence."""

    device: str
    registered_at: int
    number: int
    good_hours: int
    reason: Reason
    rule: int = RULE

    def encode(self) -> bytes:
        """Canonical JSON."""
        return canonical.encode(self)

    def hash(self) -> bytes:
        """What `vote_fault` takes as evidence: SHA-256 of :meth:`encode`, 32 bytes."""
        return sha256(self.encode()).digest()


@dataclass(frozen=True, slots=True)
class Wave:
    """Seconds from a wave's block to the last in which a commit to it counts."""

    begins: int
    ends: int

    def covers(self, second: int) -> bool:
        """Whether nothing of that second is held against a device."""
        return self.touches(second, second)

    def touches(self, first: int, last: int) -> bool:
        """Whether any second of these is such a one."""
        return self.begins <= last and first <= self.ends + AFTER_WAVE_SECONDS


def silence(observations: Sequence[Observation], k: int) -> Verdict | None:
    """Whether a device is lost, by the observations of different operators, of which ``k`` must agree.

    It is if at least k of them have had no beat for 180 seconds and hear half of all devices, or for 90
    minutes and are reached by other operators. It was good until the last second at which k operators,
    whatever they hear, still had a beat. Raises ObservationError when they aren't of one lease and minute,
    one for each operator.
    """
    lease = _one(observations, k)
    if sum(each.hears_nothing for each in observations) < k:
        return None
    good = sorted((each.last_good for each in observations), reverse=True)[k - 1]
    return _verdict(lease, good, Reason.SILENT)


def judge(observations: Sequence[Observation], k: int) -> Verdict | None:
    """Whether a lease isn't served, by either rule; raises ObservationError like both."""
    return silence(observations, k) or unserved(observations, k)


def unserved(observations: Sequence[Observation], k: int) -> Verdict | None:
    """Whether a device beats and doesn't serve: two of three in ten minutes, one of them the probe.

    Probes of at least ``k`` operators failed, and the renter complained or the head's list misses its node.
    Both of these are a renter's to say, so neither is enough, nor are they together. It was good
    until the k-th operator's probe failed. What falls into the ten minutes after the start or behind the
    lease's end counts for nothing; operators leave out what touches a wave, see :class:`Wave`. Raises
    ObservationError like :func:`silence`.
    """
    lease = _one(observations, k)

    def counted(seconds: Sequence[int]) -> list[int]:
        first = lease.start + JOINING_SECONDS
        return [s for s in seconds if first <= s < lease.stop]

    said = [s for each in observations for s in counted((*each.complaints, *each.missing))]
    failed = [sorted(counted(each.probes_failed)) for each in observations]
    # By operator, in the first ten minutes that have k of them and a word of the renter's.
    for begin in sorted({s for each in (said, *failed) for s in each}):
        end = begin + TOGETHER_SECONDS
        if not any(begin <= s <= end for s in said):
            continue
        firsts = [min(inside) for each in failed if (inside := [s for s in each if begin <= s <= end])]
        if len(firsts) >= k:
            return _verdict(lease, sorted(firsts)[k - 1], Reason.UNSERVED)
    return None


def _one(observations: Sequence[Observation], k: int) -> Hired:
    """The lease that observations are of."""
    if k < 1:
        raise ObservationError("at least one operator must agree")
    if not observations:
        raise ObservationError("without observations there is nothing to judge")
    if len({each.operator for each in observations}) < len(observations):
        raise ObservationError("an operator has one observation of a lease and minute")
    if len({(each.at, each.lease) for each in observations}) > 1:
        raise ObservationError("observations that are judged together are of one lease and minute")
    return observations[0].lease


def _verdict(lease: Hired, good: int, reason: Reason) -> Verdict:
    return Verdict(lease.device, lease.registered_at, lease.number, (good - lease.start) // HOUR, reason)
