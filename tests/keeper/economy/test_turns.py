"""Turns at a tick: who may match when, to the second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.economy.turns import FIRST, REACH, TICK, TURN, Turn, newest, opening, tick_at, turn

MOST = 12
"""Operators that there can be."""
START = 2_000_000_010
"""A tick's start."""


def test_the_first_turn_goes_round():
    tick = tick_at(START)
    leader = tick % 3
    assert START == tick * TICK
    for place in range(3):
        found = turn(tick, (leader + place) % 3, 3)
        assert found == Turn(tick, START + FIRST + TURN * place, START + REACH)
    assert turn(tick + 1, (leader + 1) % 3, 3).opens == START + TICK + FIRST


def test_alone_every_turn_is_the_first():
    assert [turn(tick, 0, 1).opens - tick * TICK for tick in range(4)] == [FIRST] * 4


@pytest.mark.parametrize(("second", "tick"), [(FIRST - 1, -1), (FIRST, 0), (TICK + FIRST, 1)])
def test_the_newest_turn_is_taken(second, tick):
    found = newest(0, 1, START + second)
    assert found is not None
    assert found.tick == tick_at(START) + tick


def test_before_the_first_tick_there_is_no_turn():
    assert newest(0, 1, FIRST - 1) is None
    assert newest(0, 1, FIRST) == turn(0, 0, 1)


@given(st.integers(1, MOST), st.integers(START, START + 10 * MOST * TICK))
def test_every_operator_always_has_a_turn(operators, now):
    """So an order waits for no operator: the last turn of a tick opens before the one before it closes."""
    for operator in range(operators):
        found = newest(operator, operators, now)
        assert found is not None
        assert found.opens <= now <= found.closes
        later = turn(found.tick + 1, operator, operators)
        assert now < later.opens


@given(st.integers(1, MOST), st.integers(START, START + 10 * TICK), st.data())
def test_an_order_can_be_matched_from_the_first_tick_after_its_opening(operators, created_at, data):
    operator = data.draw(st.integers(0, operators - 1))
    found = opening(operator, operators, created_at)
    assert created_at < found.start
    assert turn(found.tick - 1, operator, operators).start <= created_at
