"""Prices over time, against the reference model's fractions and by brute force."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.economy.buyback import MAX_PRICE, USDC, Path, Standing, cost
from keeper.economy.supply import IO
from tests.model.buyback.program import price_at
from tests.model.buyback.rule import Rule
from tests.model.buyback.state import Auction, Params

LOTS = st.integers(1, 10_000_000 * USDC)
PRICES = st.integers(1, MAX_PRICE)


def path_of(lot: int, two: tuple[int, int], duration: int) -> Path:
    return Path(lot, max(two), min(two), 1_000, 1_000 + duration)


@given(lot=LOTS, two=st.tuples(PRICES, PRICES), duration=st.integers(1, 700_000), data=st.data())
def test_price_and_cost_are_the_exact_ones_rounded_up(lot, two, duration, data):
    path = path_of(lot, two, duration)
    now = 1_000 + data.draw(st.integers(0, duration - 1))
    exact = price_at(Auction(0, lot, path.start, path.floor, 1_000, path.ends_at), now)
    assert path.price(now) == ceil(exact)
    assert path.cost(now) == ceil(Fraction(lot * ceil(exact), USDC)) > 0


@given(two=st.tuples(st.integers(1, 60), st.integers(1, 60)), duration=st.integers(1, 40))
def test_the_second_at_which_a_price_is_reached(two, duration):
    path = path_of(USDC, two, duration)
    for wanted in range(62):
        seconds = (at for at in range(path.started_at, path.ends_at) if path.price(at) <= wanted)
        assert path.reaches(wanted) == next(seconds, None)


def test_no_price_outside():
    path = path_of(USDC, (8 * IO, 2 * IO), 100)
    assert (path.price(999), path.price(1_100), path.cost(1_100)) == (None, None, None)
    assert (path.price(1_000), path.price(1_099)) == (8 * IO, 2 * IO + 6 * IO // 100)


@pytest.mark.parametrize(
    ("reference", "anchor", "least", "expected"),
    [
        (4 * IO, 0, 1, (8 * IO, 2 * IO)),
        (4 * IO, 4 * IO, 1, (8 * IO, 2 * IO)),
        (IO, 4 * IO, 1, (8 * IO, IO // 2)),
        (5 * IO, 4 * IO, 1, (10 * IO, 250_000_000)),
        (4, 4 * IO, 1, (512, 2)),
        (3, 3, 1, (6, 1)),
        (1, 1, 1, (2, 1)),
        (3, 3, 100, (100, 100)),
        (MAX_PRICE, MAX_PRICE, 1, (MAX_PRICE, MAX_PRICE // 2)),
    ],
)
def test_the_next_auctions_prices(reference, anchor, least, expected):
    assert Standing(reference, anchor, 10_000).prices(20_000, 5_000, least) == expected


@given(
    reference=PRICES,
    anchor=PRICES | st.just(0),
    share=st.integers(100, 10_000),
    vault=LOTS,
    max_lot=LOTS,
    least=PRICES,
    bps=st.tuples(st.integers(11_000, 50_000), st.integers(1_000, 9_000)),
)
def test_the_next_auction_is_the_models(reference, anchor, share, vault, max_lot, least, bps):
    min_lot = min(vault, max_lot, 100 * USDC)
    params = Params(max_lot, min_lot, least, start_bps=bps[0], floor_bps=bps[1])
    model, found = Rule(params, reference, anchor, share), Standing(reference, anchor, share)
    assert found.prices(*bps, least) == (model.start_price(), model.floor_price())
    assert found.share_bps == model.share()
    assert found.lot(vault, min_lot, max_lot) == model.lot(vault) <= vault


def test_a_cost_is_never_0():
    assert (cost(1, 1), cost(USDC, 1), cost(USDC + 1, 1)) == (1, 1, 2)
