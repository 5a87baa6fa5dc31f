"""Attacks on prices and on how much is sold at them: by who sets the first price, waits, or bids too much."""

import pytest

from keeper.clients import buyback as client
from keeper.economy.buyback import MAX_PRICE, USDC, Standing
from tests.model.state import U64
from tests.programs.buyback.world import FIRST_PRICE, USDC_VAULT, mint_usdc
from tests.programs.world import DAY
from tests.security.buyback import stages
from tests.security.buyback.stages import (
    LOT,
    OPEN,
    auction,
    bid,
    config,
    sold,
    stage,
    start,
    unsold,
    usdc,
)
from tests.security.outcomes import refused
from tests.security.people import address, do

ADMIN, GUARDIAN, MALLORY = (address(name) for name in ("admin", "guardian", "mallory"))
LOTS = (10_000, 5_000, 2_500, 1_250, 625, 312)
"""Whole USDC of lots that nobody takes: a share is whole basis points."""
CHEAP = client.Params().min_price
"""What an admin would name that wants fees for nothing."""


# -- the first price -------------------------------------------------------------------------------


def test_no_start_without_a_first_price() -> None:
    world = stages.initialized()
    mint_usdc(world, USDC_VAULT, LOT)
    world.chain.advance(100 * DAY)
    assert refused(world, start(0)) == "NoFirstPrice"


def test_an_admin_does_not_name_a_price_and_buy_at_it() -> None:
    """Not in the same transaction, nor the day after: everybody sees it for the notice."""
    world = stages.initialized()
    mint_usdc(world, USDC_VAULT, LOT)
    world.chain.advance(100 * DAY)
    first = client.propose_first_price(ADMIN, CHEAP)
    assert refused(world, first, start(0), bid("mallory", 0)) == "NoticeNotOver"
    do(world, first)
    for later in (DAY, 7 * DAY - 1):
        world.chain.warp_to(config(world).first_price_at - 7 * DAY + later)
        assert refused(world, start(0)) == "NoticeNotOver"
    assert config(world).reference_price == 0
    do(world, client.cancel_first_price(GUARDIAN))
    world.chain.advance(1)
    assert refused(world, start(0)) == "NoFirstPrice"


def test_the_first_start_uses_the_price_to_the_second() -> None:
    world = stages.initialized()
    mint_usdc(world, USDC_VAULT, LOT)
    do(world, client.propose_first_price(ADMIN, FIRST_PRICE))
    world.chain.warp_to(config(world).first_price_at)
    do(world, start(0))
    found = config(world)
    assert (found.reference_price, found.first_price, found.first_price_at) == (FIRST_PRICE, 0, 0)
    assert (auction(world, 0).start_price, auction(world, 0).floor_price) == (
        2 * FIRST_PRICE,
        FIRST_PRICE // 2,
    )


def test_the_guardian_drops_a_first_price_until_an_auction_uses_it() -> None:
    """Also once its notice is over: nobody is faster by starting late."""
    for late in (0, 7 * DAY, 100 * DAY):
        world = stages.initialized()
        mint_usdc(world, USDC_VAULT, LOT)
        do(world, client.propose_first_price(ADMIN, CHEAP))
        world.chain.advance(late)
        do(world, client.cancel_first_price(GUARDIAN))
        assert refused(world, client.cancel_first_price(GUARDIAN)) == "NothingProposed"
        assert refused(world, start(0)) == "NoFirstPrice"
    for name in ("due", "running", "ended"):
        assert refused(stage(name), client.cancel_first_price(GUARDIAN)) == "NothingProposed"


def test_another_first_price_waits_as_long_as_the_one_before() -> None:
    """A price whose notice is over doesn't pass it on."""
    world = stages.priced()
    mint_usdc(world, USDC_VAULT, LOT)
    do(world, client.propose_first_price(ADMIN, CHEAP))
    assert config(world).first_price_at == world.chain.now() + 7 * DAY
    assert refused(world, start(0)) == "NoticeNotOver"
    world.chain.advance(7 * DAY - 1)
    assert refused(world, start(0)) == "NoticeNotOver"


def test_a_stolen_admins_key_is_not_rid_of_the_veto_first() -> None:
    """Guardian and first price proposed together: the old guardian drops the price in the last second."""
    world = stages.initialized()
    mint_usdc(world, USDC_VAULT, LOT)
    do(world, client.propose_guardian(ADMIN, MALLORY), client.propose_first_price(ADMIN, CHEAP))
    found = config(world)
    assert found.guardian_at == found.first_price_at
    world.chain.warp_to(found.first_price_at - 1)
    assert refused(world, start(0)) == "NoticeNotOver"
    do(world, client.cancel_first_price(GUARDIAN))


