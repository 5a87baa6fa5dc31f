"""Points for the demo's three airdrop seasons, and the wallets that claim them."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from functools import cache

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.clients import tokenomics
from keeper.economy.seasons import POOLS, Claim, Distribution, Points
from keeper.economy.supply import IO

SEASON_POOLS = {1: 17_500_000 * IO, 2: 7_500_000 * IO, 3: 5_000_000 * IO}
"""The network's own seasons, base units."""
POOL_SHARES = {"gpu": 75, "cpu": 20, "creators": 5}
"""Percent of a season for each pool: the network publishes no figures; these are the demo's."""
WALLETS = 1_000
"""Wallets with points in each season."""
CLAIMING = 0.97
"""Share of the wallets that claim their tokens in time."""


@dataclass(frozen=True, slots=True)
class Airdrop:
    """A season with its published points, and the claims that will be made."""

    distribution: Distribution
    points: list[Points]
    claiming: list[Claim]


@cache
def person(name: str) -> Keypair:
    """A key that is the same for the same name in every run."""
    return Keypair.from_seed(hashlib.sha256(f"ionet demo: {name}".encode()).digest())


def airdrop(season: int) -> Airdrop:
    """Make up one season: a few large suppliers, many small ones, from a fixed seed."""
    rng = random.Random(season)
    # Any 32 bytes are an address; half of them even have a key, and nobody needs to sign for a claim.
    wallets = [Pubkey(rng.randbytes(32)) for _ in range(WALLETS)]
    shares = list(POOL_SHARES.values())
    points = [
        Points(wallet, rng.choices(POOLS, shares)[0], int(rng.lognormvariate(6, 1.5)) + 1)
        for wallet in wallets
    ]
    total = SEASON_POOLS[season]
    pools = {name: total * share // 100 for name, share in POOL_SHARES.items()}
    distribution = Distribution(
        season, pools, points, program=tokenomics.PROGRAM.address, mint=tokenomics.MINT
    )
    claiming = [claim for claim in distribution.claims if rng.random() < CLAIMING]
    return Airdrop(distribution, points, claiming)
