"""Openings that an audit verifies: all of them, or a share that nobody knew when they were made."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from math import ceil

from keeper.pow.codes import HARD, Code
from keeper.pow.files import whole_key
from keeper.rewards.due import Opening
from keeper.rewards.merge import verified
from keeper.tables import Rows


class Openings:
    """Verifies openings, each once; see :data:`~keeper.rewards.merge.Verify`.

    With a ``share`` below 1, that share of each wave's is drawn by ``salt``, a block's hash that came after
    all of them were made: whoever made one can't have tried until it was left out. Of the others the verdict
    is taken as it is stated.
    """

    def __init__(self, stated: Rows, share: float, salt: bytes) -> None:
        """``stated`` are ``VERDICT`` rows."""
        self._share, self._salt = share, salt
        self._stated = {(int(row["wave"]), whole_key(row["device"])): int(row["code"]) for row in stated}
        self._known: dict[tuple[bytes, bytes, bytes, bytes], Code] = {}

    @property
    def verified(self) -> int:
        """How many were verified."""
        return len(self._known)

    def __call__(self, openings: Sequence[Opening]) -> list[Code]:
        """Their codes, in their order."""
        codes = [self._of_verdict(each) for each in openings]
        chosen = range(len(openings))
        names = [_name(each) for each in openings]
        if self._share < 1:
            many = ceil(self._share * len(openings))
            drawn = sorted(chosen, key=lambda at: sha256(self._salt + openings[at].blob).digest())
            chosen_of = sorted(drawn[:many])
        else:
            chosen_of = list(chosen)
        fresh = [at for at in chosen_of if names[at] not in self._known]
        for at, code in zip(fresh, verified([openings[at] for at in fresh]), strict=True):
            self._known[names[at]] = code
        for at in chosen_of:
            codes[at] = self._known[names[at]]
        return codes

    def _of_verdict(self, opening: Opening) -> Code:
        code = self._stated.get((opening.wave.slot, bytes(opening.claim.device)))
        return Code(code) if code in HARD else Code.PASS


def _name(opening: Opening) -> tuple[bytes, bytes, bytes, bytes]:
    return opening.wave.seed, bytes(opening.claim.device), opening.claim.root, opening.blob
