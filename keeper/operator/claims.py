"""What a device has to open in a wave that an operator holds, by what it committed to."""

from __future__ import annotations

from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.operator.waves import Held
from keeper.pow.clock import Wave, WaveKind
from keeper.pow.messages import Commit
from keeper.pow.owed import Owed, owed
from keeper.pow.profiles import Profile, Profiles
from keeper.pow.seeds import is_opened


class Due(NamedTuple):
    """A commit and what is to be opened of it."""

    commit: Commit
    owed: Owed


def is_work(commit: Commit, profiles: Profiles, wave: Wave) -> bool:
    """Whether a commit is to any work that there is in a wave: others' files have what was signed."""
    profile = profiles.get(commit.profile)
    if profile is None or commit.kind is WaveKind.PRODUCT:
        return profile is not None
    return wave.kind is WaveKind.RESIDENCY and profile.residency is not None


def is_drawn(held: Held, device: bytes, kind: WaveKind) -> bool:
    """Whether a device has to open at all."""
    assert held.opening is not None
    return is_opened(held.wave.open_seed(held.opening), Pubkey(device), held.shares.of(kind))


def due(held: Held, commit: Commit, profile: Profile) -> Due:
    """What ``commit`` has to open; its profile and kind must have been checked, and the wave be drawn."""
    assert held.opening is not None
    seed = held.wave.open_seed(held.opening)
    return Due(commit, owed(seed, profile, commit.kind, commit.device, commit.root, commit.procs))
