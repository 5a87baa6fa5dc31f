"""What a device would have earned: by the rule on an hour in which a device like it really was there."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.economy.supply import IO
from keeper.errors import UserError
from keeper.rewards import publication
from keeper.rewards.estimate import Candidate, Estimate, earned
from keeper.rewards.rows import Hour
from tests.keeper.rewards.seen import publish_rows
from tests.keeper.rewards.tables import another, classes, rows
from tests.keeper.rewards.test_publication import EMITTED, START
from tests.programs.world import HOUR


def publish(folder: Path, count: int) -> None:
    """Two hours in which all but the first of ``count`` devices pass."""
    for number in range(2):
        hour = Hour(number, START + number * HOUR, EMITTED * (number + 1))
        publish_rows(folder, hour, rows([another(n, work=int(n > 0)) for n in range(count)]), classes())


@pytest.mark.parametrize("hour", [0, 1])
def test_it_is_what_one_more_of_the_same_really_earns(tmp_path: Path, hour: int) -> None:
    """Of three that pass each has what the estimate says of a third beside two."""
    publish(tmp_path / "two", 3)
    publish(tmp_path / "three", 4)
    like = rows([another(1)])[0]
    candidate = Candidate(int(like["class"]), int(like["processors"]), int(like["measured_tier"]))
    manifest = publication.read_manifest(tmp_path / "three", hour)
    paid = publication.read_table(tmp_path / "three", manifest, "rewards.csv")["reward"]
    # What rounding left of the first hour is in the second's pot, and isn't the same in both networks.
    assert abs(earned(tmp_path / "two", hour, candidate) - int(paid.max())) <= hour
    assert paid.max() > IO


def test_a_leased_one_earns_more_and_a_class_that_is_unknown_nothing(tmp_path: Path) -> None:
    publish(tmp_path, 3)
    like = rows([another(1)])[0]
    free = Candidate(int(like["class"]), 1, 1)
    assert earned(tmp_path, 0, Candidate(free.device_class, 1, 1, hired=True)) > earned(tmp_path, 0, free)
    with pytest.raises(UserError, match="there was no class 999"):
        earned(tmp_path, 0, Candidate(999, 1, 1))


def test_days_and_years_follow_by_integers() -> None:
    found = Estimate({5: 3 * IO, 6: 5 * IO}, 200 * IO)
    assert (found.total, found.daily, found.yearly_bps) == (8 * IO, 96 * IO, 96 * 365 * 10_000 // 200)
