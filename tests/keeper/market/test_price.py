"""The network price's rule: its golden figures, a second reading of it, and what holds of it always."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from keeper.clients.staking import MAX_PROCESSORS
from keeper.economy.classes import MAX_PRICE, MAX_STEP, next_price
from keeper.market.price import (
    MAX_UTILISATION,
    SAMPLES,
    TARGET,
    THIN,
    Rule,
    Sample,
    hour_step,
    move,
    step,
    total,
    utilisation,
)
from tests.keeper.market import independent

GOLDEN = json.loads((Path(__file__).parents[2] / "vectors/market_rule.json").read_text())
amounts = st.one_of(st.integers(0, 12), st.integers(0, 10**7))
cells = st.lists(st.tuples(amounts, amounts), max_size=MAX_PROCESSORS)
used = st.one_of(st.integers(0, MAX_UTILISATION), st.none())
processors = st.one_of(st.integers(0, 2 * THIN), st.integers(0, 10**6))


def hour(counts: list[tuple[int, int]], unmet: int = 0, size: int | None = None) -> Sample:
    """The sum of an hour's samples, from hired and idle of each processor count."""
    rows = [*counts, *[(0, 0)] * (MAX_PROCESSORS - len(counts))]
    there = sum(h + i for h, i in counts) if size is None else size
    return Sample(tuple(h for h, _ in rows), tuple(i for _, i in rows), unmet, there)


def test_the_golden_steps() -> None:
    for row in GOLDEN["step"]:
        found = hour(row["counts"], row["unmet"], row["size"])
        assert (utilisation(found), hour_step(found)) == (row["utilisation"], row["step"]), row


def test_the_golden_prices() -> None:
    for row in GOLDEN["next_price"]:
        assert next_price(row["price"], row["bps"], row["low"], row["high"]) == row["next"], row


@given(cells, amounts, processors)
def test_a_second_reading_has_the_same_steps(counts, unmet, size):
    found = hour(counts, unmet, size * SAMPLES)
    expected = independent.utilisation(counts, unmet)
    assert utilisation(found) == expected
    assert hour_step(found) == step(expected, size) == independent.step(expected, size)


def test_a_second_reading_at_every_utilisation():
    for each in range(MAX_UTILISATION + 1):
        for size in (0, 1, 5, 31, 32, 33):
            assert step(each, size) == independent.step(each, size)


@given(cells, amounts)
def test_what_a_utilisation_can_be(counts, unmet):
    found = utilisation(hour(counts, unmet))
    hired, there = sum(h for h, _ in counts), sum(h + i for h, i in counts)
    if found is None:
        assert there == unmet == 0
        return
    assert 0 <= found <= MAX_UTILISATION
    if there:
        plain = min(MAX_UTILISATION, (hired + unmet) * 10_000 // there)
        assert found == plain or plain < found <= TARGET, "processor counts alone raise no price"


@given(used, processors)
def test_a_step_is_an_eighth_at_most_and_less_in_a_thin_class(each, size):
    found = step(each, size)
    assert abs(found) * THIN <= MAX_STEP * min(max(size, 1), THIN)
    if each is not None:
        assert (each >= TARGET) == (found >= 0) or found == 0
        assert abs(found) <= abs(move(each))
        assert step(each, THIN) == step(each, 10**9) == move(each)


@given(used.filter(lambda each: each is not None), used.filter(lambda each: each is not None), processors)
def test_more_in_use_never_lowers_a_step(one, other, size):
    low, high = sorted((one, other))
    assert step(low, size) <= step(high, size)


@given(cells, amounts, st.tuples(*[st.integers(1, MAX_PRICE)] * 3), processors)
def test_the_next_price_is_in_its_bounds_never_nothing_and_an_eighth_away_at_most(counts, unmet, three, size):
    low, price, high = sorted(three)
    after = next_price(price, hour_step(hour(counts, unmet, size * SAMPLES)), low, high)
    assert 1 <= low <= after <= high
    assert 8 * after <= 9 * price + 7, "an eighth more, rounded up"
    assert 8 * after >= 7 * price - 7, "an eighth less, rounded down"


@given(st.integers(1, MAX_PRICE), used, used, processors)
def test_the_next_price_rises_with_the_utilisation(price, one, other, size):
    """Nothing to measure is what stands still, as the target is."""
    low, high = sorted(TARGET if each is None else each for each in (one, other))
    of_low, of_high = (next_price(price, step(each, size), 1, MAX_PRICE) for each in (low, high))
    assert of_low <= of_high
    assert next_price(price, step(TARGET, size), 1, MAX_PRICE) == price
    assert next_price(price, step(None, size), 1, MAX_PRICE) == price


def test_where_it_stands_still_and_where_it_is_fastest():
    assert [step(each, THIN) for each in (0, 3_500, 7_000, 8_500, 10_000, 20_000)] == [
        *(-1_250, -625, 0, 625, 1_250, 1_250)
    ]
    assert [step(each, 1) for each in (0, 10_000)] == [-39, 39]


def test_samples_add_up():
    one = Sample((1, *[0] * 7), (0, 2, *[0] * 6), 3, 4)
    assert total([]) == Sample()
    assert total([one, one, Sample()]) == Sample((2, *[0] * 7), (0, 4, *[0] * 6), 6, 8)


def test_a_count_of_which_nothing_is_used_counts_with_all_others_where_hardly_anything_is():
    """At a utilisation that rounds to 0, as the formula has it; and nothing is divided by none."""
    assert utilisation(hour([(1, 0), (0, 20_000)])) == 0
    assert utilisation(hour([(1, 0), (0, 9_999)])) == TARGET
    assert utilisation(hour([(1, 9)], unmet=3)) == 4_000


def test_another_rule_has_another_target_step_and_thinness():
    other = Rule(target=5_000, step=1_000, thin=10)
    assert [move(used, other) for used in (0, 2_500, 5_000, 7_500, 10_000, 20_000)] == [
        -1_000,
        -500,
        0,
        500,
        1_000,
        1_000,
    ]
    assert [step(10_000, processors, other) for processors in (0, 1, 5, 10, 32)] == [
        100,
        100,
        500,
        1_000,
        1_000,
    ]
    # Counts that nobody orders lower it to its own target, no further.
    hour = Sample((60, *[0] * 7), (20, 100, *[0] * 6), 0, 180)
    assert [utilisation(hour, each) for each in (other, Rule())] == [5_000, 7_000]
    assert (hour_step(hour, other), hour_step(hour)) == (0, 0)
