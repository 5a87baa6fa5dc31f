"""Who is measured, and that no minority of operators lifts a device's tier."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.pow.connectivity import (
    DRAWN,
    NONE,
    TIERS,
    TRANSFER,
    Transfer,
    is_drawn,
    lower_median,
    measured_tiers,
    rate,
    tier,
)


def device(number: int) -> Pubkey:
    return Pubkey(number.to_bytes(32, "big"))


def seed(number: int) -> bytes:
    return number.to_bytes(32, "little")


def at(down: int, up: int) -> Transfer:
    """A tenth of a second at these rates, megabytes a second."""
    return Transfer(down * 100_000, 100_000, up * 100_000, 100_000)


FAST, SLOW = at(1_600, 1_200), at(90, 5)


# -- who -----------------------------------------------------------------------------------------


def test_the_draw_by_hand():
    """A tag with its length in front, the wave's seed, the device's address."""
    one, wave = device(7), seed(9)
    hashed = sha256(b"\x10ionet/pow/1/line" + wave + bytes(one)).digest()
    assert is_drawn(wave, one) == (int.from_bytes(hashed[:8], "little") * 168 < 2**64)


def test_one_in_168_is_drawn_and_others_in_each_hour():
    drawn = [{number for number in range(4_200) if is_drawn(seed(hour), device(number))} for hour in range(4)]
    # 25 are expected in each hour, of which hardly any in another one, too.
    assert all(12 < len(each) < 40 for each in drawn)
    assert sum(map(len, drawn)) - len(set().union(*drawn)) < 5


def test_a_week_measures_about_two_thirds():
    hours = [seed(hour) for hour in range(DRAWN)]
    devices = [device(number) for number in range(60)]
    count = sum(any(is_drawn(each, one) for each in hours) for one in devices)
    assert 30 < count < 50


# -- how much ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "microseconds", "found"),
    [
        (TRANSFER, 160_000, 1_600_000_000),
        (TRANSFER, 160_001, 1_599_990_000),
        (10 * TRANSFER, 160_000, 1_600_000_000),
        (1, 3, 333_333),
        (TRANSFER, 0, 0),
        (0, 5, 0),
    ],
)
def test_a_rate(size, microseconds, found):
    assert rate(size, microseconds) == found


@pytest.mark.parametrize(
    ("down", "up", "found"),
    [
        (1_600, 1_200, 4),
        (1_599, 1_200, 3),
        (1_600, 1_199, 3),
        (800, 600, 3),
        (799, 600, 2),
        (400, 300, 2),
        (400, 299, 1),
        (1_600, 10, 1),
        (1, 1, 1),
    ],
)
def test_the_published_thresholds(down, up, found):
    assert tier([at(down, up)]) == found


def test_what_nobody_measured_is_the_lowest():
    assert tier([NONE]) == tier([NONE, NONE, FAST]) == 1


# -- who says so ---------------------------------------------------------------------------------


def test_a_device_that_was_drawn_and_refuses_falls_to_the_lowest():
    """Else it would be measured once on a borrowed line."""
    assert measured_tiers([device(1), device(2)], [{device(1): FAST}] * 3, 2) == {device(1): 4, device(2): 1}


@pytest.mark.parametrize("operators", range(1, 9))
def test_no_half_of_the_operators_lifts_a_device(operators):
    for friends in range(operators + 1):
        files = [{device(1): FAST if number < friends else SLOW} for number in range(operators)]
        (found,) = measured_tiers([device(1)], files, 1).values()
        assert found == (4 if 2 * friends > operators else 1)


def test_too_few_operators_measure_nobody():
    files = [{device(1): FAST}] * 2
    assert measured_tiers([device(1)], files, 3) == {}
    assert measured_tiers([device(1)], [], 0) == {}
    assert measured_tiers([device(1)], files, 2) == {device(1): 4}


def test_a_device_that_was_not_drawn_is_not_measured_whoever_says_so():
    assert measured_tiers([], [{device(1): FAST}] * 3, 2) == {}


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=9), st.randoms())
def test_the_lower_median_is_one_that_half_reach(values, rng):
    found = lower_median(values)
    assert 2 * sum(each >= found for each in values) > len(values)
    assert 2 * sum(each <= found for each in values) >= len(values)
    shuffled = values.copy()
    rng.shuffle(shuffled)
    assert lower_median(shuffled) == found


def test_higher_tiers_take_more():
    ordered = [TIERS[each] for each in sorted(TIERS)]
    assert ordered == sorted(ordered)
