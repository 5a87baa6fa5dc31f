"""Merkle trees as the programs verify them: SHA-256, tagged leaves and nodes, sorted pairs."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

LEAF_TAG = b"\0"
NODE_TAG = b"\1"


def leaf(*parts: bytes) -> bytes:
    """Hash a leaf's parts under the leaf tag."""
    return sha256(LEAF_TAG + b"".join(parts)).digest()


def node(a: bytes, b: bytes) -> bytes:
    """Hash two children under the node tag, the smaller first."""
    return sha256(NODE_TAG + (a + b if a < b else b + a)).digest()


class Tree:
    """All levels of a tree over leaf hashes; the odd one out of a level moves up as it is."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Hash level by level; raises ValueError when there are no leaves."""
        if not leaves:
            raise ValueError("a tree needs at least one leaf")
        self.levels = [list(leaves)]
        """From the leaves up to the root, each hash of each."""
        while len(level := self.levels[-1]) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            above = [node(a, b) for a, b in pairs]
            if len(level) % 2:
                above.append(level[-1])
            self.levels.append(above)

    @property
    def root(self) -> bytes:
        """The one hash at the top."""
        return self.levels[-1][0]

    def proof(self, index: int) -> bytes:
        """The siblings from leaf ``index`` upwards, joined: 32 bytes a level."""
        siblings = []
        for level in self.levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                siblings.append(level[sibling])
            index //= 2
        return b"".join(siblings)


def verify(root: bytes, hashed_leaf: bytes, proof: bytes) -> bool:
    """Whether ``hashed_leaf`` is under ``root`` by ``proof``."""
    if len(proof) % 32:
        return False
    top = hashed_leaf
    for start in range(0, len(proof), 32):
        top = node(top, proof[start : start + 32])
    return top == root
