"""A device's checklist says what the rule of rewards says of the same device in the same hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from keeper.clients import staking
from keeper.clients.staking import Class, Device
from keeper.economy.calendar import HOUR
from keeper.economy.supply import IO
from keeper.rewards.nomination import Seen, State, checklist
from keeper.rewards.rows import Hour, Work
from keeper.rewards.rule import UPTIME, VRAM_PAUSE, Reason, reasons
from tests.keeper.rewards.tables import GOOD, rows
from tests.programs.staking.world import GPU_CLASS, StakingWorld
from tests.programs.world import finish

LINES = {
    "its class is rewarded": Reason.NOT_REWARDED,
    "it isn't terminated": Reason.TERMINATED,
    "no slash is pending": Reason.SLASH_PENDING,
    "enough is staked": Reason.INSUFFICIENT_STAKE,
    "up for more than 5 hours": Reason.UPTIME,
    "it proved its work": Reason.WORK_MISSING
    | Reason.WORK_FAILED
    | Reason.WORK_SLOW
    | Reason.WORK_UNSHOWN
    | Reason.OFFLINE,
    "fewer than 4 memory failures": Reason.VRAM,
    "it isn't barred": Reason.BARRED,
}


@pytest.fixture(scope="module")
def found() -> tuple[Device, Class, int]:
    """A device that earns, its class, and the time, at which an hour begins."""
    world = StakingWorld.ready()
    supplier = world.earner("supplier", 2_000 * IO)
    device = world.device("one", supplier)
    world.do(staking.stake(device, 1_000 * IO), signers=[supplier])
    world.chain.advance(HOUR - world.chain.now() % HOUR)
    of_class = finish(staking.read_classes(world.chain))[GPU_CLASS]
    return world.read_device("one"), of_class, world.chain.now()


def good(now: int) -> Seen:
    return Seen(7, now, now - 86_400, True, Work.PASSED, 0, 0, 4)


def by_rule(device: Device, of_class: Class, now: int, seen: Seen) -> Reason:
    """What the rule finds of it in an hour that begins now."""
    row = replace(
        GOOD,
        class_id=of_class.id,
        processors=device.processors,
        tier=device.tier,
        terminated=device.terminated,
        slash_pending=device.slash_pending,
        barred_until=device.barred_until,
        sufficient_since=device.sufficient_since,
        own=device.own,
        up_since=seen.up_since,
        online=seen.online,
        work=int(seen.work),
        vram_failures=seen.vram_failures,
        vram_failed_at=seen.vram_failed_at,
        measured_tier=seen.measured_tier,
    )
    multiplier = np.array([of_class.multiplier_at(now)], np.uint64)
    return Reason(int(reasons(Hour(seen.hour, now, 1), rows([row]), multiplier)[0]))


CHANGES: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "nothing": ({}, {}),
    "terminated": ({"terminated": 1}, {}),
    "slash": ({"slash_pending": 1}, {}),
    "a base unit short": ({"own": 1_000 * IO - 1}, {}),
    "not up": ({}, {"up_since": 0}),
    "up for five hours": ({}, {"up_since": -UPTIME}),
    "up for longer": ({}, {"up_since": -UPTIME - 1}),
    "no work": ({}, {"work": Work.MISSING}),
    "wrong work": ({}, {"work": Work.FAILED}),
    "slow work": ({}, {"work": Work.SLOW}),
    "work that wasn't shown": ({}, {"work": Work.UNSHOWN}),
    "offline": ({}, {"online": 0}),
    "three failures": ({}, {"vram_failures": 3, "vram_failed_at": -1}),
    "four failures": ({}, {"vram_failures": 4, "vram_failed_at": -VRAM_PAUSE}),
    "four that are over": ({}, {"vram_failures": 4, "vram_failed_at": -VRAM_PAUSE - 1}),
    "barred": ({"barred_until": 1}, {}),
    "bar over": ({"barred_until": 0}, {}),
}
RELATIVE = {"barred_until", "up_since", "vram_failed_at"}
"""What is given from now."""


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_what_the_rule_says(found: tuple[Device, Class, int], change: str) -> None:
    device, of_class, now = found
    own, others = (
        {
            name: value + now if name in RELATIVE and (value or name == "barred_until") else value
            for name, value in each.items()
        }
        for each in CHANGES[change]
    )
    device, seen = replace(device, **own), replace(good(now), **others)
    lines = {each.name: each for each in checklist(device, of_class, now, seen)}
    assert len(lines) == 9
    failed = by_rule(device, of_class, now, seen)
    for name, reason in LINES.items():
        assert (lines[name].state is State.FAIL) == bool(failed & reason), lines[name]
    for each in lines.values():
        assert each.found and (each.todo or each.state is State.PASS)


def test_what_the_chain_alone_does_not_say_is_unknown(found: tuple[Device, Class, int]) -> None:
    device, of_class, now = found
    unknown = [each for each in checklist(device, of_class, now, None) if each.state is State.UNKNOWN]
    assert [each.name for each in unknown] == [
        "its line is as stated",
        "up for more than 5 hours",
        "it proved its work",
        "fewer than 4 memory failures",
    ]
    assert all("ionet rewards fetch" in each.todo for each in unknown)


def test_a_line_that_was_measured_worse(found: tuple[Device, Class, int]) -> None:
    device, of_class, now = found
    lines = {
        each.name: each for each in checklist(device, of_class, now, replace(good(now), measured_tier=2))
    }
    assert lines["its line is as stated"].state is State.FAIL
    assert lines["its line is as stated"].found == "tier 4 stated, measured 2"
