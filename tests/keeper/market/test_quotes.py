"""What an order's leases will cost: from now to the end of its matching, whatever changes in between."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.clients.orders import Terms
from keeper.clients.staking import Class
from keeper.economy.calendar import HOUR, moment
from keeper.economy.classes import STALE, Bounds
from keeper.economy.orders import Currency, place
from keeper.market.quotes import NoPrice, limit, most, outlook, quote
from keeper.terminal.market import announced_bounds
from tests.keeper.economy.test_prices import FIRST, classes, on_chain
from tests.model.staking.state import CURRENCIES
from tests.model.staking.state import Class as ModelClass

START = 500_000 * HOUR
"""An hour's beginning."""
WINDOW = 20 * 60
WIDE = Bounds(1, 10_000, 1, 10_000)
TERMS = Terms(price=1_000, hours=10, devices=2, processors=4, classes=(1,))


def of_class(**changed: object) -> Class:
    """A class at 1,000 in IO and 2,000 in USDC, about which nothing is announced."""
    fields = {
        "id": 1,
        "name": "RTX 4090",
        "multiplier": 125,
        "pending_multiplier": 0,
        "pending_at": 0,
        "pool": 0,
        "kind": 0,
        "price_io": 1_000,
        "price_usdc": 2_000,
        "bounds": WIDE,
        "next_bounds": Bounds(),
        "bounds_at": 0,
        "opens_at": 0,
        "next_io": 0,
        "next_usdc": 0,
        "price_hour": 0,
    }
    return Class(**{**fields, **changed})  # type: ignore[arg-type]  # by their names


def prices(found: Class, now: int, currency: Currency = Currency.IO) -> list[tuple[int, int]]:
    quoted = quote(found, currency, now, now + WINDOW)
    return [(at - START, price.amount) for at, price in quoted.prices]


def test_a_price_that_nobody_moves_holds() -> None:
    assert prices(of_class(), START) == [(0, 1_000)]
    assert prices(of_class(), START, Currency.USDC) == [(0, 2_000)]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (-WINDOW, [(-WINDOW, 1_000)]),
        (-WINDOW + 1, [(-WINDOW + 1, 1_000), (0, 1_100)]),
        (-1, [(-1, 1_000), (0, 1_100)]),
        (0, [(0, 1_100)]),
    ],
)
def test_a_step_is_in_it_from_its_hour_on(now: int, expected: list[tuple[int, int]]) -> None:
    found = of_class(next_io=1_000, price_hour=START // HOUR - 2)
    assert prices(found, START + now) == expected


def test_bounds_that_change_are_in_it() -> None:
    found = of_class(next_bounds=Bounds(1_500, 2_000, 1, 10_000), bounds_at=START + 60)
    assert prices(found, START) == [(0, 1_000), (60, 1_500)]


@settings(deadline=None, max_examples=40)
@given(classes(), st.sampled_from((-2 * WINDOW, -WINDOW, 1 - WINDOW, -1, 0, 1)), st.integers(1, 3))
def test_the_highest_is_what_any_second_of_the_time_has(row: ModelClass, before: int, hours: int) -> None:
    """The price in force, and after what is announced: the model's, second by second."""
    now = (FIRST + hours) * HOUR + before
    for currency, name in zip(Currency, CURRENCIES, strict=True):
        found = quote(on_chain(row), currency, now, now + WINDOW)
        seconds = range(now, now + WINDOW)
        assert found.highest == max(row.price_of(name, at) for at in seconds)
        assert found.is_stale == any(row.is_stale(at) for at in seconds)


def test_the_limit_is_the_dearest_of_all_classes_at_any_time() -> None:
    found = [
        quote(each, Currency.IO, START - 60, START + 60)
        for each in (
            of_class(next_io=-1_000, price_hour=START // HOUR - 2),
            of_class(price_io=900, next_io=1_250, price_hour=START // HOUR - 2),
        )
    ]
    assert [each.highest for each in found] == [1_000, 1_013]
    assert limit(found) == 1_013


def test_what_no_limit_follows_from() -> None:
    stale = of_class(price_hour=(START - STALE) // HOUR - 2)
    assert quote(stale, Currency.IO, START, START + 1).is_stale
    assert quote(stale, Currency.IO, START - 60, START + 60).is_stale, "it will be"
    with pytest.raises(NoPrice, match="the price of RTX 4090 is stale"):
        limit([quote(stale, Currency.IO, START, START + 1)])
    none = of_class(price_usdc=0, bounds=Bounds(1, 10_000, 0, 0))
    with pytest.raises(NoPrice, match="RTX 4090 has no price in this currency"):
        limit([quote(none, Currency.USDC, START, START + 1)])


def test_the_most_that_a_device_costs_is_at_a_price_within_the_limit() -> None:
    found = [quote(of_class(price_io=each), Currency.IO, START, START + 1) for each in (400, 900, 1_001)]
    assert most(found, TERMS, 25) == place(900, 4, 10, 25)
    assert most(found[2:], TERMS, 25) == 0
    stale = quote(of_class(price_hour=1), Currency.IO, START, START + 1)
    assert most([stale], TERMS, 25) == place(1_000, 4, 10, 25), "an ask may be as high as the limit"


def test_announced_bounds_are_said_of_each_currency_until_they_hold() -> None:
    """A class gets others; one of them is the same as before."""
    found = of_class(next_bounds=Bounds(1_500, 2_000, 1, 10_000), bounds_at=START + 60)
    assert announced_bounds([outlook(found, each, START) for each in Currency]) == [
        f"RTX 4090 in IO: from {moment(START + 60)} on between 0.00001500 and 0.00002000.",
        f"RTX 4090 in USDC: from {moment(START + 60)} on between 0.000001 and 0.010000.",
    ]
    assert announced_bounds([outlook(found, each, START + 60) for each in Currency]) == []
    assert announced_bounds([outlook(of_class(), each, START) for each in Currency]) == []