@pytest.mark.parametrize("price", [0, CHEAP - 1, MAX_PRICE + 1, U64])
def test_a_first_price_that_can_not_be(price: int) -> None:
    assert refused(stage("initialized"), client.propose_first_price(ADMIN, price)) == "PriceOutOfBounds"


def test_no_first_price_after_the_first_auction() -> None:
    """However it ended: a sale's price, or a floor that nobody paid, is not the admin's to change."""
    for name in ("due", "running", "ended"):
        assert refused(stage(name), client.propose_first_price(ADMIN, FIRST_PRICE)) == "FirstPriceSet"
    world = stages.priced()
    mint_usdc(world, USDC_VAULT, LOT)
    unsold(world)
    assert refused(world, client.propose_first_price(ADMIN, FIRST_PRICE)) == "FirstPriceSet"


def test_the_first_lot_is_small_at_whatever_price() -> None:
    """One far below worth sells a sixteenth of a whole lot, then at most twice as much at twice the price."""
    world = stages.initialized()
    mint_usdc(world, USDC_VAULT, 100_000 * USDC)
    do(world, client.propose_first_price(ADMIN, CHEAP))
    world.chain.warp_to(config(world).first_price_at)
    do(world, start(0), bid("mallory", 0))
    assert world.tokens(usdc("mallory")) == 625 * USDC + USDC
    world.chain.advance(DAY)
    do(world, start(1))
    assert (auction(world, 1).lot, auction(world, 1).start_price) == (1_250 * USDC, 4 * CHEAP)


# -- after days without a bid ------------------------------------------------------------------------


