"""Amounts in decimals: read exactly or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.economy.money import U64_MAX, AmountError, parse, show
from keeper.economy.orders import Currency
from keeper.economy.supply import io

IO, USDC = Currency.IO, Currency.USDC


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("0", IO, 0),
        ("2.5", IO, 250_000_000),
        ("2.5", USDC, 2_500_000),
        ("0.00000001", IO, 1),
        ("1.5000000000", USDC, 1_500_000),
        ("184467440737.09551615", IO, U64_MAX),
        # As a float this is another amount.
        ("90071992547.40993", IO, 9_007_199_254_740_993_000),
    ],
)
def test_what_is_read(text, currency, amount):
    assert parse(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.0000001", "can't be paid exactly: USDC has 6 decimals"),
        ("18446744073709.551616", "more than an account can hold"),
        *[
            (text, "is not an amount of USDC")
            for text in ("2,5", "1,000", "-1", "1e3", ".5", "5.", "", " 1", "\u0661")
        ],
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(AmountError, match=message):
        parse(text, USDC)


@given(st.integers(0, U64_MAX), st.sampled_from(Currency))
def test_what_is_shown_is_read_again(amount, currency):
    assert parse(show(amount, currency).replace(",", ""), currency) == amount


@pytest.mark.parametrize(
    ("amount", "decimals", "shown"),
    [
        (-60_600_000, 8, "-0.60600000"),
        (-150_000_000_000, 2, "-1,500.00"),
        (199_999_999, 2, "1.99"),
        (-1, 0, "-0"),
    ],
)
def test_an_amount_that_somebody_has_less_has_its_sign_alone(amount, decimals, shown):
    assert io(amount, decimals) == shown
