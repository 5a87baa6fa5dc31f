"""A class's price as a pure function, beside the model's own, and what holds of it whatever is announced."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from keeper.clients import staking as client
from keeper.economy.classes import MAX_PRICE, MAX_STEP, Bounds, next_price
from keeper.economy.orders import Currency
from tests.model.staking.state import CURRENCIES, STALE
from tests.model.staking.state import Class as ModelClass

HOUR = 3_600
FIRST = 500_000
"""The first hour that prices are announced for here, unix time over 3,600."""
NAMES = [f"{end}_{currency}" for currency in CURRENCIES for end in ("low", "high")]
steps = st.integers(-MAX_STEP, MAX_STEP)
amounts = st.one_of(st.integers(1, 100), st.integers(1, MAX_PRICE))
times = st.integers(FIRST * HOUR, (FIRST + 5) * HOUR)


@st.composite
def bounds(draw: st.DrawFn) -> tuple[int, int]:
    """Those of a currency, which a class isn't leased for now and then."""
    if draw(st.integers(0, 9)) == 0:
        return 0, 0
    low, high = sorted((draw(amounts), draw(amounts)))
    return low, high


@st.composite
def classes(draw: st.DrawFn) -> ModelClass:
    """A class in whose account anything is written that can be."""
    row = ModelClass(1, b"X" * 24, 100, 0, 0)
    for currency in CURRENCIES:
        low, high = draw(bounds())
        setattr(row, f"price_{currency}", draw(st.integers(low, high)))
        next_low, next_high = draw(bounds())
        for end, value in (("low", low), ("high", high), ("next_low", next_low), ("next_high", next_high)):
            setattr(row, f"{end}_{currency}", value)
        setattr(row, f"next_{currency}", draw(steps))
    row.price_hour = draw(st.sampled_from((0, FIRST, FIRST + 1)))
    on_the_hour = draw(st.integers(0, 4))
    row.bounds_at = draw(st.sampled_from((0, (FIRST + on_the_hour) * HOUR, draw(times))))
    if not row.bounds_at:
        for name in NAMES:
            setattr(row, f"next_{name}", 0)
    if not row.price_hour:
        row.next_io = row.next_usdc = 0
    return row


def on_chain(row: ModelClass) -> client.Class:
    """The account of it, as the client reads it."""
    fields = {name: getattr(row, name) for name in client.Class.__dataclass_fields__ if hasattr(row, name)}
    following = Bounds(**{name: getattr(row, f"next_{name}") for name in NAMES})
    now = Bounds(**{name: getattr(row, name) for name in NAMES})
    return client.Class(**{**fields, "name": "X", "bounds": now, "next_bounds": following})


@given(classes(), times)
def test_the_client_and_the_model_have_the_same_price(row: ModelClass, now: int) -> None:
    for currency, name in zip(Currency, CURRENCIES, strict=True):
        found = on_chain(row).price(currency, now)
        assert found.amount == row.price_of(name, now)
        assert (found.low, found.high) == row.bounds_of(name, now)
        assert found.is_stale == row.is_stale(now)
        assert found.is_stale == (row.price_hour > 0 and now >= (row.price_hour + 2) * HOUR + STALE)


@given(classes(), times, times)
def test_writing_down_what_holds_changes_no_price(row: ModelClass, now: int, later: int) -> None:
    """Neither that of now nor one to come: what is announced holds by itself."""
    written = replace(row)
    written.fold(min(now, later))
    for name in CURRENCIES:
        for at in (min(now, later), max(now, later)):
            assert written.price_of(name, at) == row.price_of(name, at)
            assert written.bounds_of(name, at) == row.bounds_of(name, at)


@given(classes(), times)
def test_a_price_is_within_its_bounds_and_nothing_only_where_they_are(row: ModelClass, now: int) -> None:
    for currency in Currency:
        found = on_chain(row).price(currency, now)
        assert found.low <= found.amount <= found.high
        assert (found.amount == 0) == (found.high == 0)


@given(amounts, steps, steps)
def test_a_step_moves_a_price_by_an_eighth_at_most(price: int, step: int, other: int) -> None:
    """And a higher step never to a lower price."""
    after = next_price(price, step, 1, 2 * MAX_PRICE)
    assert -(price // 8) - 1 <= after - price <= price // 8 + 1
    assert after >= 1
    assert (after - price) * step >= 0
    low, high = sorted((step, other))
    assert next_price(price, low, 1, 2 * MAX_PRICE) <= next_price(price, high, 1, 2 * MAX_PRICE)
    assert next_price(0, step, 0, 0) == 0


@given(st.lists(steps, max_size=60), amounts, bounds())
def test_no_sequence_of_steps_leaves_the_bounds(each: list[int], price: int, of: tuple[int, int]) -> None:
    low, high = of
    price = max(low, min(high, price))
    for step in each:
        price = next_price(price, step, low, high)
        assert low <= price <= high
