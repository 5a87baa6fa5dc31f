"""Openings in the batches that they are verified in: what those of a wave share is made once for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from keeper.pow.codes import Code
from keeper.pow.profiles import Profile, Residency
from keeper.pow.residency import PlotClaim
from keeper.pow.verification import Batch
from keeper.pow.verification import verified as verified_batch
from keeper.rewards.due import Opening


def verified(openings: Sequence[Opening]) -> list[Code]:
    """The code of each opening, in one process."""
    groups = batches(openings, max(1, len(openings)))
    return in_order(openings, groups, [verified_batch(batch) for _, batch in groups])


def batches(openings: Sequence[Opening], size: int) -> list[tuple[list[int], Batch]]:
    """The openings of each wave and profile, at most ``size`` together, with their places among all."""
    groups: defaultdict[tuple[bytes, bytes, Profile | Residency], list[int]] = defaultdict(list)
    for at, each in enumerate(openings):
        groups[each.wave.seed, each.epoch or b"", _work(each)].append(at)
    found = []
    for (seed, epoch, work), places in groups.items():
        for start in range(0, len(places), size):
            some = places[start : start + size]
            claims: Any = [openings[at].claim for at in some]
            found.append((some, Batch(seed, epoch, work, claims)))
    return found


def in_order(
    openings: Sequence[Opening],
    groups: Sequence[tuple[Sequence[int], Batch]],
    codes: Sequence[Sequence[int]],
) -> list[Code]:
    """The codes of batches as those of the openings."""
    found = [Code.NO_OPENING] * len(openings)
    for (places, _), some in zip(groups, codes, strict=True):
        for at, code in zip(places, some, strict=True):
            found[at] = Code(code)
    return found


def _work(opening: Opening) -> Profile | Residency:
    if not isinstance(opening.asked, PlotClaim):
        return opening.profile
    assert opening.profile.residency is not None and opening.epoch is not None
    return opening.profile.residency
