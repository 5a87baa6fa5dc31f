"""Priority fees: others' offers, the highest price, the day's budget; all in integers."""

import pytest

from keeper.chain.fees import FeePolicy, priority_fee

POLICY = FeePolicy(percentile=60, highest=1_000, daily=10_000)


@pytest.mark.parametrize(
    ("recent", "price"),
    [
        ([], 0),
        ([0, 0, 0], 0),
        ([7], 7),
        ([0, 0, 10, 20, 30, 40, 50], 40),
        ([50, 40, 30, 20, 10], 40),
        ([5_000], 1_000),
    ],
)
def test_the_percentile_of_what_others_offered(recent, price):
    assert POLICY.price(recent, 200_000, expired=0, spent=0) == price


def test_each_expiry_raises_it_up_to_the_highest():
    prices = [POLICY.price([100], 200_000, expired=n, spent=0) for n in range(8)]
    assert prices == [100, 150, 225, 337, 505, 757, 1_000, 1_000]


@pytest.mark.parametrize(
    ("spent", "price"), [(0, 1_000), (9_800, 1_000), (9_900, 500), (10_000, 0), (20_000, 0)]
)
def test_the_days_budget(spent, price):
    assert POLICY.price([1_000], 200_000, expired=0, spent=spent) == price
    assert priority_fee(price, 200_000) <= max(0, POLICY.daily - spent)


@pytest.mark.parametrize(
    ("price", "units", "lamports"), [(0, 1, 0), (1, 1, 1), (1, 1_000_000, 1), (3, 500_000, 2)]
)
def test_what_a_price_costs_is_rounded_up(price, units, lamports):
    assert priority_fee(price, units) == lamports
