"""A small soak: the whole of it is ``make soak``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keeper.rewards import rule
from tests.model.staking.program import Staking
from tests.model.state import wallet
from tests.programs.orders.calls import RENTERS
from tests.soak import page
from tests.soak.driver import INSTRUCTIONS, Failed, Network, shrunk
from tests.soak.year import Year, played

STEPS = 60


@pytest.mark.parametrize("seed", range(500, 510))
def test_everybody_at_once(seed: int) -> None:
    """All programs, the keeper's jobs and the models agree after every action; the audit finds nothing."""
    network = Network(seed, {})
    assert network.run(STEPS) > STEPS
    assert network.audited() > STEPS


def test_a_seed_plays_the_same_history() -> None:
    first, again = Network(3, {}), Network(3, {})
    first.run(STEPS)
    again.run(STEPS)
    assert first.whole.tally == again.whole.tally
    assert list(first.last) == list(again.last)


def test_a_failure_names_its_seed_and_is_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is wrong about one thing: the network says where, and which steps it takes."""
    monkeypatch.setattr(Staking, "vote_slash", lambda self, *arguments: None)
    with pytest.raises(Failed, match=r"(?s)seed 1, 40 steps.*step \d+: \w+\.\w+.*vote_slash: went wrong"):
        Network(1, {}).run(40)
    steps = shrunk(1, 40)
    assert 0 < len(steps) <= 4
    with pytest.raises(Failed):
        Network(1, {}).run(40, frozenset(range(40)) - set(steps))


def test_a_balance_that_moves_unseen_is_noticed() -> None:
    """What isn't in the models fails the next action, wherever it was."""
    network = Network(5, {})
    network.step(0)
    network.whole.staking.economy.tokens[wallet(RENTERS[0])] += 1
    with pytest.raises(Failed):
        network.run(3)


def test_a_month_of_hours() -> None:
    told = played(1, 300, 31 * 24)
    assert told.counts["hours"] == 31 * 24
    assert told.counts["hours that the reference model computed, too"] == 31
    assert told.counts["histories that the reference model went through"] > 5
    assert 0.4 < told.counts["device hours paid"] / told.counts["device hours"] < 0.9


def test_an_hour_that_pays_too_much_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One base unit to a device, which its wallet gets: more than scores make of it."""
    year, reward = Year(2, 50), rule.reward
    for number in range(10):
        year.hour(number)

    def generous(*arguments: Any) -> rule.BlockResult:
        result = reward(*arguments)
        paid = result.devices["reward"] > 0
        result.devices["reward"][paid] += 1
        return result

    monkeypatch.setattr(rule, "reward", generous)
    with pytest.raises(AssertionError):
        year.hour(10)


def test_the_page_is_what_the_last_run_left() -> None:
    assert page.PAGE.read_text() == page.text(json.loads(page.JSON.read_text()))


def test_what_the_page_says_adds_up() -> None:
    """Every instruction has a row; those that orders alone calls are done, and refused to all others."""
    found = json.loads(page.JSON.read_text())["actions"]
    assert found["actions"] == found["done"] + found["refused"]
    assert sum(found["refusals"].values()) == found["refused"]
    assert {name: set(each) for name, each in found["instructions"].items()} == {
        name: set(each) for name, each in INSTRUCTIONS.items()
    }
    for name in ("lease_device", "free_device", "record_lease"):
        done, refused, _ = found["instructions"]["staking"][name]
        assert done > 0 < refused
