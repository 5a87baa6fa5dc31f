"""The jobs of the buyback on the real program: due, not due, twice, after a restart, beside others."""

import pytest
import structlog
from structlog.testing import capture_logs

from keeper.buyback.decide import BidLimits, Quote
from keeper.buyback.sources import HttpOracle, OwnHistory
from keeper.chain import ChainUnreachable, landing
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.token import transfer
from keeper.clients import buyback, tokenomics
from keeper.clients.buyback import AuctionStatus
from keeper.economy.supply import IO
from keeper.jobs.buyback import bid_on_auction, burn_fees, plan, run_auctions
from keeper.jobs.port import Direct
from keeper.jobs.tokenomics import count_burns
from tests.keeper.jobs.test_tokenomics import overtaken
from tests.programs.buyback.world import FIRST_PRICE, ISSUER, USDC, USDC_MINT, USDC_VAULT, BuybackWorld
from tests.programs.world import DAY, World
from tests.security.tokens import freeze, thaw

LOG = structlog.get_logger()
LIMITS = BidLimits(max_io=10**18, margin_bps=0)


class Fixed:
    """A source that always says the same."""

    def __init__(self, price: int) -> None:
        self.price = price

    async def quote(self, chain, log):
        return Quote(self.price, chain.now(), "a test")


@pytest.fixture
def world() -> BuybackWorld:
    return BuybackWorld.ready()


@pytest.fixture
def keeper(world):
    """A keeper with IO of its own."""
    return world.bidder("keeper", 50_000 * IO)


async def auctions(world):
    return await run_auctions(Direct(world.chain, world.payer, LOG))


async def bid(world, keeper, price=5 * IO, limits=LIMITS):
    return await bid_on_auction(Direct(world.chain, keeper, LOG), source=Fixed(price), limits=limits)


def names(events):
    return [event.name for event in events]


async def test_nothing_before_it_is_initialised():
    world = World.launched()
    with capture_logs() as logs:
        for job in (burn_fees, run_auctions):
            assert await job(Direct(world.chain, world.payer, LOG)) == []
        assert (
            await bid_on_auction(Direct(world.chain, world.payer, LOG), source=Fixed(1), limits=LIMITS) == []
        )
    assert {each["event"] for each in logs} == {"buyback.not_initialised"}


async def test_fees_in_io_are_burned_and_counted(world, keeper):
    assert await burn_fees(Direct(world.chain, world.payer, LOG)) == []
    source = tokenomics.tokens_address(keeper.pubkey())
    world.do(transfer(source, buyback.IO_VAULT, keeper.pubkey(), 7 * IO), signers=[keeper])
    (event,) = await burn_fees(Direct(world.chain, world.payer, LOG))
    assert (event.name, event.fields["amount"]) == ("FeesBurned", 7 * IO)
    assert await burn_fees(Direct(world.chain, world.payer, LOG)) == []
    (event,) = await count_burns(Direct(world.chain, world.payer, LOG))
    assert event.fields["burned"] == 7 * IO


async def test_auctions_from_start_to_start(world):
    assert await auctions(world) == [], "the vault is empty"
    world.pay_usdc(100 * USDC)
    assert names(await auctions(world)) == ["AuctionStarted"]
    assert await auctions(world) == []
    world.chain.advance(DAY - 1)
    assert await auctions(world) == []
    world.chain.advance(1)
    assert names(await auctions(world)) == ["AuctionUnsold", "AuctionStarted"], "one pass does both"
    assert world.auction(0).status == AuctionStatus.UNSOLD
    assert world.auction(1).start_price == FIRST_PRICE


