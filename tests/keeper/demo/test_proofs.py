"""What the demo's machines do follows from their numbers, the hour and the wave alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.demo.cheats import CHEATS, code_of, expected_code, latency_ms, took_ms
from keeper.demo.checks import Checks, DemoFailed
from keeper.demo.crew import Card, HalfTheBits, Told, demo_profiles
from keeper.demo.fleet import CLASSES, DEVICES, Fleet, Luck
from keeper.demo.pipes import Clerk
from keeper.demo.processes import Post, processes
from keeper.demo.proofs_checks import check_online, check_verdicts
from keeper.pow.backend import NumpyBackend
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.pow.profiles import deadline_ms, hired_deadline_ms
from keeper.pow.verdicts import VERDICT
from keeper.rewards.observed import OBSERVED_TABLE
from keeper.worker.client import EpochAt
from tests.keeper import forks

FLEET = Fleet()
SEEDS = st.binary(min_size=32, max_size=32)
SLOWEST = 500
"""Milliseconds from a device to an operator at most, and more."""


@settings(deadline=None)
@given(SEEDS, st.integers(0, DEVICES - 1))
def test_an_honest_machine_is_in_time_and_a_cheat_is_as_late_as_its_code_says(
    seed: bytes, number: int
) -> None:
    machine, T_ms = FLEET.machines[number], 8_000
    came = took_ms(machine, Luck(), T_ms, seed) + latency_ms(machine, 2)
    code = code_of(machine)
    if code is Code.LATE:
        assert hired_deadline_ms(T_ms) < came < 40_000
    elif code is Code.PASS_SLOW:
        assert deadline_ms(T_ms) < came <= hired_deadline_ms(T_ms)
    else:
        assert came <= deadline_ms(T_ms)
        hot = took_ms(machine, Luck(is_hot=True), T_ms, seed)
        assert deadline_ms(T_ms) < hot + latency_ms(machine, 0)
        assert hot + SLOWEST <= hired_deadline_ms(T_ms)


def test_each_cheat_has_a_code_of_its_own_and_an_honest_twin() -> None:
    assert len({each.code for each in CHEATS.values()}) == len(CHEATS) == 6
    machines = [FLEET.machines[number] for number in CHEATS]
    assert not any(each.is_short or each.co_staker for each in machines)
    usual = Luck()
    for machine in machines:
        found = expected_code(machine, usual, resides=False, is_hired=True, is_drawn=True)
        assert found is code_of(machine)
    honest = [each for each in FLEET.machines if each.number not in CHEATS]
    assert {expected_code(each, usual, False, False, True) for each in honest} == {Code.PASS}


def test_luck_is_the_same_in_every_run_and_some_of_each_kind_happens() -> None:
    assert Fleet.luck(7) == Fleet.luck(7) != Fleet.luck(8)
    everybody = [each for hour in range(48) for each in Fleet.luck(hour)]
    for name in Luck._fields:
        assert 0 < sum(getattr(each, name) for each in everybody) < len(everybody) // 40


def test_the_table_has_the_demos_classes_and_its_card_is_exact() -> None:
    profiles = demo_profiles()
    assert all(profiles.of_class(FLEET.kinds[name].id) for name in CLASSES)
    assert all(each.measured for each in profiles.values())
    rows, columns = (NumpyBackend().generate(bytes(32), range(count), 1024) for count in (8, 256))
    right = NumpyBackend().product(rows, columns)
    assert np.array_equal(Card().product(rows, columns), right)
    assert not np.array_equal(HalfTheBits().product(rows, columns), right)
    card = Card()
    assert np.array_equal(
        card.generate(b"s" * 32, range(256), 1024), card.generate(b"s" * 32, range(256), 1024)
    )


def test_a_verdict_that_is_not_what_a_machine_did_ends_the_demo() -> None:
    machine = FLEET.machines[next(iter(CHEATS))]
    rows = np.zeros(1, VERDICT)
    rows["device"], rows["wave"], rows["opened"] = bytes(machine.address), 32, 1
    rows["kind"], rows["code"] = WaveKind.PRODUCT, Code.NO_COMMIT
    found = check_verdicts(Checks(), 2, FLEET.machines, rows, {32: ()})
    assert found == {(machine.number, Code.NO_COMMIT): 1}
    rows["code"] = Code.PASS
    with pytest.raises(DemoFailed, match=f"worker {machine.number} in hour 2"):
        check_verdicts(Checks(), 2, FLEET.machines, rows, {32: ()})


def test_a_machine_that_is_up_and_not_seen_ends_the_demo() -> None:
    luck = Fleet.luck(3)
    up = next(x for x in FLEET.machines if not luck[x.number].is_down and not x.is_short)
    rows = np.zeros(1, OBSERVED_TABLE)
    rows["device"], rows["online"] = bytes(up.address), 1
    check_online(Checks(), 3, FLEET.machines, rows)
    rows["online"] = 0
    with pytest.raises(DemoFailed, match=f"worker {up.number} online as of hour 3"):
        check_online(Checks(), 3, FLEET.machines, rows)
    short = next(each for each in FLEET.machines if each.is_short)
    rows["device"] = bytes(short.address)
    check_online(Checks(), 3, FLEET.machines, rows)
    assert replace(short, own=short.own + 1).is_short is False


async def test_processes_end_with_the_demo_and_tell_what_ended_them(tmp_path: Path) -> None:
    forks.serving()
    unusable = tmp_path / "a file"
    unusable.write_text("")
    post = Post(FLEET.machines[:1], 1, ["http://127.0.0.1:1"], unusable, bytes(32))
    with processes() as started:
        started.start([post])
        with pytest.raises(DemoFailed, match="StateError"):
            while True:
                await asyncio.sleep(0.01)
                started.check()
    assert len(started) == 0


async def test_what_goes_wrong_at_an_operator_ends_the_demo(tmp_path: Path) -> None:
    forks.serving()
    post = Post(FLEET.machines[:1], 1, (), tmp_path, bytes(32))
    with processes() as started:
        started.start([post], Clerk([], "nobody is there"))
        await started.be(Told(0, 1_000, EpochAt(1, bytes(32), 0), frozenset()))
        started.hear(1_001)
        with pytest.raises(DemoFailed, match="IndexError"):
            while True:
                await asyncio.sleep(0.01)
                started.check()
