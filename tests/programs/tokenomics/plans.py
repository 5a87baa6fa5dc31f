"""What random sequences choose from: genesis tables, and airdrop seasons with good and bad leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.model import schedule
from tests.model.schedule import GENESIS
from tests.model.state import Address


class Shape(NamedTuple):
    """How an allocation becomes free."""

    tge_bps: int
    cliff_months: int
    tranches: int


SHAPES = (Shape(10_000, 0, 0), Shape(0, 13, 24), Shape(3_000, 1, 3), Shape(4_500, 0, 41), Shape(1, 0, 1))
BAD_SHAPES = (Shape(10_001, 0, 0), Shape(10_000, 0, 1), Shape(10_000, 1, 0), Shape(0, 5, 0))

TABLE = (
    (GENESIS // 5, SHAPES[0]),
    (GENESIS // 5, SHAPES[1]),
    (GENESIS // 5 + 7, SHAPES[2]),
    (2 * GENESIS // 5 - 7, SHAPES[3]),
)
"""A genesis table that adds up; its first row is free at once."""


class Leaf(NamedTuple):
    """One leaf of a season."""

    number: int
    wallet: Address
    amount: int


@dataclass(frozen=True)
class Plan:
    """A season's leaves with the tree over them; the program sees the root alone."""

    leaves: tuple[Leaf, ...]
    hashes: tuple[bytes, ...]

    @classmethod
    def of(cls, leaves: Sequence[Leaf], *, program: bytes, mint: bytes, season: int) -> Plan:
        """Hash the leaves as the program does."""
        hashes = (schedule.leaf(program, mint, season, *leaf) for leaf in leaves)
        return cls(tuple(leaves), tuple(hashes))

    @property
    def root(self) -> bytes:
        """The root to publish."""
        return schedule.root(self.hashes)

    def proof(self, leaf: Leaf) -> bytes:
        """The proof of one of the leaves."""
        return b"".join(schedule.proof(self.hashes, self.leaves.index(leaf)))


def plan_leaves(total: int, leaves: int, wallets: Sequence[Address]) -> list[Leaf]:
    """Leaves on the pages' edges; more than the pools hold, one of nothing, one past the last index."""
    indexes = {0, 1, 2, leaves - 2, leaves - 1, 8_191, 8_192}
    shares = (total // 2, total // 3, total // 7, total - total // 2, 1, total, total // 5)
    good = [
        Leaf(index, wallets[i % len(wallets)], max(1, min(share, 2**64 - 1)))
        for i, (index, share) in enumerate(zip(sorted(indexes), shares, strict=False))
        if 0 <= index < leaves
    ]
    return [*good, Leaf(leaves, wallets[0], 1), Leaf(max(0, min(3, leaves - 1)), wallets[1], 0)]
