"""A device's reputation: golden figures, a second reading of the bound, and what holds of it always."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keeper.clients import buyback
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import Currency, Urgency, earned, fee
from keeper.market.reputation import FAIL, MOST, LeaseEnd, Reputation, fade, lower_bound, reputation, weight
from tests.keeper.market import independent
from tests.programs.orders.world import OrdersWorld

GOLDEN = json.loads((Path(__file__).parents[2] / "vectors/market_rule.json").read_text())
RATE, BPS = 800_000_000, 50
"""Four processors at 2 IO, and both sides' quarter of a percent."""


def ended(seconds: int, at: int = 0, rate: int = RATE, **changed: object) -> LeaseEnd:
    """A lease that served so long and paid all of its fees, each side's rounded up."""
    fees = 2 * fee(earned(rate, seconds), BPS // 2)
    return replace(LeaseEnd(at, seconds, fees, BPS, rate), **changed)  # type: ignore[arg-type]


# -- the bound and the weight ----------------------------------------------------------------------


def test_the_golden_bounds() -> None:
    for row in GOLDEN["lower_bound"]:
        bound = lower_bound(row["days"], FAIL * row["failures"])
        assert (bound, weight(bound)) == (row["bps"], row["weight"]), row


def test_the_golden_fading() -> None:
    for row in GOLDEN["fade"]:
        assert fade(row["milli"], row["days"]) == row["left"], row


@pytest.mark.parametrize("bad", [0, 1, 7, 8, 12, 40])
@pytest.mark.parametrize("good", [0, 1, 5, 30, 90])
def test_the_bound_is_the_last_that_the_distribution_is_below_in_one_of_twenty_cases(good, bad):
    """By the integral of its density; both ways to count, for more hits than misses and for fewer."""
    found = lower_bound(good, bad)
    at, after = (independent.beta_below(9 + good, 1 + bad, Fraction(x, 10_000)) for x in (found, found + 1))
    assert at <= Fraction(1, 20) < after


@settings(deadline=None)
@given(st.integers(0, MOST - 1), st.integers(0, 60))
def test_a_good_day_raises_it_and_a_failure_lowers_it(good, bad):
    assert lower_bound(good, bad) < lower_bound(good + 1, bad)
    assert lower_bound(good, bad) > lower_bound(good, bad + 1)


@given(st.integers(0, 10_000))
def test_the_weight_is_between_a_half_and_one(bound):
    assert 5_000 <= weight(bound) <= 10_000
    assert weight(bound) <= weight(min(10_000, bound + 1))


def test_ten_thousand_failures_are_no_work():
    """Both sums have a hundred terms at most, however many failures there are."""
    assert lower_bound(MOST, 8 * 10_000) == 10
    assert lower_bound(0, 8 * 10_000) == 0


# -- what a lease counts as ------------------------------------------------------------------------


@example(38_978, 1_999_294)
@given(st.integers(0, 8_760 * HOUR), st.integers(1, 10**16))
def test_with_all_of_its_fees_paid_a_lease_counts_for_its_time(seconds, rate):
    """However little it pays, and however that and its fees are rounded."""
    assert ended(seconds, rate=rate).fee_seconds == (seconds if rate * seconds // HOUR else 0)


@given(st.integers(0, 100 * HOUR), st.integers(0, 10**10), st.integers(1, 10**10), st.integers(0, 300))
def test_nothing_counts_for_more_than_its_time_or_its_fees(served, fees, hourly, bps):
    found = LeaseEnd(0, served, fees, bps, hourly).fee_seconds
    assert 0 <= found <= served
    assert earned(hourly, found) * bps <= fees * 10_000
    if fees and bps and found < served:
        assert earned(hourly, found + 1) * bps > fees * 10_000, "and for no less"


def test_a_lease_for_dust_counts_for_dust():
    """At a stale price somebody leases its own device a month for a thousandth of what it is worth."""
    month = ended(30 * DAY, rate=RATE // 1_000, hourly=RATE)
    assert (month.fee_seconds, month.good) == (30 * 86_400 // 1_000, 30)
    assert ended(30 * DAY).good == 30_000


def test_no_fee_is_no_reputation():
    assert LeaseEnd(0, DAY, 0, 0, RATE).good == 0
    assert LeaseEnd(0, DAY, 0, BPS, RATE).good == 0
    assert LeaseEnd(0, DAY, 10**9, BPS, 0).good == 0


@pytest.mark.parametrize(
    ("failed", "disputed", "bad"), [(0, 0, 0), (1, 0, 1_000), (0, 1, 500), (1, 1, 1_500)]
)
def test_failures_and_disputes(failed, disputed, bad):
    assert ended(DAY, failed=bool(failed), disputed=bool(disputed)).bad == bad


# -- over time -------------------------------------------------------------------------------------

ends = st.lists(
    st.builds(
        ended,
        st.integers(0, 60 * DAY),
        st.integers(0, 400 * DAY),
        failed=st.booleans(),
        disputed=st.booleans(),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(ends, st.randoms())
def test_a_reputation_is_the_same_in_whatever_order_and_steps_it_is_made(found, chance):
    now = 401 * DAY
    shuffled = list(found)
    chance.shuffle(shuffled)
    day_by_day = Reputation()
    for day in range(402):
        day_by_day = day_by_day.on(day)
        for end in found:
            if end.at // DAY == day:
                day_by_day = day_by_day.after(end)
    assert reputation(shuffled, now) == reputation(found, now) == day_by_day


@settings(deadline=None)
@given(ends, st.integers(0, 2_000))
def test_time_brings_every_reputation_back_to_the_prior(found, days):
    now = reputation(found, 401 * DAY)
    later = now.on(now.day + days)
    assert later.good <= now.good
    assert later.bad <= now.bad
    assert 5_000 < later.weight <= 9_850
    forgotten = now.on(now.day + 700)
    assert (forgotten.good, forgotten.bad, forgotten.weight) == (0, 0, 8_584)


def test_a_reputation_halves_in_thirty_days():
    """Good and bad: a failure weighs as eight days when it happens, and a month later as less than four."""
    found = reputation([ended(80 * DAY, failed=True)], 0)
    assert (found.good, found.bad) == (80_000, 1_000)
    assert found.bound == lower_bound(80, 8)
    later = found.on(30)
    assert (later.good, later.bad) == (39_794, 488)
    assert later.bound == lower_bound(39, 3)


def test_it_fades_at_midnight():
    end = ended(DAY, at=10 * DAY + 5)
    assert reputation([end], 11 * DAY - 1).good == 1_000
    assert reputation([end], 11 * DAY).good == 977


def test_of_a_device_nothing_is_known_of():
    assert reputation([], 500 * DAY).weight == 8_584
    assert reputation([ended(365 * DAY)], 0).weight == 9_850, "ninety days count at most"


# -- the program -----------------------------------------------------------------------------------


@pytest.mark.parametrize("currency", list(Currency))
@pytest.mark.parametrize(
    ("caller", "hours", "served"),
    [("renter", 0.5, 1), ("renter", 7.25, 7.25), ("supplier", 7.25, 7), (None, 10, 10)],
)
def test_a_lease_that_the_program_charged_counts_for_its_time(currency, caller, hours, served):
    """However it ends, with the fee of its urgency: its fees are those of what it served, or of more."""
    world = OrdersWorld.ready()
    people = {"renter": world.renter("renter"), "supplier": world.supplier("supplier")}
    world.let("worker", people["supplier"])
    order = world.order(people["renter"], currency=currency, devices=1, urgency=Urgency.NOW)
    lease = world.run(order, "worker")
    world.chain.warp_to(lease.start + int(hours * HOUR))
    world.end(order, "worker", people[caller or "renter"])
    world.chain.advance(DAY)
    assert world.settle(order, "worker").error is None
    final, order = world.lease(order, "worker"), world.read_order(people["renter"])
    end = LeaseEnd.of(final, order, final.rate // order.terms.processors)
    assert end.fees == world.tokens(buyback.fee_vault(world.orders_config().mint(currency)))
    assert (end.at, end.failed) == (final.ended_at, caller == "supplier")
    assert end.fee_seconds == end.served == served * HOUR
