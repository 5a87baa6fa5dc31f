"""Openings that an audit verifies: all of them, or a share that nobody knew when they were made."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from hashlib import sha256
from math import ceil

from keeper.audit.beside import ProcessEnded
from keeper.pow.codes import HARD, Code
from keeper.pow.files import whole_key
from keeper.pow.verification import BATCH, Verifier
from keeper.rewards.batches import batches, in_order, verified
from keeper.rewards.due import Opening
from keeper.rewards.merge import Verify
from keeper.tables import Rows

FEW = 4 * BATCH
"""Openings that are verified sooner than another process has begun."""
AT_ONCE = 64 * BATCH
"""Openings whose blobs are in memory at a time: some hundred megabytes of real ones."""


def through(verifier: Verifier) -> Verify:
    """Have ``verifier`` verify, for callers on other threads than the running loop's; few are verified there.

    Raises ProcessEnded.
    """
    loop = asyncio.get_running_loop()

    def codes(openings: Sequence[Opening]) -> list[Code]:
        if len(openings) <= FEW:
            return verified(openings)
        found: list[Code] = []
        for at in range(0, len(openings), AT_ONCE):
            some = openings[at : at + AT_ONCE]
            groups = batches(some, BATCH)
            asked = asyncio.run_coroutine_threadsafe(verifier.run([batch for _, batch in groups]), loop)
            try:
                found += in_order(some, groups, asked.result())
            except BrokenProcessPool as error:
                raise ProcessEnded from error
        return found

    return codes


class Openings:
    """Verifies openings, each once; see :data:`~keeper.rewards.merge.Verify`.

    With a ``share`` below 1, that share of each wave's is drawn by ``salt``, a block's hash that came after
    all of them were made: whoever made one can't have tried until it was left out. Of the others the verdict
    is taken as it is stated.
    """

    def __init__(self, stated: Rows, share: float, salt: bytes, verify: Verify = verified) -> None:
        """``stated`` are ``VERDICT`` rows; ``verify`` is what verifies."""
        self._share, self._salt, self._verify = share, salt, verify
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
        for at, code in zip(fresh, self._verify([openings[at] for at in fresh]), strict=True):
            self._known[names[at]] = code
        for at in chosen_of:
            codes[at] = self._known[names[at]]
        return codes

    def _of_verdict(self, opening: Opening) -> Code:
        code = self._stated.get((opening.wave.slot, bytes(opening.asked.device)))
        return Code(code) if code in HARD else Code.PASS


def _name(opening: Opening) -> tuple[bytes, bytes, bytes, bytes]:
    return opening.wave.seed, bytes(opening.asked.device), opening.asked.root, opening.blob
