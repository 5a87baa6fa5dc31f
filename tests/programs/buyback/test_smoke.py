"""Buyback from the first fee to the last burn, on the real program."""

from keeper.chain.token import transfer
from keeper.clients import buyback, tokenomics
from tests.programs.buyback.world import FIRST_PRICE, IO, USDC, BuybackWorld
from tests.programs.world import DAY


def test_fees_are_sold_and_burned():
    world = BuybackWorld.ready()
    buyer = world.bidder("buyer", 100_000 * IO)
    supply = world.supply()
    auction = world.start(1_000 * USDC)
    assert (auction.start_price, auction.floor_price) == (2 * FIRST_PRICE, FIRST_PRICE // 2)
    world.chain.advance(DAY // 2)
    record = world.bid(buyer, 0)
    assert record.error is None, (world.error(record), record.logs)
    price = 5 * IO
    sold = world.auction(0)
    assert (sold.status, sold.price, sold.cost) == (buyback.AuctionStatus.SOLD, price, 5_000 * IO)
    assert world.usdc(buyer.pubkey()) == 1_000 * USDC
    assert world.usdc_vault() == 0
    assert supply - world.supply() == 5_000 * IO == 100_000 * IO - world.balance(buyer.pubkey())
    source = tokenomics.tokens_address(buyer.pubkey())
    world.do(transfer(source, buyback.IO_VAULT, buyer.pubkey(), 7 * IO), signers=[buyer])
    world.do(buyback.burn_fees())
    assert supply - world.supply() == 5_007 * IO
    world.do(tokenomics.sync_burned())
    assert world.config().burned == 5_007 * IO
    config = world.buyback_config()
    assert (config.fees_usdc, config.usdc_sold) == (1_000 * USDC, 1_000 * USDC)
    assert (config.fees_io, config.burned_fees, config.burned_auctions) == (7 * IO, 7 * IO, 5_000 * IO)
    assert config.reference_price == price
