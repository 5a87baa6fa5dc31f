"""What is taken of what devices send, and why something isn't: no I/O, and the time is given.

From cheap to dear: the length, the wave, the device, the sender's budget, the signature, the tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from keeper.operator.claims import Due, due, is_drawn
from keeper.operator.limits import Gate
from keeper.operator.refusals import Refusal, Why
from keeper.operator.roster import Entry, Roster
from keeper.operator.waves import Held, State, Taken
from keeper.pow.clock import Ping, WaveKind
from keeper.pow.files import ROOTS
from keeper.pow.messages import Commit, MessageError, Opening, Pong, decode, size
from keeper.pow.profiles import Profile
from keeper.pow.profiles_by_hour import ByHour

COMMIT_BYTES, PING_BYTES = size(Commit), size(Pong)
PING_SECONDS = 20.0
"""How long an answer to a ping is taken."""
TRIES = 2
"""Wrong openings of a commit that are looked at: one may be a fault of the network."""


@dataclass(slots=True)
class Asked:
    """A ping, when it was seen (monotonic), and who has answered."""

    ping: Ping
    seen: float
    answered: set[bytes] = field(default_factory=set)
    unsaved: set[bytes] = field(default_factory=set)


class Intake:
    """Everything that decides about a message. Waves and pings are by their seeds."""

    def __init__(self, gate: Gate, profiles: ByHour) -> None:
        """Nothing is known yet; ``profiles`` say what devices do in a wave."""
        self.gate = gate
        self._profiles = profiles
        self.roster = Roster({}, {})
        self.waves: dict[bytes, Held] = {}
        self.pings: dict[bytes, Asked] = {}

    def commit(  # noqa: PLR0911 - a reason each
        self, data: bytes, address: str, now: float
    ) -> Taken | Refusal:
        """A commit whose last byte came at ``now``."""
        found = self._committing(data)
        if isinstance(found, Refusal):
            return self._counted(found, address, data[32:64], now)
        held, entry = found
        mine = held.taken.get(data[32:64], [])
        if mine and mine[0].data == data:
            # Sent again: no signature is looked at, but taking it in costs as much as ever.
            wait = self.gate.glance(address, data[32:64], now)
            return _too_many(wait) if wait else mine[0]
        if wait := self.gate.admit(address, data[32:64], now):
            return _too_many(wait)
        if len(mine) == ROOTS:
            return Refusal(Why.CONFLICT, "Two roots are signed for this wave, which is kept as proof.")
        try:
            signed = decode(Commit, data)
        except MessageError as error:
            return Refusal(Why.WRONG_WORK, f"This is no commit: {error}.")
        if problem := _work(signed.message, entry, held, self._profile(entry, held)):
            return problem
        if not signed.is_by(entry.worker):
            return Refusal(Why.BAD_SIGNATURE, "The device's worker key didn't sign this commit.")
        self.gate.proved(address, data[32:64], now)
        return held.take(signed, data, now) or Refusal(
            Why.CONFLICT, "Another root was signed for this wave before; both are kept as proof."
        )

    def answers(self, data: bytes, address: str, now: float) -> list[Refusal | None]:
        """Several answers to pings, joined: each as if it had come alone."""
        starts = range(0, len(data), PING_BYTES)
        return [self.ping(data[at : at + PING_BYTES], address, now) for at in starts]

    def ping(self, data: bytes, address: str, now: float) -> Refusal | None:
        """An answer to a ping; None when it is taken."""
        found = self._answering(data, now)
        if isinstance(found, Refusal):
            return self._counted(found, address, data[32:64], now)
        asked, entry = found
        if data[32:64] in asked.answered:
            wait = self.gate.glance(address, data[32:64], now)
            return _too_many(wait) if wait else None
        if wait := self.gate.admit(address, data[32:64], now):
            return _too_many(wait)
        if not decode(Pong, data).is_by(entry.worker):
            return Refusal(Why.BAD_SIGNATURE, "The device's worker key didn't sign this answer.")
        self.gate.proved(address, data[32:64], now)
        asked.answered.add(data[32:64])
        asked.unsaved.add(data[32:64])
        return None

    def _profile(self, entry: Entry, held: Held) -> Profile | None:
        """What a device does in a wave."""
        return self._profiles.at(held.wave.time).of_class(entry.device_class)

    def _committing(self, data: bytes) -> tuple[Held, Entry] | Refusal:
        """The wave of a commit and its device, as far as a glance tells."""
        held = self.waves.get(data[:32])
        if held is None:
            return Refusal(Why.UNKNOWN_WAVE, "No wave has this seed here: a block may come a bit later.", 1)
        if not held.is_taking:
            return Refusal(Why.TOO_LATE, "Commits to this wave aren't taken here any more.")
        entry = self.roster.find(data[32:64])
        return entry if isinstance(entry, Refusal) else (held, entry)

    def _answering(self, data: bytes, now: float) -> tuple[Asked, Entry] | Refusal:
        """The ping of an answer and its device, as far as a glance tells."""
        asked = self.pings.get(data[:32])
        if asked is None:
            return Refusal(Why.UNKNOWN_WAVE, "No ping has this seed here: a block may come a bit later.", 1)
        if now - asked.seen > PING_SECONDS:
            return Refusal(Why.TOO_LATE, f"A ping is answered within {PING_SECONDS:g} seconds.")
        entry = self.roster.find(data[32:64])
        return entry if isinstance(entry, Refusal) else (asked, entry)

    def _counted(self, refusal: Refusal, address: str, device: bytes, now: float) -> Refusal:
        """A refusal, or that there were too many: a flood of what costs little costs much, too."""
        wait = self.gate.glance(address, device, now)
        return _too_many(wait) if wait else refusal

    def expected(  # noqa: PLR0911 - a reason each
        self, head: bytes, length: int, address: str, now: float
    ) -> Due | Refusal:
        """What the opening with this header (96 bytes) and ``length`` bytes in all must be."""
        seed, device, root = head[:32], head[32:64], head[64:]
        held = self.waves.get(seed)
        if held is None or held.state is State.VOID:
            return Refusal(Why.UNKNOWN_WAVE, "No wave has this seed here.")
        if held.state is State.COLLECTED:
            return Refusal(Why.TOO_LATE, "Openings of this wave aren't taken here any more.")
        if held.opening is None:
            return Refusal(Why.TOO_EARLY, "The block that picks are drawn from isn't final yet.", 1)
        entry = self.roster.find(device)
        if isinstance(entry, Refusal):
            return entry
        if wait := self.gate.admit(address, device, now):
            return _too_many(wait)
        commit = held.roots.get(device, {}).get(root)
        if commit is None:
            return Refusal(Why.NOT_COMMITTED, "No file here has a commit of the device to this root.", 5)
        profile = self._profile(entry, held)
        if problem := _work(commit, entry, held, profile):
            return problem
        if not is_drawn(held, device, commit.kind):
            return Refusal(Why.NOT_DRAWN, "The device isn't drawn for an opening in this wave.")
        assert profile is not None  # Else there were a problem.
        found = due(held, commit, profile)
        if length != Opening.HEADER + found.owed.length:
            right = Opening.HEADER + found.owed.length
            return Refusal(Why.WRONG_LENGTH, f"This opening has {right} bytes, not {length}.")
        if held.retried.get(device + root, 0) >= TRIES and not self.gate.is_home(address, device):
            return Refusal(Why.TOO_MANY, "Two openings of this commit were wrong.", 60)
        return found

    def bind(self, expected: Due, blob: bytes) -> Refusal | None:
        """Why an opening isn't under its root; None for one that is, whose product may be wrong."""
        code = expected.owed.bind(blob)
        if code is None:
            return None
        commit = expected.commit
        tries = self.waves[commit.wave_seed].retried
        name = bytes(commit.device) + commit.root
        tries[name] = tries.get(name, 0) + 1
        return Refusal(Why.WRONG_OPENING, f"This isn't the opening of the root: {code.name}.")


def _work(commit: Commit, entry: Entry, held: Held, profile: Profile | None) -> Refusal | None:
    """Why a commit isn't to what this device does in this wave."""
    if profile is None:
        return Refusal(Why.NOT_STAKED, f"Class {entry.device_class} has no profile in this hour.")
    if commit.profile != profile.id or commit.procs != entry.processors:
        return Refusal(
            Why.WRONG_WORK,
            f"The device is registered with {entry.processors} processors of profile {profile.id}.",
        )
    if commit.kind is WaveKind.RESIDENCY and (
        held.wave.kind is not WaveKind.RESIDENCY or profile.tested is None
    ):
        return Refusal(Why.WRONG_WORK, "The device does the product in this wave.")
    return None


def _too_many(wait: float) -> Refusal:
    return Refusal(Why.TOO_MANY, "Too many messages from here: wait.", max(1, ceil(wait)))
