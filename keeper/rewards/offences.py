"""What a device is slashed for: only what its own signatures prove to anybody, from the chain's blocks alone.

Two roots that a worker's key signed for one wave; or wrong products in two waves within seven days, as one
may be a flipped bit. Never a time, never silence: an operator could make those up. And never about a wave
after the device was first let: its key lies on a machine that a renter uses, who may keep a copy for ever,
and there is no other key for the same device. So nobody loses stake for what somebody else has signed. A
cheat that lets its device to itself is excused as well, and gains nothing by it: it earns by neither offence,
and one that knows what it does commits none, as silence is no offence. Pay deters it (docs/operator.md).

An offence has one form in bytes, whose SHA-256 is the evidence on chain:
``"IPS1"``, u8 kind, the worker's key, then two acts, each u64 slot of the wave, the signed commit, u32 length
and the opening. A conflict's acts are of one wave, ordered by root, without openings; those of wrong work are
of two waves in their order.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.chain.records import Head
from keeper.clients import staking
from keeper.economy.calendar import DAY
from keeper.errors import UserError
from keeper.pow.clock import Wave, WaveKind
from keeper.pow.codes import Code
from keeper.pow.messages import Commit, MessageError, Signed, decode, size
from keeper.pow.owed import owed
from keeper.pow.profiles_by_hour import ByHour
from keeper.rewards.batches import verified
from keeper.rewards.due import Opening
from keeper.rewards.hired import Term

MAGIC = b"IPS1"
COMMIT = size(Commit)
ACTS = 2
WITHIN = 7 * DAY
"""Seconds between two waves with wrong work, at most."""
EXCUSED_BEFORE = 60
"""Seconds before the first lease in which a device isn't slashed for a wave: its commits are still taken."""
MOST_BYTES = 8 << 20
"""Of an offence: no two openings are nearly as long."""
_HEAD = struct.Struct("<4sB32s")


class OffenceError(UserError):
    """Bytes that are no offence, or one that they don't prove: the message says why."""


class Kind(IntEnum):
    """What a device did."""

    CONFLICT = 1
    WRONG_WORK = 2


class Act(NamedTuple):
    """A commit to a wave, and the opening that shows its work to be wrong, if that is what it is about."""

    slot: int
    commit: Signed[Commit]
    blob: bytes


class Facts(NamedTuple):
    """What the chain says of a wave: the block of its picks, and for a residency wave its day's seed."""

    wave: Wave
    opening: Head
    epoch: bytes | None


@dataclass(frozen=True, slots=True)
class Offence:
    """What one worker's key signed, and must not have."""

    kind: Kind
    worker: Pubkey
    acts: tuple[Act, ...]

    @property
    def device(self) -> Pubkey:
        """Whose stake it is about: the account that belongs to the worker's key."""
        return staking.device_address(self.worker)

    def encode(self) -> bytes:
        """Its bytes."""
        data = _HEAD.pack(MAGIC, self.kind, bytes(self.worker))
        for act in self.acts:
            data += (
                struct.pack("<Q", act.slot)
                + act.commit.encode()
                + struct.pack("<I", len(act.blob))
                + act.blob
            )
        return data

    @property
    def evidence(self) -> bytes:
        """SHA-256 of its bytes, which operators vote on."""
        return sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes) -> Offence:
        """Read one; raises OffenceError for whatever isn't the one form of what it says."""
        try:
            magic, kind, worker = _HEAD.unpack_from(data)
            at, acts = _HEAD.size, []
            for _ in range(ACTS):
                (slot,) = struct.unpack_from("<Q", data, at)
                commit = decode(Commit, data[at + 8 : at + 8 + COMMIT])
                at += 8 + COMMIT
                (length,) = struct.unpack_from("<I", data, at)
                acts.append(Act(slot, commit, data[at + 4 : at + 4 + length]))
                at += 4 + length
        except (struct.error, MessageError) as error:
            raise OffenceError(f"it is no evidence of an offence: {error}") from error
        if magic != MAGIC or kind not in set(Kind) or at != len(data):
            raise OffenceError("it is no evidence of an offence: its magic, its kind or its length is wrong")
        found = cls(Kind(kind), Pubkey(worker), tuple(acts))
        found.check()
        return found

    def check(self) -> None:
        """Raise OffenceError for what contradicts itself, or has another form with the same meaning."""
        first, second = self.acts
        of, other = first.commit.message, second.commit.message
        if self.kind is Kind.CONFLICT:
            if first.slot != second.slot or of.wave_seed != other.wave_seed:
                raise OffenceError("its two commits are to different waves: that is no conflict")
            if of.root == other.root:
                raise OffenceError("its two commits are to the same root: that is no conflict")
            if of.root > other.root or first.blob or second.blob:
                raise OffenceError("its two commits aren't in the order of their roots, or have openings")
            return
        if first.slot >= second.slot:
            raise OffenceError("its openings aren't of two different waves in their order")
        if not (first.blob and second.blob):
            raise OffenceError("an opening is missing")


