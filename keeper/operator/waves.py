"""A wave as an operator holds it, from its block to the last opening.

``OPEN`` (commits are taken) -> ``SEALED`` (the file is on the disk) -> ``CLOSED`` (its posting is seen, or
too late) -> ``DRAWN`` (the block of the picks is final: openings are taken) -> ``COLLECTED``. ``VOID`` from
anywhere when its block isn't in the final chain. Whether it was anchored is a flag beside: an operator whose
file counts nowhere takes and verifies openings all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from keeper.chain.records import Head
from keeper.operator.book import WaveEntry
from keeper.pow.clock import Shares, Wave
from keeper.pow.files import ROOTS
from keeper.pow.messages import Commit, Signed
from keeper.pow.seeds import ALL

SEAL_AFTER = 100
"""Slots from a wave's block to its sealing: 40 seconds, and the longest deadline is 23.5."""
POST_BEFORE = 150
"""Slots from a wave's block before which a posting of its file counts."""
OPENING_SECONDS = 60.0
"""How long openings are taken; what others hold comes from them."""
DEAF_SLOTS = 25
"""Slots (10 seconds) after which a block's time isn't taken any more from when it was seen: the operator was
cut off from the chain, and its clock would flatter everybody."""
MAX_MS = 2**32 - 1
ALL_OPENED = Shares(ALL, ALL)


class State(StrEnum):
    """How far a wave has come."""

    OPEN = "open"
    SEALED = "sealed"
    CLOSED = "closed"
    DRAWN = "drawn"
    COLLECTED = "collected"
    VOID = "void"


@dataclass(slots=True)
class Taken:
    """A commit and when it came; its receipt once it is signed."""

    signed: Signed[Commit]
    data: bytes
    ms: int
    receipt: bytes | None = None


@dataclass(slots=True)
class Held:
    """A wave in work. ``seen`` is the monotonic time of its block, None where it isn't known (any more)."""

    wave: Wave
    seen: float | None = None
    state: State = State.OPEN
    anchored: bool = False
    opening: Head | None = None
    drawn_at: float = 0.0
    """Monotonic, of this process: a restarted one takes openings for the whole time again."""
    shares: Shares = ALL_OPENED
    taken: dict[bytes, list[Taken]] = field(default_factory=dict)
    """While it is open: by device, one commit, or two with different roots."""
    roots: dict[bytes, dict[bytes, Commit]] = field(default_factory=dict)
    """Rightly signed commits in this operator's and others' files, by device and root."""
    epoch_seed: bytes | None = None
    """Of the plots of a residency wave, once it is drawn."""
    prepared: bool = False
    """Whether what isn't in the book (shares, roots, the epoch's seed) was read, see :mod:`.sealing`."""
    retried: dict[bytes, int] = field(default_factory=dict)
    """Wrong openings by device and root together."""

    @classmethod
    def of_entry(cls, entry: WaveEntry) -> Held:
        """As the book has it; what was only in memory is lost, and its time with it."""
        opening = Head(entry.open_slot, entry.open_hash, entry.open_time) if entry.open_hash else None
        return cls(entry.wave, None, State(entry.state), entry.anchored, opening)

    def entry(self) -> WaveEntry:
        """For the book."""
        opening = self.opening or Head(0, b"", 0)
        return WaveEntry(self.wave, self.state, self.anchored, *opening)

    @property
    def is_taking(self) -> bool:
        """Whether commits can still get a time."""
        return self.state is State.OPEN and self.seen is not None

    def ms(self, now: float) -> int:
        """Milliseconds since the block was seen."""
        assert self.seen is not None
        return min(MAX_MS, max(0, round((now - self.seen) * 1000)))

    def take(self, signed: Signed[Commit], data: bytes, now: float) -> Taken | None:
        """Keep a rightly signed commit; returns the one of the same root that counts, None for another root.

        A second root is kept as proof, a third isn't.
        """
        mine = self.taken.setdefault(bytes(signed.message.device), [])
        for each in mine:
            if each.signed.message.root == signed.message.root:
                return each if each is mine[0] else None
        if len(mine) < ROOTS:
            mine.append(Taken(signed, data, self.ms(now)))
        return mine[0] if len(mine) == 1 else None

    def learn(self, commits: Iterable[Signed[Commit]]) -> None:
        """Take roots from a file whose signatures were verified."""
        for signed in commits:
            of = signed.message
            self.roots.setdefault(bytes(of.device), {}).setdefault(of.root, of)
