"""What a device has to open of a root: for operators who collect openings, and for whoever judges them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from solders.pubkey import Pubkey

from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.pow.opening import Claim, bind_opening, claim, opening_length
from keeper.pow.profiles import Profile, Residency
from keeper.pow.residency import PlotClaim, bind_plot_opening, plot_claim, plot_opening_length


@dataclass(frozen=True, slots=True)
class Owed:
    """An opening that is due: everything but its blob, and the one length in bytes that this can have."""

    work: Profile | Residency
    asked: Claim | PlotClaim
    """The claim with the picks, and without a blob."""
    length: int

    def bind(self, blob: bytes) -> Code | None:
        """Why a blob isn't the opening, by everything but the product; None for one that may be."""
        asked = self.asked
        if isinstance(self.work, Profile):
            found = bind_opening(self.work, blob, asked.root, asked.picks, asked.procs)  # type: ignore[arg-type]
        else:
            found = bind_plot_opening(self.work, blob, asked.root, asked.picks, asked.procs)  # type: ignore[arg-type,assignment]
        return found if isinstance(found, Code) else None

    def claim(self, blob: bytes) -> Claim | PlotClaim:
        """For verification."""
        return self.asked._replace(blob=blob)


@lru_cache(maxsize=1_024)
def owed(open_seed: bytes, profile: Profile, kind: WaveKind, device: Pubkey, root: bytes, procs: int) -> Owed:
    """What a device with so many processors has to open of its ``root``, which is to work of a ``kind``.

    ``profile`` must have a residency where that is the kind. Made once: an operator asks for it when an
    opening comes, and when it verifies it.
    """
    if kind is WaveKind.RESIDENCY:
        plot = profile.residency
        assert plot is not None
        passes = plot_claim(open_seed, plot, device, root, procs, b"")
        return Owed(plot, passes, plot_opening_length(plot, len(passes.picks), procs))
    product = claim(open_seed, profile, device, root, procs, b"")
    return Owed(profile, product, opening_length(profile, product.picks, procs))
