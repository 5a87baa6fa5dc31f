"""Products that pass 64 bits, divided exactly, on whole columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keeper.rewards.rows import RowsError

U64 = NDArray[np.uint64]

_LOW_BITS = np.uint64(14)
_LOW_MASK = np.uint64((1 << 14) - 1)
MAX_FACTOR = 1 << 28
MAX_DIVISOR = 1 << 49


def mul_div(values: U64, times: int, divisor: int) -> U64:
    """``floor(value * times / divisor)`` of each value, exact, rounded down.

    ``values`` are below 2**28, ``divisor`` below 2**49 and at least each value, ``times`` below 2**63;
    raises RowsError otherwise. With ``times = q * divisor + r`` the result is
    ``value * q + floor(value * r / divisor)``. The first term is at most ``times``; the second is a
    long division in two steps, of the value's upper and lower 14 bits, whose products stay below
    2**63 and whose sum stays below 2**64.
    """
    most = int(values.max(initial=0))
    if not most < MAX_FACTOR or not most <= divisor < MAX_DIVISOR or not 0 <= times < 1 << 63:
        raise RowsError(f"mul_div is exact for smaller figures only: {most} * {times} / {divisor}")
    if divisor == 0:
        return np.zeros_like(values)
    quotient, remainder = (np.uint64(part) for part in divmod(times, divisor))
    by = np.uint64(divisor)
    high = (values >> _LOW_BITS) * remainder
    low = ((high % by) << _LOW_BITS) + (values & _LOW_MASK) * remainder
    return values * quotient + ((high // by) << _LOW_BITS) + low // by
