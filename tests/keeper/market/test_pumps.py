"""What attacks on the price's rule come to: a class of a thousand processors, hour by hour, in integers.

Demand falls as the price rises, supply rises with it, and both cross at the target where the price is 1 IO.
The figures are those of docs/market.md; an attack that a rule without processor counts falls to is run on
that one, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import pytest

from keeper.economy.classes import MAX_PRICE, next_price
from keeper.economy.orders import Currency
from keeper.economy.supply import IO
from keeper.market.assignment import assign
from keeper.market.price import SAMPLES, TARGET, Sample, hour_step, total, utilisation
from keeper.market.sampling import RIPE, sample
from tests.keeper.market.tables import market
from tests.keeper.market.ticks import NOW, device, got, order, tick

DAY, WEEK = 24, 24 * 7
"""Hours."""
ORDERED, RARE = 0, 7
"""Processor counts: devices with one, which everybody orders, and with eight, which nobody does."""


def by_count(ordered: int, rare: int = 0) -> tuple[int, ...]:
    found = [0] * 8
    found[ORDERED] += ordered
    found[RARE] += rare
    return tuple(found)


@dataclass(frozen=True)
class Market:
    """Honest processors, those of an attacker, and what is wanted at 1 IO, in percent of the usual."""

    honest: int = 1_000
    own_hired: int = 0
    own_idle: int = 0
    demand: int = 100
    worth: int = 1
    """How many IO are what one was: all asks, and all that renters can pay."""
    tides: bool = True
    """Whether demand swings by 35 % in a day."""
    counts: bool = True
    """Whether processor counts are counted apart."""

    def willing(self, price: int) -> int:
        """Honest processors whose asks are met: 74 % at 1 IO, none below a fifth of it."""
        above = price - self.worth * IO // 5
        return max(0, min(self.honest, self.honest * 74 * above // (80 * self.worth * IO)))

    def wanted(self, price: int, hour: int) -> int:
        """Seven tenths of what is willing at 1 IO, half of it at 2 IO."""
        swing = 100 + (35 - abs(hour % DAY - 12) * 70 // 12 if self.tides else 0)
        return 518 * self.demand * self.worth * IO * swing // (price * 10_000)

    def hour(self, price: int, hour: int) -> Sample:
        """The sum of an hour's samples, which are all the same."""
        willing, wanted = self.willing(price), self.wanted(price, hour)
        hired = min(willing, wanted)
        split = [(hired, self.own_hired), (willing - hired, self.own_idle)]
        in_use, idle = (by_count(*each) if self.counts else by_count(sum(each)) for each in split)
        nothing = sum(in_use) + sum(idle) == 0
        size = self.honest + self.own_hired + self.own_idle
        found = Sample(in_use, idle, min(wanted, self.honest) if nothing else 0, size)
        return total([found] * SAMPLES)

    def prices(self, price: int = IO) -> Iterator[int]:
        """The price in each hour, from one at the start; an hour's step holds from the one after the next."""
        coming = price
        for hour in range(10**6):
            yield price
            step = hour_step(self.hour(price, hour))
            price, coming = coming, next_price(coming, step, 1, MAX_PRICE)

    def mean(self) -> int:
        """The price in the second of two weeks."""
        return sum(islice(self.prices(), WEEK, 2 * WEEK)) // WEEK


CALM = Market()


def times(attacked: Market) -> float:
    """By how much the price is higher than without the attack."""
    return attacked.mean() / CALM.mean()


def test_left_alone_it_stays_where_supply_and_demand_meet():
    assert utilisation(replace(CALM, tides=False).hour(IO, 0)) == TARGET
    steady = list(islice(replace(CALM, tides=False).prices(), 2 * WEEK))
    assert set(steady) == {IO}
    assert 1.0 < CALM.mean() / IO < 1.03
    moving = list(islice(CALM.prices(), WEEK, 2 * WEEK))
    assert 0.8 < min(moving) / IO < max(moving) / IO < 1.25, "it follows the day, and swings no further"


# -- one's own rare processor count ----------------------------------------------------------------


def test_to_hire_ones_own_rare_devices_lifts_the_price_by_a_twentieth_or_less_than_a_half():
    """With 5 and with 30 % of devices; no more than if processor counts weren't looked at apart."""
    assert 1.03 < times(Market(honest=950, own_hired=50)) < 1.05
    assert 1.34 < times(Market(honest=700, own_hired=300)) < 1.48
    for own in (50, 300):
        counted, plain = (Market(1_000 - own, own_hired=own, counts=each) for each in (True, False))
        assert counted.mean() <= plain.mean()


def test_idle_devices_of_a_rare_count_do_not_kill_the_class():
    """30 % that ask 1, and that nobody orders: without counts apart the price falls to its lowest."""
    attacked = Market(honest=700, own_idle=300)
    assert 0.58 < times(attacked) < 1.0
    assert attacked.willing(attacked.mean()) > 400
    assert 0.98 < times(Market(honest=950, own_idle=50)) < 1.02
    assert replace(attacked, counts=False).mean() == 1


# -- orders and terms, in a tick's own tables ----------------------------------------------------

AT_100 = {1: (100, 100)}
BUSY = [{"hired": True}] * 7 + [{"ask_io": 100, "ask_usdc": 0}] * 3 + [{"ask_io": 101}] * 2
FAKE = [
    {"created_at": NOW - 600, "open": 10_000, "limit": 10**15, "processors": each, "currency": currency}
    for each in range(1, 9)
    for currency in (0, 1)
]
"""Orders for everything, at any price."""


