"""Openings verified: the picked segments are computed again, and their checks compared.

The verifier takes no value from a device on trust, so there is nothing to estimate and no secret: a
right opening passes and a wrong one doesn't. Devices of a profile share an operand, so a batch is taken
segment by segment, and that operand's columns are made once for all of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keeper.pow.codes import Code
from keeper.pow.generator import Words, entries, row_keys
from keeper.pow.opening import Claim, bind_opening
from keeper.pow.product import BLOCK, SEGMENT, Integers, block_product, checks, key
from keeper.pow.profiles import Profile
from keeper.pow.seeds import seed_a, seed_b

_MOST = 4096
"""Openings of a segment at a time: bounds the memory of a large batch."""


class _Opened(NamedTuple):
    """A segment to compute again: the claim's place in the batch, its row's key, the committed check."""

    place: int
    key: np.uint64
    check: bytes


def verify_batch(wave_seed: bytes, profile: Profile, items: Sequence[Claim]) -> list[Code]:
    """The code of each opening of a wave and profile; raises nothing, whatever the bytes."""
    verdicts = [Code.PASS] * len(items)
    segments: dict[int, list[_Opened]] = defaultdict(list)
    for place, item in enumerate(items):
        bound = bind_opening(profile, item.blob, item.root, item.picks, item.procs)
        if isinstance(bound, Code):
            verdicts[place] = bound
            continue
        for processor in range(item.procs):
            own = [each for each in bound.checks.items() if each[0].processor == processor]
            keys = row_keys(seed_a(wave_seed, item.device, processor), [pick.row for pick, _ in own])
            for row, (pick, check) in zip(keys, own, strict=True):
                segments[pick.segment].append(_Opened(place, row, check))
    q = key(wave_seed, profile.id)
    b = seed_b(wave_seed, profile.id)
    for segment, opened in segments.items():
        columns = row_keys(b, range(segment * SEGMENT, (segment + 1) * SEGMENT))
        for at in range(0, len(opened), _MOST):
            some = opened[at : at + _MOST]
            rows = np.array([each.key for each in some])
            # Many columns and few rows: BLAS is up to twice as fast that way round.
            transposed = _product(columns, rows, profile.K)
            right = checks(np.ascontiguousarray(transposed.T), q)
            for each, check in zip(some, right, strict=True):
                if each.check != check.astype("<i4").tobytes():
                    verdicts[each.place] = Code.WORK_WRONG
    return verdicts


def _product(left: Words, right: Words, K: int) -> Integers:
    """The product of rows by their keys, made block by block, so that no operand leaves the cache."""
    total: Integers = np.zeros((len(left), len(right)), np.int32)
    for start in range(0, K, BLOCK):
        total += block_product(entries(left, start, BLOCK), entries(right, start, BLOCK))
    return total
