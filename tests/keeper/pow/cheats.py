"""Devices that spare themselves work, and the small waves they are tried in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from keeper.pow.backend import NumpyBackend
from keeper.pow.codes import Code
from keeper.pow.generator import Entries
from keeper.pow.hashing import digest
from keeper.pow.opening import claim
from keeper.pow.profiles import Profile
from keeper.pow.prove import Proof
from keeper.pow.verify import verify_batch

WAVE = digest("test", b"wave")
DEVICE = Pubkey(digest("test", b"device"))
PROFILE = Profile(0, 64, 1024, 1024, 24, T_ms=8000)
"""Four segments a row."""


class Spoiling(NumpyBackend):
    """A processor that does something else to operands, or to the product (all rows at once)."""

    rows = PROFILE.m
    columns = PROFILE.n

    def __init__(
        self,
        spoil: Callable[[NDArray[Any]], None] = lambda c: None,
        cut: Callable[[Entries], Entries] = lambda a: a,
    ) -> None:
        self._spoil, self._cut = spoil, cut

    def product(self, a: NDArray[Any], bt: NDArray[Any]) -> NDArray[Any]:
        c = super().product(self._cut(a), bt)
        self._spoil(c)
        return c


def opens(number: int) -> bytes:
    """The seed of one of many draws."""
    return digest("test", number.to_bytes(4, "little"))


def verdicts(proof: Proof[Any], draws: int) -> list[Code]:
    """What became of a proof if it had been opened by so many different draws."""
    claims = []
    for number in range(draws):
        picked = claim(opens(number), PROFILE, DEVICE, proof.root, len(proof.parts), b"")
        claims.append(picked._replace(blob=proof.open(picked.picks)))
    return verify_batch(WAVE, PROFILE, claims)


def found(codes: list[Code]) -> float:
    """The share that was found out."""
    assert set(codes) <= {Code.PASS, Code.WORK_WRONG}
    return float(np.mean([code == Code.WORK_WRONG for code in codes]))
