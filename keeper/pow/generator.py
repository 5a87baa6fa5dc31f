"""Operands from seeds: SplitMix64 by position, so that any row, and any part of one, is made by itself.

Row ``r`` of a seed has the key ``mix(s0 + mix(s1 + (r + 1) g))`` with ``s0, s1`` the seed's first two u64;
its word ``j`` is ``mix(key + (j + 1) g)``, and the word's bytes, little-endian, are eight entries. With
``rounds``, a word is so many times ``z += g; z = mix(z)`` instead, which makes a plot dear to make again.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

GAMMA, MULTIPLIERS = 0x9E3779B97F4A7C15, (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SHIFTS = (30, 27, 31)
WORD = 8
"""Entries in a word."""
_CHUNK = 32_768
"""So many words at a time, with as much to spare, stay in a core's cache."""
_G = np.uint64(GAMMA)
_STEPS = [(np.uint64(shift), np.uint64(by)) for shift, by in zip(SHIFTS, (*MULTIPLIERS, 1), strict=True)]

Words = NDArray[np.uint64]
Entries = NDArray[np.int8]


def row_keys(seed: bytes, rows: Sequence[int]) -> Words:
    """What the rows of a seed (16 bytes or more, of which the first 16 count) are made from."""
    s0, s1 = (np.uint64(each) for each in struct.unpack("<QQ", seed[:16]))
    # np.array of a range is slow; an arange isn't.
    numbers = np.arange(rows.start, rows.stop, rows.step) if isinstance(rows, range) else np.array(rows)
    keys = (numbers.astype(np.uint64) + np.uint64(1)) * _G + s1
    spare = np.empty_like(keys)
    _mix(keys, spare)
    keys += s0
    _mix(keys, spare)
    return keys


def entries(keys: Words, start: int, count: int, rounds: int = 0) -> Entries:
    """Entries ``start`` to ``start + count``, multiples of 8, of rows by their keys: int8[rows, count]."""
    words = count // WORD
    step = np.arange(start // WORD + 1, start // WORD + words + 1, dtype=np.uint64) * _G
    out = np.empty((len(keys), words), "<u8")
    height = max(1, _CHUNK // max(words, 1))
    spare = np.empty((height, words), np.uint64)
    for at in range(0, len(keys), height):
        z = out[at : at + height]
        np.add(keys[at : at + height, None], step, out=z)
        beside = spare[: len(z)]
        if not rounds:
            _mix(z, beside)
        for _ in range(rounds):
            z += _G
            _mix(z, beside)
    return out.view(np.int8)


def generate(seed: bytes, rows: Sequence[int], K: int, rounds: int = 0) -> Entries:
    """The rows of a seed, in the order given: int8[len(rows), K], K a multiple of 8."""
    return entries(row_keys(seed, rows), 0, K, rounds)


def _mix(z: Words, spare: Words) -> None:
    """SplitMix64's finaliser, in place."""
    for shift, multiplier in _STEPS:
        np.right_shift(z, shift, out=spare)
        np.bitwise_xor(z, spare, out=z)
        if multiplier != 1:
            np.multiply(z, multiplier, out=z)
