"""What a device has to open in a wave: its picks, the one length, the cheap check, the claim to verify."""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from keeper.operator.waves import Held
from keeper.pow.clock import Wave, WaveKind, share_opened
from keeper.pow.codes import Code
from keeper.pow.messages import Commit
from keeper.pow.opening import Claim, bind_opening, opening_length
from keeper.pow.profiles import Profile, Profiles, Residency
from keeper.pow.residency import PlotClaim, bind_plot_opening, plot_opening_length
from keeper.pow.seeds import Pick, PlotPick, is_opened, picks, plot_picks


@dataclass(frozen=True, slots=True)
class Due:
    """What a device must open of a commit."""

    commit: Commit
    work: Profile | Residency
    picks: list[Pick] | list[PlotPick]
    length: int
    """Bytes of the blob: any other length is wrong."""

    def bind(self, blob: bytes) -> Code | None:
        """Why a blob isn't the opening, by everything but the product; None for one that may be."""
        root, procs = self.commit.root, self.commit.procs
        if isinstance(self.work, Profile):
            found = bind_opening(self.work, blob, root, self.picks, procs)  # type: ignore[arg-type]
        else:
            found = bind_plot_opening(self.work, blob, root, self.picks, procs)  # type: ignore[arg-type,assignment]
        return found if isinstance(found, Code) else None

    def claim(self, blob: bytes) -> Claim | PlotClaim:
        """For verification."""
        kind = Claim if isinstance(self.work, Profile) else PlotClaim
        return kind(self.commit.device, self.commit.root, self.commit.procs, self.picks, blob)  # type: ignore[arg-type]


def is_work(commit: Commit, profiles: Profiles, wave: Wave) -> bool:
    """Whether a commit is to any work that there is in a wave: others' files have what was signed."""
    profile = profiles.get(commit.profile)
    if profile is None or commit.kind is WaveKind.PRODUCT:
        return profile is not None
    return wave.kind is WaveKind.RESIDENCY and profile.residency is not None


def is_drawn(held: Held, device: bytes, kind: WaveKind) -> bool:
    """Whether a device has to open at all."""
    assert held.opening is not None
    return is_opened(held.wave.open_seed(held.opening), Pubkey(device), share_opened(held.alpha, kind))


def due(held: Held, commit: Commit, profile: Profile) -> Due:
    """What ``commit`` has to open; its profile and kind must have been checked, and the wave be drawn."""
    assert held.opening is not None
    seed = held.wave.open_seed(held.opening)
    if commit.kind is WaveKind.RESIDENCY:
        assert profile.residency is not None
        plots = plot_picks(seed, commit.device, commit.root, profile.residency, commit.procs)
        return Due(
            commit,
            profile.residency,
            plots,
            plot_opening_length(profile.residency, len(plots), commit.procs),
        )
    chosen = picks(seed, commit.device, commit.root, profile, commit.procs)
    return Due(commit, profile, chosen, opening_length(profile, chosen, commit.procs))
