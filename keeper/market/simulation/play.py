"""A scenario from its first hour to its last."""

from __future__ import annotations

from collections.abc import Callable

from keeper.economy.calendar import DAY, HOUR
from keeper.economy.classes import next_price
from keeper.economy.orders import TICK
from keeper.market.assignment import assign
from keeper.market.price import hour_step, total
from keeper.market.simulation.attacks import BEHAVIOURS
from keeper.market.simulation.behaviour import Behaviour
from keeper.market.simulation.outcome import Outcome
from keeper.market.simulation.scenario import BOUND, Scenario
from keeper.market.simulation.town import BEGINS, TICKS, Town

Told = Callable[[int, int], None]
"""How far a simulation has come: hours that are done, and all of them."""


def play(scenario: Scenario, told: Told | None = None) -> Outcome:
    """What a scenario comes to.

    A step that follows from an hour holds from the one after the next, as on the chain.
    """
    town = Town(scenario)
    does = BEHAVIOURS[scenario.attack](town)
    bounds = max(1, scenario.start // BOUND), scenario.start * BOUND
    coming, hours = scenario.start, scenario.days * DAY // HOUR
    for hour in range(BEGINS, BEGINS + hours):
        if scenario.ends and hour == BEGINS + scenario.ends * DAY // HOUR:
            does = Behaviour(town)
        drawn, found = town.drawn(hour), []
        for tick in range(hour * TICKS, (hour + 1) * TICKS):
            town.begin(tick * TICK)
            if tick % TICKS == 0:
                town.ask(town.costs * town.worth, ~town.own)
                town.ask(does.asks(), town.own)
            does.tick()
            if tick in drawn:
                found.append(town.count())
            if town.can_match():
                _match(town, does)
        town.note(found)
        after = next_price(coming, hour_step(total(found), scenario.rule), *bounds)
        town.price, coming = coming, does.voted(coming, after)
        town.is_changed = True
        if told is not None:
            told(hour + 1 - BEGINS, hours)
    return town.outcome


def _match(town: Town, does: Behaviour) -> None:
    """The tick's batch; what isn't there any more is left out."""
    tick = does.seen(town.snapshot())
    town.is_changed = False
    matches = assign(tick)
    orders = {each.address: each for each in town.waiting}
    keys = (matches[name].tolist() for name in ("order", "device"))
    for of, which in zip(*keys, strict=True):
        order, device = orders.get(of.ljust(32, b"\0")), town.at[which.ljust(32, b"\0")]
        if order is None:
            continue
        if does.serves(device):
            town.lease(order, device)
        else:
            town.break_off(order, device)
