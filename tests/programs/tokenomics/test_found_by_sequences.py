"""What random sequences found, each as a short story."""

from __future__ import annotations

from keeper.clients import tokenomics
from tests.programs.tokenomics.seasons import open_season
from tests.programs.world import DAY, World


def test_a_guardian_who_funded_the_season_may_veto_it() -> None:
    world = World.launched()
    admin = world.admin.pubkey()
    world.do(tokenomics.propose_guardian(admin, admin), signers=[world.admin])
    world.chain.advance(tokenomics.GUARDIAN_NOTICE)
    world.do(tokenomics.accept_guardian(admin), signers=[world.admin])
    open_season(world, 1, {world.payer.pubkey(): 5})
    before = world.balance(admin)
    world.do(tokenomics.cancel_season(admin, 1), signers=[world.admin])
    world.do(tokenomics.close_season(1, admin))
    assert world.balance(admin) == before + 5


def test_the_last_claim_made_twice_is_refused_as_such() -> None:
    world = World.launched()
    wallet = world.payer.pubkey()
    open_season(world, 1, {wallet: 5})
    world.do(tokenomics.open_claim_page(wallet, 1, 0))
    world.chain.advance(DAY)
    world.give(wallet, 0)
    claim = tokenomics.claim_season(1, 0, wallet, 5, b"")
    world.do(claim)
    assert world.error(world.send(claim)) == "AlreadyClaimed"
