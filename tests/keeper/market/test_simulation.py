"""The price among agents: where it comes to, what a seed gives, and what the command's findings say of it.

benches/month.py plays a month with several seeds; games are in test_games.py.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from hashlib import sha256

import numpy as np
import pytest

from keeper.economy.orders import TICK
from keeper.market.price import Rule
from keeper.market.simulation.findings import filled, game, periods
from keeper.market.simulation.outcome import Outcome
from keeper.market.simulation.play import play
from keeper.market.simulation.scenario import ONE, Attack, Scenario, Shock
from keeper.market.simulation.town import BEGINS, TICKS, Town
from keeper.market.snapshot import Out

DAY = 24
CALM = Scenario(days=6, devices=150, shocks=())


@cache
def played(scenario: Scenario) -> Outcome:
    return play(scenario)


def level(outcome: Outcome) -> float:
    """The mean price of the last three days, in units."""
    return sum(outcome.prices[-3 * DAY :]) / (3 * DAY) / ONE


def test_the_same_seed_is_the_same_market_to_the_last_digit():
    """The figures are those of every machine: whoever proposes something names a seed."""
    found = play(Scenario(days=2, devices=100))
    digest = sha256(repr((found.prices, found.used, found.profits.tolist())).encode()).hexdigest()
    assert found.prices[:6] == FIRST_PRICES
    assert (found.wanted, found.filled, found.surplus, found.spent) == FIGURES
    assert digest[:16] == DIGEST


FIRST_PRICES = [1_000_000, 1_000_000, 879_200, 777_564, 687_833, 614_922]
FIGURES = (423, 319, 2_004_956_108, 0)
DIGEST = "70a31137ebd53627"


def test_another_seed_is_another_market():
    assert play(Scenario(days=1, seed=2)).prices != play(Scenario(days=1)).prices


def test_wherever_it_starts_it_comes_to_the_same_price():
    settled = [level(played(replace(CALM, start=start))) for start in (ONE // 2, ONE, 4 * ONE)]
    assert max(settled) / min(settled) < 1.03


def test_it_leaves_room_for_who_comes_next():
    """Of all devices, the dear ones too, half are hired, and three of four places are filled."""
    found = played(CALM)
    assert 0.6 < level(found) < 0.8
    assert 450 < sum(found.used[-72:]) / 72 < 600
    assert filled(found) > 75


def test_a_price_doubles_with_what_everything_is_worth():
    """IO at half in the middle of it: within a day the price is there, with nobody's exchange rate."""
    halved = played(replace(CALM, shocks=(Shock(3, 100, 2),))).prices[4 * DAY : 6 * DAY]
    assert 1.9 < sum(halved) / sum(played(CALM).prices[4 * DAY : 6 * DAY]) < 2.1


def test_no_hour_moves_it_by_more_than_an_eighth():
    wild = play(Scenario(days=4, devices=100, shocks=(Shock(1, 10), Shock(2, 200, 4)), start=4 * ONE))
    for before, after in zip(wild.prices, wild.prices[1:], strict=False):
        assert abs(after - before) <= before // 8 + 1
    # It never leaves the class's bounds.
    assert 4 * ONE // 10 <= min(wild.prices) <= max(wild.prices) <= 40 * ONE


@pytest.mark.parametrize(
    ("rule", "is_so"),
    [
        (Rule(step=0), lambda before, after: set(after.prices) == {ONE}),
        (Rule(step=300), lambda before, after: after.prices[12] > 1.5 * before.prices[12]),
        (Rule(target=5_000), lambda before, after: level(after) > 1.1 * level(before)),
        (Rule(thin=1_000_000), lambda before, after: min(after.prices) > 0.99 * ONE),
    ],
    ids=["it stands still", "slower", "more is free", "all classes are thin"],
)
def test_another_rule_is_another_price(rule, is_so):
    short = replace(CALM, days=4)
    assert is_so(played(short), played(replace(short, rule=rule)))


def test_what_is_left_of_a_town_adds_up():
    """Nobody has two leases, and hired devices are those with one."""
    town = Town(Scenario())
    town.ask(town.costs, ~town.own)
    for tick in range(BEGINS * TICKS, BEGINS * TICKS + 400):
        town.begin(tick * TICK)
        assert ((town.devices["out"] == Out.HIRED) == (town.until > town.now)).all()
        for order in town.waiting:
            for device in np.flatnonzero(town.is_free())[: order.open].tolist():
                town.lease(order, device)
    assert 20 < town.outcome.filled == town.outcome.wanted
    assert 10 < np.count_nonzero(town.until > town.now) < town.outcome.filled


def test_periods_are_those_between_shocks():
    """Their level is taken after three days where there are more."""
    scenario = Scenario(days=10, shocks=(Shock(8, 50), Shock(40, 1)))
    outcome = Outcome(prices=[ONE] * 72 + [2 * ONE] * 120 + [4 * ONE] * 47 + [3 * ONE], used=[500] * 240)
    first, second = periods(scenario, outcome)
    assert (first.day, first.until, first.price, first.hours_to, first.used) == (0, 8, 2.0, 72, 50.0)
    assert (first.deviation, first.move) == (0, 0)
    assert (second.day, second.until, second.hours_to) == (8, 10, 0)
    assert second.price == pytest.approx((47 * 4 + 3) / 48)


def test_what_a_game_costs_is_in_its_gain():
    scenario = replace(CALM, attack=Attack.SELF_HIRE, share=10)
    before, after = played(CALM), played(scenario)
    found = game(scenario, before, after)
    own = scenario.own
    assert own == 15
    assert found.gain == pytest.approx(
        (after.profits[:own].sum() - before.profits[:own].sum() - after.spent) / own / ONE
    )
    assert found.honest == pytest.approx(before.profits[:own].sum() / own / ONE)
    assert found.others == pytest.approx((after.profits - before.profits)[own:].sum() / 135 / ONE)
    assert (found.served, found.filled < 0, found.surplus < 0) == (-100, True, True)
