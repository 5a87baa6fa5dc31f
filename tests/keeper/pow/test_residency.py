"""Residency waves: a full plot passes; half of one, another day's, or passes out of order don't."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.pow import seeds
from keeper.pow.backend import NumpyBackend
from keeper.pow.codes import HARD, Code
from keeper.pow.hashing import digest
from keeper.pow.profiles import Residency
from keeper.pow.residency import (
    Plot,
    PlotClaim,
    PlotProof,
    bind_plot_opening,
    fill,
    plot_claim,
    plot_opening_length,
    reside,
    verify_plots,
)
from tests.keeper.pow.cheats import DEVICE, WAVE, opens
from tests.keeper.pow.test_attacks import is_lawful

EPOCH = digest("test", b"epoch")
SIZES = Residency(256, 64, 128, rounds=3, passes=4, q=8, T_ms=8000)
PLOT = fill(NumpyBackend(), EPOCH, DEVICE, SIZES, 1)
PROOF = reside(PLOT, WAVE)
DRAWS = 200


def claims(proof: PlotProof, draws: int = 1, sizes: Residency = SIZES) -> list[PlotClaim]:
    made = []
    for number in range(draws):
        empty = plot_claim(opens(number), sizes, DEVICE, proof.root, len(proof.parts), b"")
        made.append(empty._replace(blob=proof.open(empty.picks)))
    return made


def verdicts(proof: PlotProof, draws: int = 1, sizes: Residency = SIZES, epoch: bytes = EPOCH) -> list[Code]:
    return verify_plots(WAVE, epoch, sizes, claims(proof, draws, sizes))


RIGHT = claims(PROOF)[0]
BLOB = RIGHT.blob


def with_rows(rows: Any) -> Plot[Any]:
    return replace(PLOT, panels=[[rows]])


def test_a_full_plot_passes_by_every_draw() -> None:
    assert verdicts(PROOF, 20) == [Code.PASS] * 20
    assert len(BLOB) == plot_opening_length(SIZES, 8, 1) == 32 * 4 + 8 * (1024 + 32)


def test_a_device_of_many_processors_keeps_more() -> None:
    proof = reside(fill(NumpyBackend(), EPOCH, DEVICE, SIZES, 5), WAVE)
    assert verdicts(proof) == [Code.PASS]
    assert verdicts(proof, sizes=replace(SIZES, K_many=64)) == [Code.WORK_WRONG]


@pytest.mark.parametrize("rows", [8, 64, 128])
def test_rows_that_are_not_there_are_found_by_the_law(rows: int) -> None:
    short = PLOT.panels[0][0].copy()
    short[:rows] = 0
    codes = verdicts(reside(with_rows(short), WAVE), DRAWS)
    assert set(codes) <= {Code.PASS, Code.WORK_WRONG}
    rate = float(np.mean([code == Code.WORK_WRONG for code in codes]))
    assert is_lawful(rate, rows / SIZES.m, SIZES.q)


def test_yesterday_s_plot_and_another_s() -> None:
    assert verdicts(PROOF, epoch=digest("test", b"yesterday")) == [Code.WORK_WRONG]
    other = RIGHT._replace(device=type(DEVICE)(bytes(32)))
    assert verify_plots(WAVE, EPOCH, SIZES, [other]) == [Code.WORK_WRONG]
    assert verify_plots(digest("test", b"later"), EPOCH, SIZES, [RIGHT]) == [Code.WORK_WRONG]


def test_a_pass_cannot_be_made_before_the_one_before_it() -> None:
    """With roots of one's own choice passes could be made together; their columns would be others."""
    alone = [reside(replace(PLOT, residency=replace(SIZES, passes=1)), WAVE).parts[0][0] for _ in range(4)]
    root = seeds.device_root([seeds.plot_root([each.levels[-1] for each in alone])])
    codes = verdicts(PlotProof(root, [alone]), 20)
    # Only the first pass is right: a draw of eight picks that all fall on it is one in 65,536.
    assert codes == [Code.WORK_WRONG] * 20


def test_roots_out_of_order() -> None:
    turned = BLOB[32:64] + BLOB[:32] + BLOB[64:]
    claim = RIGHT._replace(blob=turned)
    assert verify_plots(WAVE, EPOCH, SIZES, [claim])[0] in {Code.OPEN_PATH, Code.OPEN_ROOT}
    # A root that no pick asks for is bound all the same.
    unasked = min(set(range(4)) - {pick.number for pick in RIGHT.picks[:2]})
    few = RIGHT._replace(picks=RIGHT.picks[:2])
    few = few._replace(blob=PROOF.open(few.picks))
    assert verify_plots(WAVE, EPOCH, SIZES, [few]) == [Code.PASS]
    spoiled = few.blob[: 32 * unasked] + bytes(32) + few.blob[32 * (unasked + 1) :]
    assert verify_plots(WAVE, EPOCH, SIZES, [few._replace(blob=spoiled)]) == [Code.OPEN_ROOT]


def test_every_length_but_one_is_malformed() -> None:
    for blob in (b"", BLOB[:-1], BLOB + b"\0", BLOB * 2):
        assert bind_plot_opening(SIZES, blob, RIGHT.root, RIGHT.picks, 1) == Code.OPEN_MALFORMED


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, len(BLOB) - 1), st.integers(1, 255))
def test_every_byte_counts(at: int, by: int) -> None:
    blob = BLOB[:at] + bytes([BLOB[at] ^ by]) + BLOB[at + 1 :]
    codes = verify_plots(WAVE, EPOCH, SIZES, [RIGHT._replace(blob=blob), RIGHT])
    assert codes[0] in HARD - {Code.WORK_WRONG} and codes[1] == Code.PASS


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.sampled_from([0, 0, 0, 1, len(BLOB)]))
def test_random_bytes_are_refused(seed: int, shorter: int) -> None:
    blob = random.Random(seed).randbytes(len(BLOB) - shorter)
    assert verify_plots(WAVE, EPOCH, SIZES, [RIGHT._replace(blob=blob)])[0] in HARD - {Code.WORK_WRONG}
