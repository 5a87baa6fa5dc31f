"""The network in life, and what is rare in it: offers to co-stake, slashes, a step of prices."""

from __future__ import annotations

from pathlib import Path

from keeper.clients import staking
from tests.keeper.api.life import Life
from tests.model import schedule
from tests.model.staking.prices import price_leaf
from tests.programs.orders.world import IO
from tests.programs.world import HOUR, key

OFFER, SHARE = 10 * IO, 2_500
EVIDENCE = b"e" * 32
PART = 1_000
CLASS, STEPS = 1, (150, -100)


class Watched(Life):
    """Two devices look for a co-staker, one is about to be slashed for one thing of two."""

    @classmethod
    def watched(cls, folder: Path) -> Watched:
        """The whole of it."""
        world = cls.lived(folder)
        assert isinstance(world, Watched)
        owners = {name: key(f"supplier {name}") for name in "ab"}
        for number, worker in enumerate(("a3", "b2")):
            device = world.read_device(worker)
            offer = staking.open_offer(device, OFFER * (number + 1), SHARE)
            world.do(offer, signers=[owners[worker[0]]])
        doubtful = world.read_device("b2")
        for operator in world.operators[:2]:
            vote = staking.vote_slash(operator.pubkey(), doubtful, EVIDENCE, PART)
            world.do(vote, signers=[operator])
        other = staking.vote_slash(world.operators[0].pubkey(), doubtful, b"o" * 32, PART)
        world.do(other, signers=[world.operators[0]])
        world.price()
        return world

    def price(self) -> None:
        """The first class' prices rise in IO and fall in USDC from the next hour but one on."""
        now = self.chain.now()
        self.chain.warp_to(now - now % HOUR + HOUR)
        self.priced_hour = self.chain.now() // HOUR - 1
        leaves = [price_leaf(self.priced_hour, CLASS, STEPS)]
        for operator in self.operators[:2]:
            vote = staking.vote_prices(operator.pubkey(), self.priced_hour, schedule.root(leaves))
            self.do(vote, signers=[operator])
        proof = b"".join(schedule.proof(leaves, 0))
        self.do(staking.apply_price(CLASS, self.priced_hour, *STEPS, proof))
