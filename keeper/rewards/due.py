"""Which openings an hour is owed, by the chain and the WAVE files that count: their picks and lengths."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.pow.clock import Wave, WaveKind
from keeper.pow.files import whole_key
from keeper.pow.opening import Claim, claim, opening_length
from keeper.pow.profiles import Profile, Profiles
from keeper.pow.residency import PlotClaim, plot_claim, plot_opening_length
from keeper.pow.verdicts import WORK
from keeper.tables import Rows


class Opening(NamedTuple):
    """What it takes to verify an opening, and the hash of its blob."""

    wave: Wave
    profile: Profile
    epoch: bytes | None
    """The seed of the day's plots, for a residency wave."""
    claim: Claim | PlotClaim
    blob: bytes


class Owed(NamedTuple):
    """An opening that is due: everything but its blob, and the one length that it can have."""

    profile: Profile
    claim: Claim | PlotClaim
    length: int


class WaveDue:
    """The openings that are due in a wave: of devices that were drawn, of roots that they committed to."""

    def __init__(
        self,
        wave: Wave,
        open_seed: bytes,
        epoch: bytes | None,
        profiles: Profiles,
        tasks: Rows,
        files: Collection[Rows],
    ) -> None:
        """``files`` are the WAVE files that count, ``epoch`` the seed of a residency wave's plots."""
        self.wave, self._open_seed, self._epoch, self._profiles = wave, open_seed, epoch, profiles
        self._tasks = {whole_key(task["device"]): task for task in tasks if task["opened"]}
        self._committed = {
            (device, whole_key(row["root"]))
            for file in files
            for row in file
            if (task := self._tasks.get(device := whole_key(row["device"]))) is not None
            # A commit to other work than the device's is none.
            and all(task[name] == row[name] for name in WORK)
        }
        self._made: dict[tuple[bytes, bytes], Owed] = {}

    def owed(self, device: bytes, root: bytes) -> Owed | None:
        """What is due of a device's root; None for nothing."""
        if (device, root) not in self._committed:
            return None
        if (device, root) not in self._made:
            self._made[device, root] = self._owed(device, root)
        return self._made[device, root]

    def opening(self, device: bytes, root: bytes, digest: bytes, blob: bytes) -> Opening:
        """A due opening with its blob."""
        owed = self.owed(device, root)
        assert owed is not None
        return Opening(self.wave, owed.profile, self._epoch, owed.claim._replace(blob=blob), digest)

    def _owed(self, device: bytes, root: bytes) -> Owed:
        task = self._tasks[device]
        profile, procs = self._profiles[int(task["profile"])], int(task["procs"])
        what = Pubkey(device), root, procs, b""
        if task["kind"] == WaveKind.RESIDENCY:
            plot = profile.residency
            assert plot is not None  # Others' tasks are products.
            asked = plot_claim(self._open_seed, plot, *what)
            return Owed(profile, asked, plot_opening_length(plot, len(asked.picks), procs))
        made = claim(self._open_seed, profile, *what)
        return Owed(profile, made, opening_length(profile, made.picks, procs))


def due_length(dues: Mapping[int, WaveDue], slot: int, device: bytes, root: bytes) -> int | None:
    """How long the opening of a root must be in the wave at ``slot``; None where none is due."""
    found = dues[slot].owed(device, root) if slot in dues else None
    return found.length if found else None
