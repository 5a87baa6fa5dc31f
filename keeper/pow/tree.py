"""Trees over a wave's records: SHA-256 with tagged leaves and nodes, left and right as they lie.

A row's place counts here, unlike in the programs' trees (``keeper.economy.merkle``), whose pairs are
sorted. The number of leaves is a power of two. A level is one ``bytes`` of 32 for each node: no object a
node, of which a card's proof has a million.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

HASH = 32
LEAF_TAG, NODE_TAG = b"\0", b"\1"


def leaf(record: bytes) -> bytes:
    """The hash of a row's record."""
    return sha256(LEAF_TAG + record).digest()


def leaves(records: bytes, size: int) -> bytes:
    """The hashes of records of ``size`` bytes each, joined."""
    view = memoryview(records)
    return b"".join([sha256(LEAF_TAG + view[at : at + size]).digest() for at in range(0, len(records), size)])


def levels(bottom: bytes) -> list[bytes]:
    """All levels over joined leaves, whose number is a power of two; the last is the root."""
    found = [bottom]
    while len(level := found[-1]) > HASH:
        pairs = range(0, len(level), 2 * HASH)
        found.append(b"".join([sha256(NODE_TAG + level[at : at + 2 * HASH]).digest() for at in pairs]))
    return found


def siblings(rows: Sequence[int], m: int) -> list[tuple[int, int]]:
    """Which nodes the paths of ``rows`` need that follow from none of them: (level, index).

    Level by level from the leaves, left to right: the one order that a proof has.
    """
    found = []
    wanted = sorted(set(rows))
    for level in range(m.bit_length() - 1):
        have = set(wanted)
        found += [(level, index ^ 1) for index in wanted if index ^ 1 not in have]
        wanted = sorted({index >> 1 for index in wanted})
    return found


def multiproof(tree: Sequence[bytes], rows: Sequence[int]) -> bytes:
    """The siblings of ``rows``, joined."""
    places = siblings(rows, len(tree[0]) // HASH)
    return b"".join([tree[level][HASH * index : HASH * (index + 1)] for level, index in places])


def root_of(known: Mapping[int, bytes], proof: bytes, m: int) -> bytes | None:
    """The root over ``m`` leaves, of which one or more are known; nothing if the proof has another length."""
    level, at = dict(sorted(known.items())), 0
    for _ in range(m.bit_length() - 1):
        above: dict[int, bytes] = {}
        for index, hashed in level.items():
            if index >> 1 in above:
                continue
            if (beside := level.get(index ^ 1)) is None:
                # Of a proof that ends too soon this is shorter, and the end tells.
                beside = proof[at : at + HASH]
                at += HASH
            pair = beside + hashed if index & 1 else hashed + beside
            above[index >> 1] = sha256(NODE_TAG + pair).digest()
        level = above
    return level[0] if at == len(proof) else None
