"""Seasons for tests: from amounts by wallet to an open season."""

from __future__ import annotations

from collections.abc import Mapping

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain.token import create_associated
from keeper.clients import tokenomics
from keeper.clients.tokenomics import Season
from keeper.economy.seasons import Distribution, Points
from tests.programs.world import DAY, World


def distribution(number: int, amounts: Mapping[Pubkey, int]) -> Distribution:
    """A season in which each wallet gets its amount: points and pool are the same figures."""
    pools = {"gpu": sum(amounts.values())}
    return Distribution(
        number, pools, points_of(amounts), program=tokenomics.PROGRAM.address, mint=tokenomics.MINT
    )


def points_of(amounts: Mapping[Pubkey, int]) -> list[Points]:
    """The points by which each wallet gets its amount."""
    return [Points(wallet, "gpu", amount) for wallet, amount in amounts.items()]


def open_season(
    world: World, number: int, amounts: Mapping[Pubkey, int], *, admin: Keypair | None = None
) -> Season:
    """Fund the admin and open a season that pays ``amounts``, claims from tomorrow for 30 days."""
    signer = admin or world.admin
    funder = signer.pubkey()
    world.do(create_associated(world.payer.pubkey(), funder, tokenomics.MINT))
    world.give(funder, sum(amounts.values()))
    start = world.chain.now() + DAY
    season = distribution(number, amounts)
    world.do(tokenomics.open_season(funder, season, start, start + 30 * DAY), signers=[signer])
    return tokenomics.parse_season(world.account(tokenomics.season_address(number)).data)
