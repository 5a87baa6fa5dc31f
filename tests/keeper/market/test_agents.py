"""The price among agents, for ten days: where it comes to, and that no game of a few is worth it.

benches/month.py plays a month with many seeds, and says by how much.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from tests.keeper.market.agents import HOURS_A_DAY, ONE, Ask, Outcome, Scenario, Shock, Town

HONEST = Scenario(days=10)


@cache
def played(scenario: Scenario) -> Outcome:
    return Town(scenario).run()


def level(outcome: Outcome) -> float:
    """The mean price of the last three days."""
    return sum(outcome.prices[-3 * HOURS_A_DAY :]) / (3 * HOURS_A_DAY)


def gain(ask: Ask, percent: int) -> tuple[float, float]:
    """What it brings the devices that do it, and what they earn otherwise: of all of them together."""
    own = HONEST.devices * percent // 100
    after, before = played(replace(HONEST, ask=ask, others=percent)), played(HONEST)
    usual = before.profits[:own].sum() / ONE
    return after.profits[:own].sum() / ONE - usual, usual


def test_the_same_seed_is_the_same_market():
    one, other = played(HONEST), Town(HONEST).run()
    assert (one.prices, one.used, one.surplus) == (other.prices, other.used, other.surplus)
    assert (one.wanted, one.filled) == (other.wanted, other.filled)
    assert (one.profits == other.profits).all()


def test_wherever_it_starts_it_comes_to_the_same_price():
    settled = [level(played(replace(HONEST, start=start))) for start in (ONE // 4, ONE, 4 * ONE)]
    assert max(settled) / min(settled) < 1.03


def test_it_leaves_room_for_who_comes_next():
    """Of willing devices seven tenths are hired, and three of four places are filled."""
    found = played(HONEST)
    assert 0.55 < level(found) / ONE < 0.75
    assert 450 < sum(found.used[-72:]) / 72 < 600, "of all devices, the dear ones too"
    assert found.filled > 0.75 * found.wanted


def test_it_doubles_with_what_everything_is_worth():
    """IO at half in the middle of it: within a day the price is there, with nobody's exchange rate."""
    halved = played(replace(HONEST, shocks=(Shock(5, 100, 2),)))
    day = halved.prices[6 * HOURS_A_DAY : 7 * HOURS_A_DAY]
    before = played(HONEST).prices[6 * HOURS_A_DAY : 7 * HOURS_A_DAY]
    assert 1.9 < sum(day) / sum(before) < 2.1


def test_no_hour_moves_it_by_more_than_an_eighth():
    wild = played(replace(HONEST, shocks=(Shock(2, 10, 1), Shock(4, 200, 4)), start=4 * ONE))
    for one, other in zip(wild.prices, wild.prices[1:], strict=False):
        assert abs(other - one) <= one // 8 + 1


@pytest.mark.parametrize("ask", [Ask.ABOVE, Ask.LEAVES])
def test_who_is_never_there_earns_nothing(ask):
    got, usual = gain(ask, 5)
    assert got == pytest.approx(-usual)


def test_to_ask_the_price_itself_changes_nothing():
    assert gain(Ask.PRICE, 5)[0] == 0
    assert played(replace(HONEST, ask=Ask.PRICE, others=5)).prices == played(HONEST).prices


@pytest.mark.parametrize("percent", [10, 30])
def test_who_hires_itself_loses_more_than_it_earned(percent):
    got, usual = gain(Ask.HIRES_ITSELF, percent)
    assert got < -usual < 0


def test_who_works_below_its_costs_loses():
    got, usual = gain(Ask.HALF, 5)
    assert got < -usual / 4
