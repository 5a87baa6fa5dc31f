"""The blocks that an embedded chain has without executing anything: one every 32 slots.

Moving its clock makes no blocks, and what is drawn from blocks (:mod:`keeper.pow.clock`) needs some, with
hashes that every process of a chain finds again. Anybody can work them out beforehand: that is no matter on
a chain that somebody moves by hand, and the reason why nothing of value may be on one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from math import ceil

from keeper.chain.records import Head

APART = 32
"""Slots from one such block to the next; the first is that of slot 0."""
SLOTS_PER_SECOND = 2.5
"""How far the slot moves when the clock is moved: 400 ms a slot."""
TAG = b"ionet/pow/1/embedded"
"""As :func:`keeper.pow.hashing.digest` has it, which this room is too far down to import."""


@lru_cache(maxsize=1_024)
def blockhash(genesis: bytes, slot: int) -> bytes:
    """The hash of an embedded chain's block: SHA-256 of its tag, its chain and its slot.

    Made once: every clock of waves that reads the chain asks for the same ones.
    """
    return sha256(bytes([len(TAG)]) + TAG + genesis + slot.to_bytes(8, "little")).digest()


class Pace:
    """When an embedded chain's slots were, unix seconds, from the settings of its clock.

    Slots between two settings are ``1 / SLOTS_PER_SECOND`` apart, counted back from the later one. A time is
    never lower than an earlier slot's, even where the clock was put back, and what was told stays.
    """

    def __init__(self, settings: Iterable[tuple[int, int]] = ()) -> None:
        """Go on from another one's :attr:`settings`."""
        self.settings = list(settings)
        """Slots and times, both ascending."""

    def set(self, slot: int, time: int) -> None:
        """The clock shows another slot or time from now on; a slot keeps the first time that it had."""
        settings = self.settings
        if settings and slot <= settings[-1][0]:
            return
        setting = slot, max(time, settings[-1][1]) if settings else time
        # Of settings within one block, only the last can matter: a list for ever would grow with every call.
        if len(settings) > 1 and settings[-1][0] // APART == settings[-2][0] // APART:
            settings[-1] = setting
        else:
            settings.append(setting)

    def head(self, genesis: bytes, slot: int, newest: int) -> Head | None:
        """The first block from ``slot`` on; None if it is after ``newest``."""
        at = -(-slot // APART) * APART
        return Head(at, blockhash(genesis, at), self.time(at)) if at <= newest else None

    def time(self, slot: int) -> int:
        """When a slot was that the clock has come to."""
        at = bisect_left(self.settings, (slot,))
        later, time = self.settings[at]
        earliest = self.settings[at - 1][1] if at else time
        return max(earliest, time - ceil((later - slot) / SLOTS_PER_SECOND))
