"""A proof is the same whatever the panels, threads and memory; a processor that errs is told so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from keeper.pow import prove as module
from keeper.pow.backend import NumpyBackend
from keeper.pow.prove import NotRepeated, prove
from keeper.pow.seeds import Pick
from tests.keeper.pow.cheats import DEVICE, PROFILE, WAVE


class Panels(NumpyBackend):
    """Small panels, the last ones smaller, and two processors at once."""

    rows = 10
    columns = 768
    processors = 2


class Erring(NumpyBackend):
    """Whose memory flips a bit after the wave."""

    flips = False

    def product(self, a: NDArray[Any], bt: NDArray[Any]) -> NDArray[Any]:
        c = super().product(a, bt)
        c[0, 0] ^= np.int32(self.flips)
        return c


CHOSEN = [Pick(1, 63, 3), Pick(0, 0, 0), Pick(1, 5, 1), Pick(0, 41, 2)]


@pytest.mark.parametrize("kept", [1 << 30, 0])
@pytest.mark.parametrize("unlocked", [1, 1 << 20])
def test_panels_threads_and_memory_change_nothing(
    monkeypatch: pytest.MonkeyPatch, kept: int, unlocked: int
) -> None:
    """Records that are hashed by several threads and by one; kept, and made again."""
    plain = prove(NumpyBackend(), WAVE, DEVICE, PROFILE, 2)
    monkeypatch.setattr(module, "_UNLOCKED", unlocked)
    other = prove(Panels(), WAVE, DEVICE, PROFILE, 2, kept)
    assert [each.levels for each in other.parts] == [each.levels for each in plain.parts]
    assert {each.kept is None for each in other.parts} == {kept == 0}
    assert other.open(CHOSEN) == plain.open(CHOSEN)


def test_a_row_that_comes_out_differently_is_told() -> None:
    """It would be refused as OPEN_PATH; whoever runs the card learns why."""
    backend = Erring()
    proof = prove(backend, WAVE, DEVICE, PROFILE, 1, kept=0)
    chosen = [Pick(0, 7, 0)]
    assert proof.open(chosen)
    backend.flips = True
    with pytest.raises(NotRepeated, match="row 7 came out differently"):
        proof.open(chosen)
