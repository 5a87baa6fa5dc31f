"""The self-test refuses whatever isn't exact; the numpy backend is, at every bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from keeper.pow import product
from keeper.pow.backend import BackendRefused, NumpyBackend, self_test
from keeper.pow.product import BLOCK
from tests.keeper.pow.cheats import WAVE


def in_halves(sums: NDArray[Any]) -> NDArray[np.int32]:
    """Rounded to FP16, infinities cut."""
    with np.errstate(over="ignore"):
        return sums.astype(np.float16).astype(np.float32).clip(-(2.0**30), 2.0**30).astype(np.int32)


class Halves(NumpyBackend):
    """Sums of 64 products at a time in FP16, as a card's fast mode has them."""

    def product(self, a: NDArray[Any], bt: NDArray[Any]) -> NDArray[Any]:
        total = np.zeros((len(a), len(bt)), np.int32)
        for k in range(0, a.shape[1], 64):
            left, right = (each[:, k : k + 64].astype(np.float32) for each in (a, bt))
            total = in_halves(total + in_halves(left @ right.T))
        return total


class WithoutBlocks(NumpyBackend):
    """FP32 all the way, as most who read no further than "FP32" would write it."""

    def product(self, a: NDArray[Any], bt: NDArray[Any]) -> NDArray[Any]:
        return (a.astype(np.float32) @ bt.astype(np.float32).T).astype(np.int32)


class Saturating(NumpyBackend):
    """INT8 products summed in pairs as int16, as AVX2's instruction does."""

    def product(self, a: NDArray[Any], bt: NDArray[Any]) -> NDArray[Any]:
        total = np.zeros((len(a), len(bt)), np.int32)
        for k in range(0, a.shape[1], 2):
            pair = a[:, k : k + 2].astype(np.int32) @ bt[:, k : k + 2].astype(np.int32).T
            total += pair.clip(-(2**15), 2**15 - 1)
        return total


class RoundedChecks(NumpyBackend):
    def checks(self, c: NDArray[Any], q: NDArray[Any]) -> NDArray[np.int32]:
        return in_halves(super().checks(c, q))


class SignedShifts(NumpyBackend):
    """A generator whose last shift drags the sign along, as int64 without masks."""

    def generate(self, seed: bytes, rows: Sequence[int], K: int, rounds: int = 0) -> NDArray[Any]:
        words = super().generate(seed, rows, K, rounds).view(np.int64)
        # What a sign would have added: ones where the shifted-in zeros were.
        return np.where(words < 0, words ^ (-1 << 33), words).view(np.int8)


class OneRoundLess(NumpyBackend):
    def generate(self, seed: bytes, rows: Sequence[int], K: int, rounds: int = 0) -> NDArray[Any]:
        return super().generate(seed, rows, K, max(0, rounds - 1))


class Wide(NumpyBackend):
    def product(self, a: NDArray[Any], bt: NDArray[Any]) -> NDArray[Any]:
        return super().product(a, bt).astype(np.int64)


def test_numpy_is_exact() -> None:
    self_test(NumpyBackend())


@pytest.mark.parametrize(
    ("backend", "where"),
    [
        (Halves, "the product of the least entries"),
        (WithoutBlocks, "the product of"),
        (Saturating, "the product of the least entries"),
        (RoundedChecks, "the checks"),
        (SignedShifts, "operands of 0 rounds"),
        (OneRoundLess, "operands of 5 rounds"),
        (Wide, "the product of"),
    ],
)
def test_what_is_not_exact_is_refused(backend: type[NumpyBackend], where: str) -> None:
    with pytest.raises(BackendRefused, match=where):
        self_test(backend())


def test_without_blocks_it_is_wrong_near_the_bounds() -> None:
    """Why there are blocks: random entries come out right either way, and say nothing."""
    rng = np.random.default_rng(3)
    a, bt = (rng.choice(np.array([-128, -127], np.int8), (20, 8 * BLOCK)) for _ in range(2))
    exact = (a.astype(np.int64) @ bt.T.astype(np.int64)).astype(np.int32)
    assert np.array_equal(product.product(a, bt), exact)
    assert not np.array_equal(WithoutBlocks().product(a, bt), exact)


def test_sums_wrap() -> None:
    """2^17 products of 2^14 are 2^31, the one sum that int32 hasn't."""
    least = np.full((2, 1 << 17), -128, np.int8)
    assert product.product(least, least).tolist() == [[-(2**31)] * 2] * 2
    longer = np.full((1, (1 << 17) + BLOCK), -128, np.int8)
    assert product.product(longer, longer).item() == -(2**31) + (1 << 24)


def test_sizes_that_fit_no_tile() -> None:
    rng = np.random.default_rng(5)
    a, bt = (rng.integers(-128, 128, (rows, 1544), np.int8) for rows in (517, 1033))
    assert np.array_equal(product.product(a, bt), a.astype(np.int32) @ bt.T.astype(np.int32))


@pytest.mark.parametrize(("m", "n"), [(1, 512), (8, 256), (256, 256), (512, 256)])
def test_whichever_side_is_longer_the_product_is_laid_out_by_rows(m: int, n: int) -> None:
    rng = np.random.default_rng(6)
    a, bt = (rng.integers(-128, 128, (rows, BLOCK), np.int8) for rows in (m, n))
    exact = a.astype(np.int32) @ bt.T.astype(np.int32)
    for found in (product.product(a, bt), product.block_product(a, bt)):
        assert np.array_equal(found, exact)
        assert found.flags.c_contiguous  # Whose bytes are checked, segment by segment.
        assert product.checks(found, product.key(WAVE, 0)).shape == (m, n // 256, 2)


def test_checks_at_the_bounds() -> None:
    """Bytes of -128 against -128: 2^24, exactly."""
    c = np.full((1, 256), np.frombuffer(b"\x80\x80\x80\x80", "<i4"), np.int32)
    q = np.stack([np.full(BLOCK, -128), np.full(BLOCK, 127)]).astype(np.int8)
    assert product.checks(c, q).tolist() == [[[1 << 24, -128 * 127 * BLOCK]]]
    assert product.checks(c, product.key(WAVE, 0)).dtype == np.int32
