"""Turns by the clock, and what an early end or a cancelled order costs, as properties of the rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.economy.calendar import HOUR
from keeper.economy.orders import (
    FIRST,
    MIN_TAIL,
    REACH,
    TICK,
    TURN,
    EndReason,
    cancel_fee,
    cost,
    earned,
    fee,
    principal,
    renter_fee,
    tick_ends,
    tick_to_match,
    turn_opens,
)

MOST = 12
"""Operators that there can be."""
operators = st.integers(1, MOST)
ticks = st.integers(1, 10**8)
rates = st.integers(1, 10**12)
rates_bps = st.integers(0, 1_100)


@given(tick=ticks, count=operators)
def test_each_operator_has_one_turn_in_a_tick_and_they_come_one_after_another(tick: int, count: int) -> None:
    opens = {operator: turn_opens(tick, operator, count) - tick * TICK for operator in range(count)}
    assert opens[tick % count] == FIRST, "its leader is the first"
    assert sorted(opens.values()) == [FIRST + TURN * place for place in range(count)]
    for operator, at in opens.items():
        after = opens[(operator + 1) % count]
        assert after in (at + TURN, FIRST)
    assert max(opens.values()) <= REACH - TICK, "everybody's turn lasts longer than until the next tick"


@given(now=st.integers(10**6, 10**9), age=st.integers(0, 600), count=operators, who=st.integers(0, MOST - 1))
def test_the_tick_to_match_is_the_newest_that_may_be(now: int, age: int, count: int, who: int) -> None:
    operator, created = who % count, now - age
    allowed = [
        tick
        for tick in range((now - 2 * REACH) // TICK, now // TICK + 3)
        if created < tick * TICK and turn_opens(tick, operator, count) <= now <= tick_ends(tick)
    ]
    assert tick_to_match(operator, count, created, now) == max(allowed, default=None)
    # Two minutes after its opening everybody may match an order at any second.
    assert age <= REACH or allowed


@given(
    rate=rates,
    hours=st.integers(1, 8_760),
    seconds=st.integers(0, 8_760 * HOUR),
    bps=rates_bps,
    reason=st.sampled_from(list(EndReason)),
)
def test_a_fee_follows_service(rate: int, hours: int, seconds: int, bps: int, reason: EndReason) -> None:
    seconds = min(seconds, hours * HOUR)
    charged, whole = renter_fee(rate, hours, seconds, reason, bps), cost(rate, hours, bps)
    served = earned(rate, seconds)
    assert fee(served, bps) <= charged <= whole - principal(rate, hours)
    if reason in (EndReason.SUPPLIER, EndReason.FAULT):
        assert charged == fee(served, bps)
    elif reason == EndReason.RENTER:
        assert charged - fee(served, bps) <= fee(earned(rate, MIN_TAIL), bps)
    else:
        assert served + charged + (principal(rate, hours) - served) == whole


@pytest.mark.parametrize(
    ("seconds", "charged"), [(HOUR, 25), (6 * HOUR, 30), (6 * HOUR - 1, 30), (7 * HOUR, 30), (30 * HOUR, 30)]
)
def test_the_tail_is_a_day(seconds: int, charged: int) -> None:
    """Of 30 hours at 3,600 for each, a base unit a second, and a percent."""
    found = renter_fee(HOUR, 30, seconds, EndReason.RENTER, 100)
    assert abs(found - charged * 36) <= 1
    assert found == fee(min(30 * HOUR, seconds + MIN_TAIL), 100)


@given(rate=rates, places=st.integers(0, 10_000), bps=rates_bps, free=st.integers(0, 10**18))
def test_giving_places_up_costs_an_hours_fee_of_each_at_most(
    rate: int, places: int, bps: int, free: int
) -> None:
    charged = cancel_fee(rate, places, bps, free)
    assert charged <= free
    assert charged in (free, fee(rate * places, bps))