def test_the_first_bid_after_a_lapse_takes_a_small_lot_and_pays_what_others_would() -> None:
    """Six days without a bid: before, whoever came back started at a 32nd of the price, with whole lots."""
    world = stages.whole()
    for days in range(6):
        one = unsold(world)
        assert (one.lot // USDC, one.start_price) == (LOTS[days], 2 * FIRST_PRICE)
        assert one.floor_price == FIRST_PRICE >> (days + 1)
    number = config(world).started
    do(world, start(number))
    one = auction(world, number)
    assert one.lot == 156 * USDC, "1.56 % of 10,000"
    supply, held = world.supply(), world.tokens(usdc("mallory"))
    do(world, bid("mallory", number, min_usdc=0))
    # In the same second as the start: twice what was paid before anybody stayed away.
    assert supply - world.supply() == 156 * 2 * FIRST_PRICE
    assert world.tokens(usdc("mallory")) - held == 156 * USDC


def test_who_waits_alone_gets_small_lots_for_as_long_as_the_price_is_low() -> None:
    """Lots grow with the price, not with the bids: seven at the floor after a lapse sell 700 USDC."""
    world = stages.whole()
    for _ in range(7):
        unsold(world)
    before = world.tokens(USDC_VAULT)
    for _ in range(7):
        sold(world, DAY - 1)
    assert before - world.tokens(USDC_VAULT) == 700 * USDC
    found = config(world)
    # These sales have hardly moved what bidders paid before.
    assert found.anchor_price > FIRST_PRICE * 98 // 100
    assert found.reference_price < FIRST_PRICE // 100
    assert found.next_prices()[0] == 256 * found.next_prices()[1]


def test_who_pays_for_a_small_lot_gets_no_whole_one_next() -> None:
    """One sale at the old price doubles the lot, and no more: a small lot is a small proof."""
    world = stages.whole()
    for _ in range(6):
        unsold(world)
    lots = []
    for _ in range(4):
        before = world.tokens(USDC_VAULT)
        assert sold(world, DAY // 2) > FIRST_PRICE
        lots.append((before - world.tokens(USDC_VAULT)) // USDC)
    assert lots == [156, 312, 624, 1_248]


def test_half_of_the_price_is_half_of_a_lot() -> None:
    """Who always waits for the floor, with nobody else there: each time for half the price, ever less."""
    world = stages.whole()
    lots, prices = [], []
    for _ in range(5):
        before = world.tokens(USDC_VAULT)
        prices.append(sold(world, DAY - 1))
        lots.append((before - world.tokens(USDC_VAULT)) // USDC)
    assert lots == [10_000, 5_714, 3_182, 1_705, 887]
    assert all(price <= (FIRST_PRICE >> day) // 2 * 1.01 for day, price in enumerate(prices))


def test_nobody_waits_a_price_down_to_nothing() -> None:
    """A lot that nobody wants is offered for half each day, down to the config's lowest price."""
    world = stages.due()
    lowest = config(world).params.min_price
    references = []
    for _ in range(12):
        unsold(world)
        references.append(config(world).reference_price)
    assert references == [max(lowest, 250_000_000 >> k) for k in range(1, 13)]
    last = unsold(world)
    assert (last.lot, last.start_price, last.floor_price) == (LOT, 256 * lowest, lowest)


# -- who bids too much, gives, or chooses the moment -------------------------------------------------


def test_who_drives_the_price_up_pays_for_it() -> None:
    """A bid at the start doubles the next start, and has burned twice the last price for a whole lot."""
    world = stages.whole()
    supply = world.supply()
    assert sold(world, 0) == 2 * FIRST_PRICE
    assert supply - world.supply() == 10_000 * 2 * FIRST_PRICE
    found = config(world)
    assert found.standing == Standing(2 * FIRST_PRICE, 2 * FIRST_PRICE, 10_000)
    assert found.next_prices() == (4 * FIRST_PRICE, FIRST_PRICE)
    # Nobody pays so much: the day after, half of a lot is sold down to half of what it is worth.
    unsold(world)
    assert config(world).next_lot(world.tokens(USDC_VAULT)) == 5_000 * USDC
    assert config(world).next_prices() == (4 * FIRST_PRICE, FIRST_PRICE // 2)


def test_a_gift_in_the_middle_changes_nothing() -> None:
    world = stages.running()
    before = auction(world)
    mint_usdc(world, USDC_VAULT, 39 * LOT)
    assert auction(world) == before
    do(world, bid("alice"))
    assert world.tokens(USDC_VAULT) == 39 * LOT
    assert config(world).fees_usdc == config(world).usdc_sold + 39 * LOT == 41 * LOT
    world.chain.advance(DAY)
    do(world, start(OPEN + 1))
    # A quarter of what there is: the one before sold an eighth.
    assert auction(world, OPEN + 1).lot == 39 * LOT // 4


def test_new_parameters_leave_the_running_auction_alone() -> None:
    """A stranger chooses when they come into force: between a start and a bid it gains nothing."""
    world = stages.running()
    before, standing = auction(world), config(world).standing
    do(world, client.apply_params())
    assert auction(world) == before
    assert config(world).standing == standing
    do(world, bid("alice", max_io=before.path.cost(world.chain.now())))


def test_new_parameters_leave_shares_alone() -> None:
    """A larger lot is a larger whole: after a lapse the same share of it is sold, and no more."""
    world = stages.whole()
    do(world, client.propose_params(ADMIN, client.Params(max_lot=20_000 * USDC)))
    for _ in range(7):
        unsold(world)
    do(world, client.apply_params())
    assert config(world).standing.share_bps == 100
    assert unsold(world).lot == 200 * USDC


# -- the largest numbers ---------------------------------------------------------------------------


def test_a_vault_full_to_the_last_unit() -> None:
    world = stages.due()
    held = sum(world.tokens(usdc(name)) for name in ("alice", "bob", "mallory", "admin", "elsewhere"))
    mint_usdc(world, USDC_VAULT, U64 - held - world.tokens(USDC_VAULT))
    do(world, start(OPEN))
    assert auction(world).lot == config(world).params.max_lot // 8
    world.chain.advance(DAY)
    do(world, client.close_auction(OPEN))


def test_a_cost_past_64_bits_is_refused_until_it_fits() -> None:
    world = stages.initialized()
    huge = client.Params(max_lot=10_000_000 * USDC, floor_bps=1_000)
    do(world, client.propose_params(ADMIN, huge), client.propose_first_price(ADMIN, MAX_PRICE))
    world.chain.advance(7 * DAY)
    mint_usdc(world, USDC_VAULT, huge.max_lot)
    do(world, client.apply_params(), start(0))
    assert auction(world, 0).start_price == MAX_PRICE
    assert refused(world, bid("alice", 0)) == "Overflow"
    for number in range(1, 4):
        world.chain.advance(DAY)
        do(world, client.close_auction(number - 1), start(number))
    path = auction(world, 3).path
    world.chain.warp_to(path.ends_at - 1)
    assert path.cost(world.chain.now()) <= U64
    assert refused(world, bid("alice", 3)) == "Token.InsufficientFunds"
