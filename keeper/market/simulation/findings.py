"""What a simulation shows: where the price settles, how fast it follows, who gains and loses by a game."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log
from statistics import fmean, pstdev

from keeper.economy.calendar import DAY, HOUR
from keeper.market.simulation.outcome import Outcome
from keeper.market.simulation.scenario import ONE, Scenario

SETTLED = 3
"""Days after which a period's level is taken, of one that is longer."""
HOURS = DAY // HOUR


@dataclass(frozen=True, slots=True)
class Period:
    """From a shock's day to the next one's, ``until`` without it.

    ``price`` is the level that it comes to, in units, ``used`` percent of all devices, ``deviation`` that of
    the price's logarithm, ``move`` the mean move from hour to hour in percent, ``hours_to`` the hours until
    the price is within a tenth of the level, None where it never is.
    """

    day: int
    until: int
    price: float
    used: float
    deviation: float
    move: float
    hours_to: int | None


@dataclass(frozen=True, slots=True)
class Game:
    """What an attack brings a device against the same one honest, in units over the whole time.

    ``spent`` is what attackers' orders cost them, which is in ``gain``; ``honest`` what the device earns
    otherwise. ``others`` is what the others gain, ``surplus`` by how many percent renters have more,
    ``price`` how many times as high the price is, ``served`` percent by which attackers serve more hours.
    """

    gain: float
    spent: float
    honest: float
    others: float
    surplus: float
    price: float
    served: float
    filled: float


def periods(scenario: Scenario, outcome: Outcome) -> list[Period]:
    """Those between shocks that are within the time."""
    days = sorted({0, *(each.day for each in scenario.shocks if each.day < scenario.days)})
    return [_period(outcome, *both) for both in pairwise([*days, scenario.days])]


def _period(outcome: Outcome, day: int, until: int) -> Period:
    first = day + SETTLED if until - day > SETTLED else day
    prices, used = (each[first * HOURS : until * HOURS] for each in (outcome.prices, outcome.used))
    level, logs = fmean(prices), [log(each) for each in prices]
    near = (abs(each - level) <= level / 10 for each in outcome.prices[day * HOURS : until * HOURS])
    return Period(
        day=day,
        until=until,
        price=level / ONE,
        used=fmean(used) / 10,
        deviation=pstdev(logs),
        move=100 * fmean(abs(after - before) for before, after in pairwise(logs)),
        hours_to=next((hour for hour, is_near in enumerate(near) if is_near), None),
    )


def filled(outcome: Outcome) -> float:
    """Percent of honest orders' places."""
    return 100 * outcome.filled / max(1, outcome.wanted)


def game(scenario: Scenario, honest: Outcome, after: Outcome) -> Game:
    """The same people with and without an attack; an attacker without devices is one."""
    own, count = scenario.own, scenario.devices
    more = after.profits - honest.profits
    mine = max(1, own)
    hours = int(honest.served[:own].sum())
    return Game(
        gain=(int(more[:own].sum()) - after.spent) / mine / ONE,
        spent=after.spent / mine / ONE,
        honest=int(honest.profits[:own].sum()) / mine / ONE,
        others=int(more[own:].sum()) / max(1, count - own) / ONE,
        surplus=100 * (after.surplus / honest.surplus - 1) if honest.surplus else 0.0,
        price=sum(after.prices) / sum(honest.prices),
        served=100 * (int(after.served[:own].sum()) / hours - 1) if hours else 0.0,
        filled=filled(after) - filled(honest),
    )
