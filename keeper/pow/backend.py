"""What computes a device's products: numpy here, a card in :mod:`keeper.pow.torch_backend`.

A backend is as good as its arithmetic is exact, which nobody can tell from its name. So each is asked for
products at the bounds before it may work (:func:`self_test`): one that rounds anywhere would fail waves
and look like a cheat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from keeper.errors import UserError
from keeper.pow import generator, product
from keeper.pow.generator import Entries
from keeper.pow.product import BLOCK, SEGMENT, Integers

Matrix = TypeVar("Matrix")
"""What a backend keeps a matrix in, of int8 or int32."""


class BackendRefused(UserError):
    """A backend that isn't exact, or isn't there."""


class Backend(Protocol[Matrix]):
    """A processor that makes operands and exact products, panel by panel."""

    @property
    def name(self) -> str:
        """What it is, for people."""

    @property
    def rows(self) -> int:
        """Rows of a panel of the product that suit it."""

    @property
    def columns(self) -> int:
        """Columns of a panel that suit it, a multiple of 256."""

    @property
    def processors(self) -> int:
        """How many processors of the kind there are: so many work at once."""

    def on(self, processor: int) -> Backend[Matrix]:
        """The backend of a device's processor; one processor takes turns."""

    def generate(self, seed: bytes, rows: Sequence[int], K: int, rounds: int = 0) -> Matrix:
        """:func:`keeper.pow.generator.generate`, kept."""

    def put(self, matrix: NDArray[Any]) -> Matrix:
        """Keep a matrix that was made here."""

    def product(self, a: Matrix, bt: Matrix) -> Matrix:
        """:func:`keeper.pow.product.product`, kept."""

    def checks(self, c: Matrix, q: Matrix) -> Integers:
        """:func:`keeper.pow.product.checks`, brought here."""

    def take(self, matrix: Matrix) -> NDArray[Any]:
        """Bring a matrix here."""


class NumpyBackend:
    """The processor itself, by FP32 BLAS; ``rows`` x ``columns`` int32 and their FP32 are its memory."""

    name = "numpy"
    rows = 1024
    columns = 2048
    processors = 1

    def on(self, processor: int) -> NumpyBackend:
        """All processors are this one."""
        return self

    def generate(self, seed: bytes, rows: Sequence[int], K: int, rounds: int = 0) -> NDArray[Any]:
        """As the module does."""
        return generator.generate(seed, rows, K, rounds)

    def put(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """It is here."""
        return matrix

    def product(self, a: NDArray[Any], bt: NDArray[Any]) -> NDArray[Any]:
        """As the module does."""
        return product.product(a, bt)

    def checks(self, c: NDArray[Any], q: NDArray[Any]) -> Integers:
        """As the module does."""
        return product.checks(c, q)

    def take(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """It is here."""
        return matrix


def self_test(backend: Backend[Matrix]) -> None:
    """Refuse a backend that isn't exact; raises BackendRefused, which says in what.

    At the bounds: all entries -128; -128 and 127 by turns from block to block; 64 rows of random entries
    and 64 at the bounds at random, against exact sums. The generator, with and without rounds, and checks.
    """
    inner = 8 * BLOCK
    rng = np.random.default_rng(1)
    least = np.full((64, inner), -128, np.int8)
    turns = np.where(np.arange(inner) // BLOCK % 2, 127, -128).astype(np.int8)
    random = rng.integers(-128, 128, (64, inner), np.int8)
    near = rng.choice(np.array([-128, -127, 127], np.int8), (64, inner))
    columns = rng.integers(-128, 128, (SEGMENT, inner), np.int8)
    columns[:64] = near[::-1]
    columns[64:128] = -128
    for what, rows, other in (
        ("the least entries", least, np.full((SEGMENT, inner), -128, np.int8)),
        ("entries at the bounds by turns", np.tile(turns, (64, 1)), np.tile(turns, (SEGMENT, 1))),
        ("random entries", random, columns),
        ("random entries at the bounds", near, columns),
    ):
        found = backend.take(backend.product(backend.put(rows), backend.put(other)))
        _compare(backend, f"the product of {what}", found, _exact(rows, other))
    _test_checks(backend, rng)
    seed = bytes(range(32))
    for rounds in (0, 5):
        made = backend.take(backend.generate(seed, range(1, 18), inner, rounds))
        right_rows = generator.generate(seed, range(1, 18), inner, rounds)
        _compare(backend, f"operands of {rounds} rounds", made, right_rows)


def _test_checks(backend: Backend[Matrix], rng: np.random.Generator) -> None:
    """Checks of segments whose bytes are random, but for one whose bytes are all at the bound."""
    c = rng.integers(-(2**31), 2**31, (64, SEGMENT)).astype(np.int32)
    c[0] = -0x7F7F7F80
    q = np.stack([np.full(BLOCK, -128), rng.integers(-128, 128, BLOCK)]).astype(np.int8)
    right = _exact(c.astype("<i4").view(np.int8), q).reshape(64, 1, 2)
    _compare(backend, "the checks", backend.checks(backend.put(c), backend.put(q)), right)


def _exact(a: Entries, bt: Entries) -> Integers:
    """Their product modulo 2^32. FP64 holds every sum here: up to 2^53, of products of at most 2^14."""
    sums = (a.astype(np.float64) @ bt.T.astype(np.float64)).astype(np.int64)
    return ((sums + 2**31) % 2**32 - 2**31).astype(np.int32)


def _compare(backend: Backend[Matrix], what: str, found: NDArray[Any], right: NDArray[Any]) -> None:
    if found.shape != right.shape or found.dtype != right.dtype or not np.array_equal(found, right):
        raise BackendRefused(f"{backend.name} isn't exact: {what} came out wrong; choose another backend")
