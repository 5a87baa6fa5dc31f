"""Pauses: what stops, what nothing can stop, and how a stop ends by itself."""

import pytest

from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import PROGRAM
from tests.programs.world import DAY, World
from tests.security.outcomes import refused, rehearsed
from tests.security.people import address, do
from tests.security.tokenomics import stages
from tests.security.tokenomics.calls import CALLS
from tests.security.tokenomics.stages import stage

GUARDIAN = address("guardian")
EMISSION, SEASONS = PROGRAM.constants["PAUSE_EMISSION"], PROGRAM.constants["PAUSE_SEASONS"]
LONGEST = PROGRAM.constants["MAX_PAUSE"]
STOPPED_BY = {"emit": EMISSION, "open_season": SEASONS}
RUNNING_CALLS = [name for name, call in CALLS.items() if call.stage == "running"]


def paused(mask: int) -> World:
    world = stages.running()
    do(world, client.set_pause(GUARDIAN, mask, world.chain.now() + LONGEST))
    return world


@pytest.mark.parametrize("mask", [0, EMISSION, SEASONS, EMISSION | SEASONS])
def test_only_money_coming_in_can_be_stopped(mask: int) -> None:
    """Each instruction under each mask: releases, claims, closing and every hand-over go on."""
    world = paused(mask)
    found = {name: rehearsed(world, CALLS[name].build(world)) for name in RUNNING_CALLS}
    assert found == {name: "Paused" if STOPPED_BY.get(name, 0) & mask else None for name in RUNNING_CALLS}
    for name, bit in STOPPED_BY.items():
        if bit & mask:
            assert refused(world, CALLS[name].build(world)) == "Paused"


@pytest.mark.parametrize("name", STOPPED_BY)
def test_a_pause_lapses_to_the_second(name: str) -> None:
    world = paused(STOPPED_BY[name])
    world.chain.advance(LONGEST - 1)
    assert refused(world, CALLS[name].build(world)) == "Paused"
    world.chain.advance(1)
    assert refused(world, CALLS[name].build(world)) is None


def test_a_lifted_pause_stops_nothing() -> None:
    world = paused(EMISSION)
    do(world, client.set_pause(GUARDIAN, 0, 0))
    do(world, client.emit())


def test_what_was_paused_is_caught_up() -> None:
    """A pause moves emission to later, it takes nothing away."""
    stopped, other = paused(EMISSION), stages.running()
    for world in (stopped, other):
        world.chain.advance(LONGEST)
        do(world, client.emit())
    assert stopped.config().emitted == other.config().emitted > 0


@pytest.mark.parametrize(
    ("mask", "seconds", "error"),
    [
        (EMISSION, LONGEST, None),
        (EMISSION, LONGEST + 1, "PauseTooLong"),
        (EMISSION, 2**63, "PauseTooLong"),
        (0, LONGEST + 1, "PauseTooLong"),
        (4, DAY, "PauseMaskInvalid"),
        (2**32 - 1, DAY, "PauseMaskInvalid"),
        (EMISSION | 2**31, DAY, "PauseMaskInvalid"),
    ],
)
def test_what_a_pause_may_be(mask: int, seconds: int, error: str | None) -> None:
    world = stage("running")
    call = client.set_pause(GUARDIAN, mask, world.chain.now() + seconds)
    assert rehearsed(world, call) == error
    assert error is None or refused(world, call) == error
