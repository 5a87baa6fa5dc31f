"""A network in life: something of each kind that the API shows, and the index of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import structlog

from keeper.chain.token import create_associated
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.economy import emission
from keeper.economy.orders import Currency
from keeper.economy.seasons import points_file
from keeper.rewards import publication, seasons
from keeper.rewards.hours import take_in
from keeper.rewards.publication import Manifest
from keeper.rewards.rows import Hour
from keeper.runtime.operation import operating
from tests.keeper.rewards.seen import publish_rows
from tests.keeper.rewards.tables import another, classes, rows
from tests.programs.buyback.world import FIRST_PRICE
from tests.programs.orders.world import IO, USDC, OrdersWorld
from tests.programs.tokenomics.seasons import distribution, points_of
from tests.programs.world import DAY, HOUR, START, START_MONTH, key

EARLY = START - 40 * DAY
WORKERS = ("a1", "a2", "a3", "b1", "b2")


class Life(OrdersWorld):
    """Two suppliers with five devices, a renter with four orders, a season, three auctions, two blocks."""

    folder: Path
    """Where its hours are published."""

    @classmethod
    def lived(cls, folder: Path) -> Life:
        """The whole of it; its hours are published in ``folder``."""
        world = cls.ready(now=EARLY)
        assert isinstance(world, Life)
        world.folder = folder
        world.season()
        world.auctions()
        world.market()
        world.rewards()
        return world

    def season(self) -> None:
        """A season that is published, with a page of claims, of which one of two has claimed."""
        admin, claimant = self.admin.pubkey(), self.person("claimant").pubkey()
        self.give(admin, 1_000 * IO)
        amounts = {claimant: 400 * IO, key("absent").pubkey(): 600 * IO}
        found = distribution(1, amounts)
        opening = tokenomics.open_season(admin, found, self.chain.now() + DAY, START + 30 * DAY)
        self.do(opening, signers=[self.admin])
        self.do(tokenomics.open_claim_page(self.payer.pubkey(), 1, 0))
        self.chain.advance(DAY)
        mine = found.claim(claimant)
        making = create_associated(self.payer.pubkey(), claimant, tokenomics.MINT)
        self.do(making, tokenomics.claim_season(1, mine.index, claimant, mine.amount, found.proof(mine)))
        seasons.publish(self.folder, found, points_file(points_of(amounts)))

    def auctions(self) -> None:
        """One that sold, one that nobody wanted, one that runs for another half of its time."""
        first = buyback.propose_first_price(self.admin.pubkey(), FIRST_PRICE)
        self.do(first, signers=[self.admin])
        self.chain.warp_to(self.buyback_config().first_price_at)
        self.start(1_000 * USDC)
        self.chain.advance(DAY // 2)
        assert self.bid(self.bidder("bidder", 50_000 * IO), 0).error is None
        self.chain.advance(DAY)
        self.start(1_000 * USDC)
        self.chain.advance(2 * DAY)
        self.do(buyback.close_auction(1))

    def market(self) -> None:
        """Devices with their stakes; orders that run, wait, were served and were cancelled."""
        self.chain.warp_to(START)
        renter = self.renter("renter")
        owners = {name: self.supplier(f"supplier {name}") for name in "ab"}
        for worker in WORKERS:
            self.let(worker, owners[worker[0]])
        running = self.order(renter, 1, devices=2, hours=5)
        self.run(running, "a1")
        self.run(running, "b1")
        self.run(self.order(renter, 2, devices=1, hours=3, currency=Currency.USDC), "a2")
        self.order(renter, 3, devices=1)
        cancelled = self.order(renter, 4, devices=1)
        self.do(orders.cancel_order(cancelled), signers=[renter])

    def rewards(self) -> None:
        """Two hours are emitted and final, the first supplier has claimed; the third auction starts."""
        self.chain.warp_to(START + 2 * HOUR + 1)
        self.do(tokenomics.emit(), tokenomics.sync_burned())
        manifests = [self.publish(hour) for hour in range(2)]
        for manifest in manifests:
            for record in self.attest(manifest.hour, manifest.attestation):
                assert record.error is None, self.error(record)
        self.chain.advance(self.staking_config().params.challenge_window)
        for manifest in manifests:
            self.do(staking.finalise(manifest.hour))
        owner = key("supplier a").pubkey()
        found = publication.claimable(self.folder, 1, owner)
        self.do(staking.claim(1, owner, found.lifetime, found.proof))
        self.chain.advance(HOUR)
        self.start(1_000 * USDC)
        self.chain.advance(DAY // 2)

    def publish(self, number: int) -> Manifest:
        """An hour's files: four devices of two suppliers did their work, one didn't."""
        owners = [bytes(key(f"supplier {worker[0]}").pubkey()) for worker in WORKERS]
        machines = [replace(another(n, work=1 if n else 2), payout=owner) for n, owner in enumerate(owners)]
        hour = Hour(number, START + number * HOUR, emission.cumulative(START_MONTH, number + 1))
        return publish_rows(self.folder, hour, rows(machines), classes())


async def index(world: Life, url: str) -> None:
    """Index a world into a database, and have its accounts compared with the chain's."""
    log = structlog.get_logger()
    async with operating(world.chain, "a test", url, "a test") as keeper:
        await keeper.index(log)
        assert await take_in(keeper.database, world.folder, log) == 2
        for each in await keeper.compare(log):
            assert each.differences == []
