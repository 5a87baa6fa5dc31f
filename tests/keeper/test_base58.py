"""Addresses in base58, many at a time, as solders writes each."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper import base58
from keeper.tables import KEY

EDGES = [bytes(32), bytes([255]) * 32, bytes(31) + b"\1", b"\1" + bytes(31), bytes(16) + bytes([255]) * 16]
POWERS = [(base58._BASE**n + more).to_bytes(32) for n in range(1, 44) for more in (-1, 0)]


@given(st.lists(st.binary(min_size=32, max_size=32) | st.integers(0, 2**64).map(lambda n: n.to_bytes(32))))
@example(EDGES)
@example(POWERS)
def test_as_one_by_one(keys: list[bytes]) -> None:
    found = base58.encode(np.frombuffer(b"".join(keys), KEY))
    assert [word.replace(b"\0", b"").decode() for word in found.tolist()] == [
        str(Pubkey(key)) for key in keys
    ]


def test_no_sum_passes_64_bits() -> None:
    """Even of the highest limbs, with what the next lower place can carry."""
    for place in zip(*base58._PARTS, strict=True):
        assert sum(place) * (2**32 - 1) + 2**64 // base58._GROUP < 2**64
