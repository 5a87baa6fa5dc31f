"""A network in its mid-life: accounts of every kind, and nearly every event there is."""

from __future__ import annotations

from collections.abc import Sequence

from solders.keypair import Keypair

from keeper.chain.token import create_associated, transfer
from keeper.clients import buyback, staking, tokenomics
from keeper.economy import merkle
from keeper.economy.supply import IO
from tests.keeper.indexer.test_folds import Let
from tests.programs.buyback.world import FIRST_PRICE, USDC
from tests.programs.staking.world import GPU_CLASS
from tests.programs.tokenomics.seasons import distribution, open_season
from tests.programs.world import DAY, HOUR, START

EVIDENCE = bytes(range(32))


class MidLife(Let):
    """Rewards, a season, prices, slashes, then orders, then an auction."""

    @classmethod
    def grown(cls) -> MidLife:
        """One with all of it."""
        world = cls.ready(verify_signatures=True)
        assert isinstance(world, MidLife)
        world.earn()
        world.airdrop()
        world.vote_on_devices()
        world.begin()
        world.sell()
        return world

    def each_signs(self, call: object, operators: Sequence[Keypair]) -> None:
        """The same call by several."""
        for operator in operators:
            self.do(call(operator.pubkey()), signers=[operator])  # type: ignore[operator]

    def earn(self) -> None:
        """Two hours are emitted and attested, one of them in conflict; somebody claims."""
        ann, ben = (self.earner(name, 5_000 * IO) for name in ("ann", "ben"))
        for hour in range(2):
            self.chain.warp_to(START + (hour + 1) * HOUR)
            self.do(tokenomics.emit())
            lifetime = {each.pubkey(): (hour + 1) * 100 * IO for each in (ann, ben)}
            tree = self.block(hour, lifetime)
        wallet = ann.pubkey()
        proof = tree.proof(sorted(lifetime, key=bytes).index(wallet))
        self.do(staking.claim(1, wallet, lifetime[wallet], proof))
        first = self.operators[0]
        self.do(staking.post(first.pubkey(), 1, 1, 5, bytes(32)), signers=[first])
        hour = self.chain.now() // HOUR - 1
        numbers = hour.to_bytes(4, "little") + GPU_CLASS.to_bytes(2, "little")
        steps = (1_250).to_bytes(2, "little", signed=True) + (-1_250).to_bytes(2, "little", signed=True)
        root = merkle.leaf(b"price", numbers, steps)
        self.each_signs(lambda who: staking.vote_prices(who, hour, root), self.operators[:2])
        self.do(staking.apply_price(GPU_CLASS, hour, 1_250, -1_250, b""))

    def airdrop(self) -> None:
        """A season of which somebody was paid."""
        amounts = {self.person(name).pubkey(): amount for name, amount in (("ann", 70), ("carl", 30))}
        payer = self.payer.pubkey()
        self.do(*(create_associated(payer, wallet, tokenomics.MINT) for wallet in amounts))
        open_season(self, 1, amounts)
        found = distribution(1, amounts)
        self.chain.advance(DAY)
        self.do(tokenomics.open_claim_page(self.payer.pubkey(), 1, 0))
        claim = found.claims[0]
        self.do(tokenomics.claim_season(1, 0, claim.wallet, claim.amount, found.proof(claim)))

    def vote_on_devices(self) -> None:
        """Stakes of every kind, and slashes: one that was executed, one that waits."""
        owner, other = self.earner("owner", 50_000 * IO), self.earner("co", 50_000 * IO)
        for name in ("staked", "shared", "left"):
            device = self.device(name, owner)
            self.do(staking.stake(device, 1_100 * IO), signers=[owner])
        shared = self.read_device("shared")
        self.do(staking.open_offer(shared, 400 * IO, 2_500), signers=[owner])
        self.do(
            staking.take_offer(self.read_device("shared"), other.pubkey(), 400 * IO, 2_500), signers=[other]
        )
        self.do(staking.withdraw_overflow(self.read_device("staked"), 10 * IO), signers=[owner])
        self.do(staking.unstake(self.read_device("left")), signers=[owner])
        staked = self.read_device("staked")
        for evidence in (EVIDENCE, bytes(32)):
            votes = self.operators[: 2 if evidence == EVIDENCE else 1]
            self.each_signs(lambda who, of=evidence: staking.vote_slash(who, staked, of, 1_000), votes)
        self.chain.advance(15 * DAY)
        self.do(staking.withdraw(self.read_device("left")))
        self.chain.advance(16 * DAY)
        self.do(staking.execute_slash(self.read_device("staked"), EVIDENCE))

    def sell(self) -> None:
        """An auction that was sold, one that is open, and fees in IO that were burned."""
        self.do(buyback.propose_first_price(self.admin.pubkey(), FIRST_PRICE), signers=[self.admin])
        self.chain.warp_to(self.buyback_config().first_price_at)
        buyer = self.bidder("buyer", 10**6 * IO)
        self.start(1_000 * USDC)
        self.chain.advance(DAY // 2)
        assert self.bid(buyer, 0).error is None
        source = tokenomics.tokens_address(buyer.pubkey())
        given = transfer(source, buyback.IO_VAULT, buyer.pubkey(), 7 * IO)
        self.do(given, buyback.burn_fees(), signers=[buyer])
        held = self.balance(buyer.pubkey())
        self.do(tokenomics.burn(buyer.pubkey(), 3 * IO, expected=held), signers=[buyer])
        self.chain.advance(DAY)
        self.start(1_000 * USDC)
        guardian = self.guardian
        pause = tokenomics.set_pause(guardian.pubkey(), 1, self.chain.now() + HOUR)
        self.do(pause, signers=[guardian])
