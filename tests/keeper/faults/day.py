"""A day of a small network with something in it for every job: what people do, hour by hour.

What happens follows from the hours alone, so that the same day can be lived twice, once undisturbed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import structlog
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper import deploy, tables
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import associated_token_address
from keeper.chain.token import create_associated
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.economy.orders import Currency
from keeper.jobs.blocks import ATTEST_SECONDS, attest_hours
from keeper.jobs.port import Direct
from keeper.operator.store import wave_name
from keeper.pow.clock import WaveKind
from keeper.pow.files import wave_rows, write_wave
from keeper.pow.messages import Commit
from keeper.pow.seeds import wave_seed
from keeper.rewards.rows import OBSERVATION
from keeper.tables import keys
from tests.keeper.chain.rpc_node import RpcNode
from tests.keeper.faults.child import JOBS
from tests.keeper.rewards.seen import BLOCK, SLOT, seen_in
from tests.keeper.runtime.keepers import indexed
from tests.programs.buyback.world import FIRST_PRICE
from tests.programs.orders.world import ASK_IO, IO, TERMS, USDC, USDC_MINT, OrdersWorld
from tests.programs.tokenomics.seasons import distribution
from tests.programs.world import DAY, HOUR, START, DrivenChain, key
from tests.security.tokens import freeze_anyway

LATE = ATTEST_SECONDS - HOUR + 20
"""Seconds after each hour's end at which keepers look: then it can be attested."""
EARLY = START - 40 * DAY
APPEAL = 6 * HOUR
WORKERS = ("a1", "a2", "a3", "b1", "b2", "b3", "b4", "b5")
LIAR = "b5"
"""Signs two roots in hour 1."""
HOURS = (0, 1, 2, 4, 6, 10, 18, 24, 28, 30)
"""When the keepers look, by default: hours since the first one of emission."""
LOG = structlog.get_logger()


