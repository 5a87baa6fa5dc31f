"""What of a machine a renter has: what proofs of work and the machine itself need is kept."""

from __future__ import annotations

from keeper.compute.sandbox import Limits
from keeper.pow.profiles import Profile

GIB = 1 << 30
KEPT = 2 * GIB
"""Of memory, for the system and the agent."""
LEAST = GIB
"""Of memory, below which no node is worth its hour."""
SHARED, SCRATCH = 30, 5
"""Hundredths of a node's memory: its store of objects, as Ray itself has it, and /tmp."""


def limits(memory: int, wave: int, free_disk: int) -> Limits | None:
    """A node's limits on a machine with so many bytes; None where too little is left.

    ``wave`` is what a wave of proof of work takes, which stays free for it, all the time. Of the disk a node
    has half of what is free when it begins.
    """
    left = memory - KEPT - wave
    if left < LEAST:
        return None
    shared, scratch = left * SHARED // 100, left * SCRATCH // 100
    return Limits(left - shared - scratch, shared, scratch, free_disk // 2)


def memory(profile: Profile, processors: int) -> int:
    """Bytes that a product wave takes here: the shared operand, the records, and the day's plot beside it."""
    shared = profile.n * profile.K
    plot = profile.tested.m * profile.tested.inner(processors) if profile.tested else 0
    return processors * (shared + profile.m * profile.record + plot)