def prove(
    offence: Offence,
    facts: Mapping[int, Facts],
    profiles: ByHour,
    registered_at: int,
    excused: Callable[[int], bool],
) -> None:
    """Raise OffenceError unless the device did it.

    ``facts`` are those of the waves that began at the acts' slots, ``registered_at`` when the device was
    registered, ``excused(time)`` whether a lease excuses it in the wave of that time (:func:`is_excused`).
    """
    for act in offence.acts:
        commit = act.commit.message
        if commit.device != offence.device:
            raise OffenceError(f"the commit is of device {commit.device}, not of {offence.device}")
        if not act.commit.is_by(offence.worker):
            raise OffenceError(
                f"the key of device {offence.device} didn't sign the commit of slot {act.slot}"
            )
        known = facts.get(act.slot)
        if known is None or known.wave.seed != commit.wave_seed:
            raise OffenceError(f"the commit isn't to a wave that this chain began at slot {act.slot}")
        if known.wave.time < registered_at:
            raise OffenceError(f"the wave of slot {act.slot} was before the device was registered")
        if excused(known.wave.time):
            raise OffenceError(
                f"the wave of slot {act.slot} was after the device was first let: a renter may have its key"
            )
        if offence.kind is Kind.WRONG_WORK:
            _require_wrong(act, known, profiles)
    first, last = (facts[act.slot].wave.time for act in offence.acts)
    if last - first > WITHIN:
        raise OffenceError("its two waves are more than seven days apart")


def is_excused(terms: Iterable[Term], device: Pubkey, time: int) -> bool:
    """Whether any lease of the device's key had begun at a wave of ``time``, or did while commits came.

    Those of earlier registrations with the same key, too: ``terms`` are all leases that there ever were.
    """
    return any(each.device == device and 0 < each.start < time + EXCUSED_BEFORE for each in terms)


def opening_of(act: Act, facts: Facts, profiles: ByHour) -> Opening:
    """What it takes to verify an act's opening; raises OffenceError for work that there isn't."""
    commit, wave = act.commit.message, facts.wave
    profile = profiles.at(wave.time).get(commit.profile)
    if profile is None:
        raise OffenceError(f"there is no profile {commit.profile}: a later version may know it")
    seed = wave.open_seed(facts.opening)
    is_plot = commit.kind is WaveKind.RESIDENCY
    if is_plot and (wave.kind is not WaveKind.RESIDENCY or profile.residency is None or facts.epoch is None):
        raise OffenceError(f"nobody had to show its plot in the wave of slot {act.slot}")
    asked = owed(seed, profile, commit.kind, commit.device, commit.root, commit.procs).asked
    digest = sha256(act.blob).digest()
    return Opening(wave, profile, facts.epoch if is_plot else None, asked, digest, {digest: act.blob})


def _require_wrong(act: Act, facts: Facts, profiles: ByHour) -> None:
    (code,) = verified([opening_of(act, facts, profiles)])
    if code is not Code.WORK_WRONG:
        raise OffenceError(f"the work of slot {act.slot} isn't shown to be wrong: its code is {code.name}")