class DayWorld(OrdersWorld):
    """A network a moment before its first hour, behind a node.

    Operator 0 is the keeper that is tested; operator 1 attests from what it observed itself; operator 2
    sleeps. A lot has been sold, so that bidders know a price.
    """

    def __init__(self, *, verify_signatures: bool = False, chain: DrivenChain | None = None) -> None:
        """Start early enough for a season to have been open for its shortest time."""
        # What is published names the chain: each day is kept on the same one.
        genesis = Hash.hash(b"a day")
        embedded = EmbeddedChain(verify_signatures=verify_signatures, now=EARLY, genesis=genesis)
        deploy.load_programs(embedded, key("admin").pubkey())
        super().__init__(chain=embedded)
        self.node = RpcNode(embedded)

    @classmethod
    def started(cls) -> DayWorld:
        """Everybody is there, staked, and has what it needs."""
        world = cls.ready(now=EARLY, staking_params={"appeal": APPEAL})
        assert isinstance(world, DayWorld)
        world.season()
        world.chain.warp_to(START - 11 * DAY)
        dearer = orders.propose_params(world.admin.pubkey(), orders.Params(now_fee_bps=301))
        world.do(dearer, signers=[world.admin])
        world.sell_a_lot()
        world.renter("renter")
        for owner in "ab":
            world.supplier(f"supplier {owner}")
        for worker in WORKERS:
            world.let(worker, key(f"supplier {worker[0]}"))
        world.give(world.keeper.pubkey(), 50_000 * IO)
        world.do(create_associated(world.payer.pubkey(), world.keeper.pubkey(), tokenomics.MINT))
        return world

    @property
    def keeper(self) -> Keypair:
        """The key of the keeper that is tested."""
        return self.operators[0]

    def sell_a_lot(self) -> None:
        """Auction 0, taken by a rival half a day after its start."""
        first = buyback.propose_first_price(self.admin.pubkey(), FIRST_PRICE)
        self.do(first, signers=[self.admin])
        self.chain.warp_to(self.buyback_config().first_price_at)
        self.start(1_000 * USDC)
        self.chain.advance(DAY // 2)
        assert self.bid(self.bidder("rival", 50_000 * IO), 0).error is None
        self.chain.advance(DAY)

    def season(self) -> None:
        """A season that ends in the day, with a page of claims."""
        admin, claimant = self.admin.pubkey(), self.person("claimant").pubkey()
        self.give(admin, 1_000 * IO)
        amounts = {claimant: 400 * IO, key("absent").pubkey(): 600 * IO}
        season = distribution(1, amounts)
        opening = tokenomics.open_season(admin, season, self.chain.now() + DAY, START + 5 * HOUR)
        self.do(opening, signers=[self.admin])
        self.do(tokenomics.open_claim_page(self.payer.pubkey(), 1, 0))

    # -- the day ---------------------------------------------------------------------------------

    def come_to(self, hour: int, before: int) -> None:
        """The clock moves on from hour ``before``; people do what they do in the hours up to ``hour``."""
        for each in range(before + 1, hour + 1):
            act = getattr(self, f"_at_{each}", None)
            if act:
                self.chain.warp_to(START + each * HOUR + 1)
                act()
        self.chain.warp_to(START + hour * HOUR + LATE)

    def _at_0(self) -> None:
        self.pay_usdc(500 * USDC)
        order = self._open(1, devices=2, hours=5)
        self._run(order, "a1", "b1")
        order = self._open(2, devices=1, hours=3, currency=Currency.USDC)
        self._run(order, "a2")
        order = self._open(3, devices=2, hours=26)
        self._run(order, "b2", "b3")
        self._open(4, devices=1)

    def _at_1(self) -> None:
        self.match(self._open(5, devices=1), "a3")
        voter = self.operators[1]
        self.do(staking.vote_prices(voter.pubkey(), START // HOUR, b"r" * 32), signers=[voter])

    def _at_2(self) -> None:
        freeze_anyway(self, self._payout("supplier a"))
        for operator in self.operators[1:]:
            vote = staking.vote_slash(operator.pubkey(), self.read_device("b4"), b"e" * 32, 1_000)
            self.do(vote, signers=[operator])

    def _at_4(self) -> None:
        order = self.read_order(key("renter"), 1)
        assert self.end(order, "a1", key("renter")).error is None

    def _at_6(self) -> None:
        lease = self.lease(self.read_order(key("renter"), 3), "b3")
        for operator in self.operators[1:]:
            self.do(orders.vote_fault(operator.pubkey(), lease, b"f" * 32, 5), signers=[operator])

    def _at_10(self) -> None:
        self.pay_usdc(200 * USDC)
        freeze_anyway(self, self._payout("supplier a"), let_go=True)
        # At the network's price: what a higher one leaves over goes back in the pass after the match's, and a
        # killed keeper has more of these.
        self._open(6, devices=2, price=ASK_IO)

    def _open(self, number: int, **terms: object) -> orders.Order:
        price = USDC * 3 if terms.get("currency") == Currency.USDC else TERMS.price
        return self.order(key("renter"), number, **{"price": price, **terms})

    def _payout(self, supplier: str) -> Pubkey:
        return associated_token_address(key(supplier).pubkey(), USDC_MINT)

    def _run(self, order: orders.Order, *workers: str) -> None:
        for worker in workers:
            self.run(order, worker)

    # -- around it -------------------------------------------------------------------------------

    def observe(self, folder: Path, hours: int) -> None:
        """Write what operators see of the devices; not every device passes every hour."""
        folder.mkdir(parents=True)
        for hour in range(hours):
            rows = np.zeros(len(WORKERS), OBSERVATION)
            rows["device"] = keys([staking.device_address(key(each).pubkey()) for each in WORKERS])
            rows["up_since"], rows["online"] = START - DAY, 1
            rows["work"] = [(hour + place) % 5 != 0 for place in range(len(WORKERS))]
            rows = rows[np.argsort(rows["device"])]
            (folder / f"{hour}.csv").write_bytes(b"".join(tables.encode(rows)))
        liar = key(LIAR)
        seed = wave_seed(bytes(self.chain._genesis), staking.PROGRAM.address, SLOT, BLOCK)
        account = staking.device_address(liar.pubkey())
        signed = [
            Commit(seed, account, WaveKind.PRODUCT, 1, 0, 1, bytes([number]) * 32).sign(liar)
            for number in (1, 2)
        ]
        (folder / "1").mkdir()
        data = write_wave(wave_rows((each, 1) for each in signed))
        (folder / "1" / wave_name(SLOT, self.operators[1].pubkey())).write_bytes(data)

    async def second_operator(self, folder: Path) -> None:
        """Let operator 1 attest what has ended, straight on the chain, from an index of its own."""
        own, work = folder / "second", seen_in(folder / "observations")
        own.mkdir(exist_ok=True)
        async with indexed(self.chain, own / "index.db") as history:
            await attest_hours(
                Direct(self.chain, self.operators[1], LOG), folder=own, work=work, history=history
            )


def write_settings(folder: Path, keeper: Keypair, chain: str, database: str, **more: object) -> None:
    """Write the folder that the keeper under test runs in."""
    key_file = folder / "id.json"
    key_file.write_text(json.dumps(list(bytes(keeper))))
    key_file.chmod(0o600)
    settings = {
        "chain": chain,
        "keypair": "id.json",
        "database": database,
        "pow": "observations",
        "market": "market",
        "bid_max_io": 50_000,
        "jobs": json.dumps(JOBS),
        "http": "off",
        "name": "the keeper",
        **more,
    }
    lines = [f"IONET_{name.upper()}={value}" for name, value in settings.items()]
    (folder / "ionet.env").write_text("\n".join(lines) + "\n")


def steps(hours: Sequence[int]) -> list[tuple[int, int]]:
    """Each hour with the one before it; -1 before the first."""
    return list(zip(hours, [-1, *hours], strict=False))
