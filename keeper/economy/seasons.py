"""Airdrop seasons: from points to amounts, from amounts to a root that the program pays by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from keeper.economy import merkle
from keeper.errors import UserError

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

POOLS = ("gpu", "cpu", "creators")
"""The pools of a season, in the program's order."""
HEADER = "wallet,pool,points"
"""The first line of a file of points."""


class SeasonError(UserError):
    """Points by which a season's pools can't be divided."""


@dataclass(frozen=True, slots=True)
class Points:
    """One line of a season's published points: a wallet earned ``points`` in ``pool``."""

    wallet: Pubkey
    pool: str
    points: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One leaf of a season: ``amount`` in base units."""

    index: int
    wallet: Pubkey
    amount: int


class Distribution:
    """Who gets what in one season, with the tree over it.

    ``amount = floor(pool * points / all points of the pool)``, summed over the pools for each
    wallet; leaves in the order of the wallets' raw bytes, wallets that would get 0 left out. What
    rounding leaves stays in the vault and goes back to the funder when the season ends.
    """

    def __init__(
        self,
        season: int,
        pools: Mapping[str, int],
        points: Iterable[Points],
        *,
        program: Pubkey,
        mint: Pubkey,
    ) -> None:
        """Divide ``pools`` (base units by name) by ``points``; raises SeasonError."""
        lines = list(points)
        totals: dict[str, int] = defaultdict(int)
        for line in lines:
            if line.pool not in pools:
                raise SeasonError(f"season {season} has no pool {line.pool!r}")
            if line.points < 0:
                raise SeasonError(f"{line.wallet} has negative points in {line.pool}")
            totals[line.pool] += line.points
        amounts: dict[Pubkey, int] = defaultdict(int)
        earned: dict[tuple[Pubkey, str], int] = defaultdict(int)
        for line in lines:
            earned[line.wallet, line.pool] += line.points
        for (wallet, pool), total in earned.items():
            if total:
                amounts[wallet] += pools[pool] * total // totals[pool]
        paid = sorted(((w, a) for w, a in amounts.items() if a), key=lambda item: bytes(item[0]))
        if not paid:
            raise SeasonError(f"nobody gets anything in season {season}")
        self.season = season
        self.pools = tuple(pools.get(name, 0) for name in POOLS)
        self.claims = [Claim(index, wallet, amount) for index, (wallet, amount) in enumerate(paid)]
        self.data_hash = sha256(points_file(lines)).digest()
        self._by_wallet = {claim.wallet: claim for claim in self.claims}
        self.tree = merkle.Tree([leaf(program, mint, season, claim) for claim in self.claims])
        """Over the claims, in their order."""

    @property
    def root(self) -> bytes:
        """The root to publish."""
        return self.tree.root

    def claim(self, wallet: Pubkey) -> Claim | None:
        """A wallet's leaf, None when it gets nothing."""
        return self._by_wallet.get(wallet)

    def proof(self, claim: Claim) -> bytes:
        """The proof that the program wants with a claim."""
        return self.tree.proof(claim.index)


def leaf(program: Pubkey, mint: Pubkey, season: int, claim: Claim) -> bytes:
    """Hash a leaf, bound to program, mint and season."""
    return merkle.leaf(
        bytes(program),
        bytes(mint),
        season.to_bytes(4, "little"),
        claim.index.to_bytes(4, "little"),
        bytes(claim.wallet),
        claim.amount.to_bytes(8, "little"),
    )


def points_file(points: Iterable[Points]) -> bytes:
    """The canonical file of a season's points, whose SHA-256 goes on chain with the root.

    CSV, a header, LF, sorted by the wallet's raw bytes, then pool.
    """
    rows = sorted(points, key=lambda line: (bytes(line.wallet), line.pool, line.points))
    lines = [f"{line.wallet},{line.pool},{line.points}\n" for line in rows]
    return (HEADER + "\n" + "".join(lines)).encode()
