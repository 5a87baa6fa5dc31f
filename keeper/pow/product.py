"""The product and the checks of its segments, exact to the last bit, by FP32.

An entry is at most 128 in size and so a product of two at most 2^14. FP32 holds every integer up to 2^24,
which is 1,024 of those: a sum over a block of 1,024 is exact in whatever order it is made, however many
products are fused into it. Blocks are added as int32, modulo 2^32. Without blocks it would be wrong
for operands near the bounds.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from keeper.pow.generator import Entries, generate
from keeper.pow.hashing import digest, u16

BLOCK = 1024
"""Inner entries of a block."""
SEGMENT = 256
"""Columns of a segment; its int32 are a block of bytes."""
CHECK = 8
"""Bytes of a segment's check: two int32."""
_TILE = 512
"""Rows and columns of a tile: its sums stay in the cache while the blocks are added."""

Integers = NDArray[np.int32]


def product(a: Entries, bt: Entries) -> Integers:
    """``a @ bt.T`` modulo 2^32: int8[m, K] and int8[n, K], of whatever K, to int32[m, n]."""
    out = np.zeros((len(a), len(bt)), np.int32)
    for k in range(0, a.shape[1], BLOCK):
        # Once for all tiles of the block: FP32 of all rows and columns, but of a block only.
        left, right = (each[:, k : k + BLOCK].astype(np.float32) for each in (a, bt))
        for i in range(0, len(a), _TILE):
            for j in range(0, len(bt), _TILE):
                tile = _times(left[i : i + _TILE], right[j : j + _TILE])
                out[i : i + _TILE, j : j + _TILE] += tile.astype(np.int32)
    return out


def block_product(a: Entries, bt: Entries) -> Integers:
    """The product over one block at most, of few enough rows and columns for a tile."""
    return _times(a.astype(np.float32), bt.astype(np.float32)).astype(np.int32, order="C")


def _times(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """``left @ right.T``, the longer one first: BLAS packs the other, which for few rows took longer."""
    found: NDArray[np.float32] = left @ right.T if len(left) >= len(right) else (right @ left.T).T
    return found


@lru_cache(maxsize=8)
def key(wave_seed: bytes, profile_id: int) -> Entries:
    """What a wave's segments are checked with: int8[2, 1024]; the same array for all who ask."""
    return generate(digest("Q", wave_seed, u16(profile_id)), range(2), BLOCK)


def checks(c: Integers, q: Entries) -> Integers:
    """The checks of whole segments of rows: int32[m, n] and a key to int32[m, n / 256, 2].

    A segment's bytes times the key, not its integers: no linear function of the product, which could be
    had without it. The sum over a block of bytes is exact for the reason above.
    """
    segments = c.astype("<i4", copy=False).view(np.int8).reshape(-1, BLOCK)
    weights = q.astype(np.float32).T
    out = np.empty((len(segments), len(q)), np.int32)
    for at in range(0, len(segments), _TILE):
        out[at : at + _TILE] = segments[at : at + _TILE].astype(np.float32) @ weights
    return out.reshape(len(c), c.shape[1] // SEGMENT, len(q))
