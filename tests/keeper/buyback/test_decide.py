"""What is due and why not, from views of the chain; most of them read from the real program."""

from dataclasses import replace
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.buyback import decide
from keeper.buyback.decide import BidLimits, Quote
from keeper.clients import buyback
from keeper.economy.buyback import BPS, MIN_SHARE_BPS
from keeper.economy.supply import IO
from keeper.jobs.buyback import read_view
from tests.programs.buyback.world import FIRST_PRICE, USDC, BuybackWorld
from tests.programs.world import DAY, finish

LIMITS = BidLimits(max_io=10**18, margin_bps=0)
RICH = 10**18


@pytest.fixture(scope="module")
def open_view() -> decide.View:
    """Six hours into an auction that falls from 8 to 2 IO: it is at 6.5."""
    world = BuybackWorld.ready()
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 4)
    view = finish(read_view(world.chain))
    assert view is not None and view.auction is not None
    return view


@pytest.fixture(scope="module")
def idle_view() -> decide.View:
    """No auction is open; one could start."""
    world = BuybackWorld.ready()
    world.pay_usdc(1_000 * USDC)
    view = finish(read_view(world.chain))
    assert view is not None
    return view


def quote(price: int) -> Quote:
    return Quote(price, 0, "a test")


def test_fees_are_burned_when_there_are_some(idle_view):
    assert not decide.burn(idle_view).due
    step = decide.burn(replace(idle_view, io_vault=1))
    assert (step.due, step.why) == (True, "0.00000001 IO in the vault")


def test_a_start_waits_for_all_that_the_program_asks(idle_view):
    step = decide.start(idle_view)
    assert (step.due, step.number, step.why) == (True, 0, "a lot of 1,000.000000 USDC")
    config, now = idle_view.config, idle_view.now
    for changed, why, at in (
        ({"usdc_vault": 100 * USDC - 1}, "99.999999 USDC in the vault, the smallest lot is", None),
        ({"now": now - 1}, "the first price waits for its notice", now),
        ({"config": replace(config, first_price=0)}, "the admin has announced no first price", None),
        ({"frozen": True}, "the issuer has frozen the vault", None),
        ({"config": replace(config, pause_mask=1, pause_until=now + 9)}, "the guardian stopped it", now + 9),
        ({"config": replace(config, pause_mask=2, pause_until=now + 9)}, "the guardian stopped it", now + 9),
    ):
        step = decide.start(replace(idle_view, **changed))
        assert (step.due, step.at) == (False, at)
        assert step.why.startswith(why)
    assert decide.start(replace(idle_view, config=replace(config, pause_mask=1, pause_until=now))).due
    huge = decide.start(replace(idle_view, usdc_vault=10**15))
    assert huge.why == "a lot of 10,000.000000 USDC"
    later = replace(config, reference_price=IO, anchor_price=4 * IO, waiting_since=now - DAY + 1)
    later = replace(later, first_price=0, first_price_at=0)
    step = decide.start(replace(idle_view, config=later))
    assert (step.why, step.at) == ("at most one a day", now + 1)
    step = decide.start(replace(idle_view, config=replace(later, waiting_since=now - DAY)))
    assert step.why == "a lot of 250.000000 USDC", "a quarter of what was paid, a quarter of a lot"


@settings(deadline=None)
@given(st.integers(-2, 2), st.integers(0, 2), st.integers(MIN_SHARE_BPS, BPS))
def test_no_lot_below_the_smallest_and_none_above_the_largest(idle_view, beside, bound, share):
    """Beside the smallest lot, the largest, and the vault that a part of a lot is worth the smallest of."""
    config = replace(idle_view.config, next_share_bps=share)
    least, most = config.params.min_lot, config.params.max_lot
    vault = (least, most, least * BPS // share)[bound] + beside
    step = decide.start(replace(idle_view, config=config, usdc_vault=vault))
    assert step.due == (vault >= least)
    if step.due:
        lot = max(floor(Fraction(min(vault, most) * share, BPS)), least)
        assert lot <= min(vault, most)
        assert step.why == f"a lot of {lot // USDC:,}.{lot % USDC:06} USDC"
    else:
        assert step.why.endswith("the smallest lot is 100.000000")


def test_an_open_auction_is_closed_at_its_end(open_view, idle_view):
    assert not decide.close(idle_view).due
    assert decide.start(open_view).why == "auction 0 is open"
    step = decide.close(open_view)
    assert (step.due, step.at) == (False, open_view.auction.ends_at)
    assert decide.close(replace(open_view, now=open_view.auction.ends_at)).due
    assert not decide.close(replace(open_view, now=open_view.auction.ends_at - 1)).due


def test_a_bid_when_the_lot_is_worth_more_than_it_costs(open_view):
    price = open_view.auction.path.price(open_view.now)
    assert price == 650_000_000
    step = decide.bid(open_view, quote(price), LIMITS, RICH)
    assert (step.due, step.number, step.max_io) == (True, 0, 6_500 * IO)
    waits = decide.bid(open_view, quote(price - 1), LIMITS, RICH)
    assert (waits.due, waits.at) == (False, open_view.auction.path.reaches(price - 1))
    assert open_view.auction.path.price(waits.at) <= price - 1 < open_view.auction.path.price(waits.at - 1)


def test_the_margin_is_the_keepers_gain(open_view):
    limits = replace(LIMITS, margin_bps=1_000)
    worth = 650_000_000 * 10 // 9
    assert not decide.bid(open_view, quote(worth), limits, RICH).due
    assert decide.bid(open_view, quote(worth + 1), limits, RICH).due


def test_why_there_is_no_bid(open_view, idle_view):
    config, auction, now = open_view.config, open_view.auction, open_view.now
    good = quote(FIRST_PRICE * 2)

    def why(limits=LIMITS, inventory=RICH, said=good, **changed):
        step = decide.bid(replace(open_view, **changed), said, limits, inventory)
        assert not step.due
        return step.why, step.at

    assert decide.bid(idle_view, good, LIMITS, RICH).why == "no auction is open"
    assert why(said=None) == ("no source says what an IO is worth", None)
    assert why(now=auction.ends_at)[0] == "its time is over"
    assert why(frozen=True) == ("the issuer has frozen the vault", None)
    assert why(config=replace(config, void=True))[0] == "bids were stopped during it: it takes no more"
    assert why(config=replace(config, pause_mask=2, pause_until=now + 5)) == (
        "the guardian stopped it",
        now + 5,
    )
    assert why(limits=BidLimits(6_500 * IO - 1, 0))[0].startswith(
        "6,500.00000000 IO is more than the limit of"
    )
    assert why(inventory=6_500 * IO - 1)[0].startswith("6,500.00000000 IO is more than the 6,499.99999999 at")
    assert why(said=quote(2 * IO))[0].endswith(": this auction stays above that")
    assert decide.bid(open_view, good, BidLimits(6_500 * IO, 0), 6_500 * IO).due


def test_the_number_is_the_one_to_start():
    world = BuybackWorld.ready()
    world.start(1_000 * USDC)
    world.chain.advance(DAY)
    world.do(buyback.close_auction(0))
    view = finish(read_view(world.chain))
    assert (decide.start(view).due, decide.start(view).number) == (True, 1)