def counted(of_devices: list[dict], of_orders: list[dict]) -> dict:
    return dict(sample(market(of_devices, of_orders, AT_100)))


@pytest.mark.parametrize("there", [BUSY, BUSY[6:8], BUSY[7:8], []], ids=["busy", "thin", "idle", "nobody"])
def test_fake_orders_move_no_price(there):
    assert counted(there, FAKE) == counted(there, [])


def test_fake_orders_bring_a_dead_class_to_its_lowest_ask_and_no_further():
    """They are like real ones there, and real ones find a device from then on."""
    price, seen = 100, set()
    for _ in range(WEEK):
        found = sample(market([{"ask_io": 1_000, "processors": 8}] * 8, FAKE, {1: (price, 0)}))
        price = next_price(price, hour_step(total([*found.values()] * SAMPLES)), 1, MAX_PRICE)
        seen.add(price)
    assert 1_000 <= max(seen) <= 1_125
    assert price > 850, "and it stays there"


def test_terms_touched_all_the_time_stay_idle():
    """A device whose terms are too young for most orders counts like any other that is free."""
    touched = [{**each, "changed_at": NOW - 1} for each in BUSY]
    assert counted(touched, []) == counted(BUSY, [])


def test_who_asks_more_is_not_idle_but_makes_no_class_thin():
    asks_more = [{**each, "ask_io": 101, "ask_usdc": 101} for each in BUSY]
    for honest, found in zip(counted(BUSY, []).items(), counted(asks_more, []).items(), strict=True):
        cell, each = found
        assert (sum(each.hired), sum(each.idle)) == (7, 0), cell
        assert each.size == 12 >= honest[1].size


@pytest.mark.parametrize("seconds", [0, 29, 60, 61, 299])
def test_orders_that_come_and_go_around_a_sample_are_none(seconds):
    """Whoever opens orders in each five minutes and cancels them pays for that, and moves nothing."""
    brief = [{**each, "created_at": NOW - seconds - 1} for each in FAKE]
    for there in (BUSY, BUSY[7:8]):
        assert counted(there, brief) == counted(there, [])
    asks_more = [{"ask_io": 101, "ask_usdc": 101}] * 3
    unmet = [each.unmet for each in counted(asks_more, brief).values()]
    assert unmet == ([3, 3] if seconds >= RIPE else [0, 0]), "where nothing is to be had they count when ripe"


def test_who_owns_a_class_whole_sets_its_price_and_orders_for_show_are_no_help():
    """Nothing is hired or idle below its ask, whoever wants it: unmet wishes raise the price to the ask."""
    found = []
    for wanted in (FAKE, [{"created_at": NOW - 600, "limit": 10**9}]):
        price = 100
        for _ in range(80):
            now = sample(market([{"ask_io": 500}] * 8, wanted, {1: (price, 0)}))[1, Currency.IO]
            price = next_price(price, hour_step(total([now] * SAMPLES)), 1, MAX_PRICE)
            if price >= 500:
                break
        found.append(price)
    assert all(500 <= each < 516 for each in found)


@pytest.mark.parametrize("parts", [1, 2, 5, 10])
def test_an_order_in_many_parts_gets_what_it_would_get_whole(parts):
    """Nor does it pay less: every device is matched at the price, before the same other orders."""
    devices = [device(each, idle_since=NOW - 100 - each) for each in range(12)]
    others = [order("earlier", created_at=NOW - 90, open=3), order("later", created_at=NOW - 30, open=4)]
    mine = [order(f"part {each}", created_at=NOW - 60, open=10 // parts) for each in range(parts)]
    got_by = got(assign(tick(devices, [*others, *mine])))
    whole = {each for part in mine for each in got_by.get(part["order"], [])}
    assert len(whole) == 9
    assert whole == {each["device"] for each in sorted(devices, key=lambda one: one["idle_since"])[3:]}
    assert len(got_by[others[0]["order"]]) == 3
    assert others[1]["order"] not in got_by


# -- coming back -----------------------------------------------------------------------------------


def hours_to(market: Market, start: int, goal: int) -> int:
    """Until the price has passed a goal."""
    found = enumerate(market.prices(start))
    return next(hour for hour, price in found if price >= goal > start or price <= goal < start)


@pytest.mark.parametrize(("processors", "fewest", "most"), [(32, 22, 31), (8, 49, 143)])
def test_a_class_whose_price_is_below_all_asks_comes_back(processors, fewest, most):
    """Its lowest ask is sixteen times the price. A thin one needs longer."""
    lowest = IO // 5
    found = hours_to(Market(honest=processors, demand=processors), lowest // 16, lowest)
    assert fewest <= found <= most


def test_after_a_shock_the_new_price_is_there_within_hours():
    """The token halves; more than half of the demand goes away. Within ten percent, by the hour."""
    halved, less = Market(worth=2, tides=False), Market(demand=45, tides=False)
    assert hours_to(halved, IO, 2 * IO * 9 // 10) <= 7
    assert abs(halved.mean() - 2 * IO) < IO // 100
    assert hours_to(less, IO, less.mean() * 11 // 10) <= 14


def test_wherever_it_starts_it_comes_to_the_same():
    means = [list(islice(CALM.prices(start), 3 * WEEK))[-1] for start in (IO // 4, IO, 4 * IO)]
    assert max(means) - min(means) <= max(means) // 100
