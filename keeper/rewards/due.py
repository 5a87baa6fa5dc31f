"""Which openings an hour is owed, by the chain and the WAVE files that count: their picks and lengths."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.pow.clock import Wave, WaveKind
from keeper.pow.files import whole_key
from keeper.pow.opening import Claim
from keeper.pow.owed import Owed, owed
from keeper.pow.profiles import Profile, Profiles
from keeper.pow.residency import PlotClaim
from keeper.pow.verdicts import WORK
from keeper.tables import Rows


class Opening(NamedTuple):
    """What it takes to verify an opening; its blob is read when it is verified, as an hour's are too many."""

    wave: Wave
    profile: Profile
    epoch: bytes | None
    """The seed of the day's plots, for a residency wave."""
    asked: Claim | PlotClaim
    """Without the blob."""
    blob: bytes
    """Its SHA-256."""
    held: Mapping[bytes, bytes]
    """Where it is, by that."""

    @property
    def claim(self) -> Claim | PlotClaim:
        """For verification; raises KeyError where the blob isn't held any more."""
        return self.asked._replace(blob=self.held[self.blob])


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
        work = {device: tuple(task[name].item() for name in WORK) for device, task in self._tasks.items()}
        self._committed = {
            (device, whole_key(root))
            for file in files
            for key, root, *done in zip(
                *(file[name].tolist() for name in ("device", "root", *WORK)), strict=True
            )
            # A commit to other work than the device's is none.
            if work.get(device := whole_key(key)) == tuple(done)
        }
        self._made: dict[tuple[bytes, bytes], Owed] = {}

    def owed(self, device: bytes, root: bytes) -> Owed | None:
        """What is due of a device's root; None for nothing."""
        if (device, root) not in self._committed:
            return None
        if (device, root) not in self._made:
            task = self._tasks[device]
            work = self._profiles[int(task["profile"])], WaveKind(int(task["kind"]))
            made = owed(self._open_seed, *work, Pubkey(device), root, int(task["procs"]))
            self._made[device, root] = made
        return self._made[device, root]

    def opening(self, device: bytes, root: bytes, digest: bytes, held: Mapping[bytes, bytes]) -> Opening:
        """A due opening, of which ``held`` has the blob."""
        found = self.owed(device, root)
        assert found is not None
        profile = self._profiles[int(self._tasks[device]["profile"])]
        return Opening(self.wave, profile, self._epoch, found.asked, digest, held)


def due_length(dues: Mapping[int, WaveDue], slot: int, device: bytes, root: bytes) -> int | None:
    """How long the opening of a root must be in the wave at ``slot``; None where none is due."""
    found = dues[slot].owed(device, root) if slot in dues else None
    return found.length if found else None