async def test_nothing_is_started_or_bid_while_the_vault_is_frozen(world, keeper):
    """Nor sent in vain: it would be refused, time after time."""
    issuer = ISSUER.pubkey()
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    world.do(freeze(USDC_VAULT, USDC_MINT, issuer), signers=[ISSUER])
    before = len(world.chain.transactions())
    assert await bid(world, keeper) == []
    world.chain.advance(DAY // 2)
    assert names(await auctions(world)) == ["AuctionUnsold"]
    assert len(world.chain.transactions()) == before + 1
    world.do(thaw(USDC_VAULT, USDC_MINT, issuer), signers=[ISSUER])
    assert names(await auctions(world)) == ["AuctionStarted"]


async def test_after_days_without_a_bid_a_server_is_believed_again(world, keeper):
    """The worth is then far above the reference: it is what was paid before."""
    first = world.start(10_000 * USDC)
    world.chain.warp_to(first.path.reaches(FIRST_PRICE))
    assert names(await bid(world, keeper, price=FIRST_PRICE)) == ["AuctionSold", "Repurchase"]
    world.pay_usdc(10_000 * USDC)
    world.chain.advance(DAY)
    for _ in range(10):
        await auctions(world)
        world.chain.advance(DAY)
    config = world.buyback_config()
    assert config.reference_price < FIRST_PRICE // 100
    oracle = HttpOracle("http://nowhere", "usd", "at", max_age=60, max_deviation_bps=0)
    said = b'{"usd": 0.25, "at": 0}'
    assert oracle.read(said, 0, config.standing).price == FIRST_PRICE


async def test_a_bid_as_soon_as_the_price_is_right(world, keeper):
    assert await bid(world, keeper) == [], "no auction"
    auction = world.start(1_000 * USDC)
    right = auction.path.reaches(5 * IO)
    world.chain.warp_to(right - 1)
    assert await bid(world, keeper) == []
    world.chain.advance(1)
    assert names(await bid(world, keeper)) == ["AuctionSold", "Repurchase"]
    assert world.balance(keeper.pubkey()) == 45_000 * IO
    assert world.usdc(keeper.pubkey()) == 1_000 * USDC


async def test_never_twice_for_one_lot(world, keeper):
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    await bid(world, keeper)
    before = len(world.chain.transactions())
    for _ in range(3):
        assert await bid(world, keeper) == []
    assert len(world.chain.transactions()) == before, "nothing is sent"
    assert world.balance(keeper.pubkey()) == 45_000 * IO


async def test_the_same_keeper_in_two_places_pays_once(world, keeper):
    """Both decide to bid before either's bid has landed."""
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    overtaken(world)
    with capture_logs() as logs:
        assert await bid(world, keeper) == []
    assert logs[-1]["refusal"].startswith("buyback: AuctionClosed")
    assert world.balance(keeper.pubkey()) == 45_000 * IO
    assert world.usdc(keeper.pubkey()) == 1_000 * USDC


class Unheard(EmbeddedChain):
    """The node executes, and its answer is lost."""

    async def broadcast(self, transaction):
        await super().broadcast(transaction)
        raise ChainUnreachable("timed out")


async def test_a_bid_whose_answer_is_lost_is_not_repeated(world, keeper, monkeypatch):
    monkeypatch.setattr(landing, "LOST_ANSWERS", 1)
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    world.chain.__class__ = Unheard
    with pytest.raises(ChainUnreachable):
        await bid(world, keeper)
    world.chain.__class__ = EmbeddedChain
    assert await bid(world, keeper) == []
    assert world.balance(keeper.pubkey()) == 45_000 * IO


async def test_a_restart_goes_on_from_the_chain(world, keeper, tmp_path):
    world.pay_usdc(1_000 * USDC)
    await auctions(world)
    world.chain.advance(DAY // 2)
    world.chain.save(tmp_path / "chain")
    world.chain = EmbeddedChain.load(tmp_path / "chain")
    assert await auctions(world) == []
    assert names(await bid(world, keeper)) == ["AuctionSold", "Repurchase"]


async def test_somebody_else_took_the_lot(world, keeper):
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    rival = world.bidder("rival", 50_000 * IO)

    class Outbid(EmbeddedChain):
        async def simulate(self, instructions, signers):
            world.bid(rival, 0)
            return await super().simulate(instructions, signers)

    world.chain.__class__ = Outbid
    assert await bid(world, keeper) == []
    assert world.balance(keeper.pubkey()) == 50_000 * IO
    assert world.usdc(rival.pubkey()) == 1_000 * USDC


@pytest.mark.parametrize("job", [run_auctions, burn_fees])
async def test_beside_another_keeper(world, keeper, job):
    world.pay_usdc(1_000 * USDC)
    source = tokenomics.tokens_address(keeper.pubkey())
    world.do(transfer(source, buyback.IO_VAULT, keeper.pubkey(), IO), signers=[keeper])
    overtaken(world)
    with capture_logs() as logs:
        assert await job(Direct(world.chain, world.payer, LOG)) == []
    assert logs[-1]["event"] == "keeper.others_were_faster"


async def test_inventory_and_limit_are_kept_to(world):
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    poor = world.bidder("poor", 5_000 * IO - 1)
    assert await bid(world, poor) == []
    careful = world.bidder("careful", 50_000 * IO)
    assert await bid(world, careful, limits=BidLimits(5_000 * IO - 1, 0)) == []
    assert await bid(world, careful, limits=BidLimits(5_000 * IO, 1)) == []
    assert names(await bid(world, careful, limits=BidLimits(5_000 * IO, 0))) == ["AuctionSold", "Repurchase"]


async def test_a_keeper_without_accounts_gets_its_usdc(world):
    """The account for the lot is made with the bid."""
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    keeper = world.person("keeper without USDC")
    world.give(keeper.pubkey(), 5_000 * IO)
    await bid(world, keeper)
    assert (world.balance(keeper.pubkey()), world.usdc(keeper.pubkey())) == (0, 1_000 * USDC)


async def test_by_its_own_history_the_keeper_follows_the_last_sales(world, keeper):
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    rival = world.bidder("rival", 50_000 * IO)
    assert world.bid(rival, 0).error is None
    world.chain.advance(DAY // 2)
    auction = world.start(1_000 * USDC)
    assert auction.start_price == 10 * IO
    sold = []
    while not sold:
        sold = await bid_on_auction(Direct(world.chain, keeper, LOG), source=OwnHistory(), limits=LIMITS)
        world.chain.advance(600)
    price = sold[0].fields["price"]
    fall = (auction.start_price - auction.floor_price) * 600 // DAY
    assert 5 * IO - fall <= price <= 5 * IO, "within the ten minutes between two looks"


async def test_a_plan_is_what_the_jobs_would_do(world, keeper):
    source = tokenomics.tokens_address(keeper.pubkey())
    world.do(transfer(source, buyback.IO_VAULT, keeper.pubkey(), IO), signers=[keeper])
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    before = len(world.chain.transactions())
    found = await plan(world.chain, keeper.pubkey(), LOG, source=Fixed(5 * IO), limits=LIMITS)
    assert found is not None
    assert [(step.kind.value, step.due) for step in found[2]] == [
        ("burn fees", True),
        ("close auction", False),
        ("start auction", False),
        ("bid", True),
    ]
    assert len(world.chain.transactions()) == before, "a plan sends nothing"
    assert len(await burn_fees(Direct(world.chain, world.payer, LOG))) == 1
    assert await auctions(world) == []
    assert len(await bid(world, keeper)) == 2
