"""Whose turn it is at a tick: the leader's first, then each next operator's, as the program's model says."""

from __future__ import annotations

import pytest

from keeper.market.matching import Turn, turn
from tests.model.orders.state import FIRST, REACH, TICK, TURN


@pytest.mark.parametrize("count", [1, 2, 5, 12])
@pytest.mark.parametrize("tick", [1, 59, 60_000_000, 60_000_007])
def test_the_leader_comes_first_then_each_next_one(tick: int, count: int) -> None:
    turns = {place: turn(tick, place, count) for place in range(count)}
    for late in range(count):
        opens = TICK * tick + FIRST + TURN * late
        assert turns[(tick + late) % count] == Turn(tick, opens, TICK * tick + REACH)
    assert min(turns, key=lambda place: turns[place].opens) == tick % count


def test_the_last_of_twelve_has_half_a_minute() -> None:
    last = turn(60_000_000, 11, 12)
    assert (last.opens - 30 * 60_000_000, last.closes - last.opens) == (82, 38)
