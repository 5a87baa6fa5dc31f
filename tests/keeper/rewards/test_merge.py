"""An hour's verdicts from files that operators really posted, figure by figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from keeper.db import Database
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.rewards import publication
from keeper.rewards.history import History
from keeper.rewards.merge import merge
from keeper.rewards.rows import Work
from tests.keeper.rewards.hours import DEADLINE, PowHours, profiles_in
from tests.keeper.rewards.merged import (
    ABSENT,
    ALL_KINDS,
    PLAIN_HOUR,
    RESIDENCY_HOUR,
    SPOT_HOUR,
    Five,
    codes,
    column,
    history,
    history_of,
    hours,
    of,
    whole_hour,
)
from tests.keeper.runtime.conftest import database
from tests.programs.staking.world import APPLE_CLASS, StakingWorld
from tests.programs.world import HOUR, START

__all__ = ["database", "history", "hours"]


async def test_an_hour_in_which_all_went_well(hours: PowHours, history: History) -> None:
    wave = await whole_hour(hours)
    work = await hours.work(history, PLAIN_HOUR)
    assert codes(work) == of(hours, *[Code.PASS] * 3)
    assert set(work.verdicts["ms"].tolist()) == {7_000}
    assert column(work, "work") == of(hours, *[Work.PASSED] * 3)
    assert column(work, "online") == of(hours, 1, 1, 1)
    record = work.record
    assert [(each.slot, each.void, each.kind, each.spot) for each in record.waves] == [
        (wave.slot, False, WaveKind.PRODUCT, False)
    ]
    operators = {str(each.pubkey()) for each in hours.world.operators}
    assert record.included[str(wave.slot)].keys() == record.evidence.keys() == operators
    # All wrote the same.
    assert len(set(record.evidence.values())) == 1
    assert (record.alpha, record.profiles) == (65_536, hours.profiles.hash.hex())
    # Bytes for bytes, whatever the order of postings, and of files.
    found = await hours.chain_hour(history, PLAIN_HOUR)
    backwards = dict(reversed(list(hours.files.items())))
    again = merge(found, hours.profiles, backwards, np.zeros(0, work.observed.dtype))
    assert again.record.encode() == record.encode()
    assert (again.verdicts.tobytes(), again.observed.tobytes()) == (
        work.verdicts.tobytes(),
        work.observed.tobytes(),
    )


def expected_code(times: Sequence[int | None], longest: int, opening: Code) -> tuple[Code, int]:
    """The specification's sentence: ms* = sorted(ms over F)[(f-1) div 2], absent = infinity."""
    ordered = sorted(ABSENT if each is None else each for each in times)
    ms = ordered[(len(ordered) - 1) // 2]
    if ms == ABSENT:
        return Code.NO_COMMIT, ms
    return (opening if ms <= longest else Code.LATE), ms


async def test_five_operators_who_saw_different_things(tmp_path: Path, database: Database) -> None:
    """Random times, absences and openings against the words of the specification."""
    random = Random(7)
    names = [f"worker {number}" for number in range(16)]
    hours = PowHours(tmp_path, Five.ready(), names, profiles_in(tmp_path))
    history = await history_of(hours, database)
    wave = await hours.to_wave(PLAIN_HOUR)
    times: dict[str, list[int | None]] = {}
    for device in hours.devices:
        limits = 3_000, DEADLINE - 1, DEADLINE, DEADLINE + 1, 2**32 - 1
        times[device.name] = [random.choice([*limits, None]) for _ in range(5)]
        hours.says(wave, device, times[device.name])
    hours.seal(wave)
    opened: dict[str, Code] = {}
    for device in hours.devices:
        opened[device.name] = random.choice([Code.PASS, Code.NO_OPENING, Code.OPEN_PATH])
        blob, _ = await hours.opening(wave, device)
        if opened[device.name] is Code.PASS:
            await hours.opens(wave, device, [random.randrange(5)])
        elif opened[device.name] is Code.OPEN_PATH:
            await hours.opens(wave, device, blob=blob[:-1] + bytes([blob[-1] ^ 1]))
    await hours.end(PLAIN_HOUR)
    work = await hours.work(history, PLAIN_HOUR)
    stated = {}
    for device in hours.devices:
        stated[bytes(device.account)] = expected_code(times[device.name], DEADLINE, opened[device.name])
    found = codes(work)
    ms = {bytes(row["device"]): int(row["ms"]) for row in work.verdicts}
    assert {each: (found[each], ms[each]) for each in found} == stated
    assert {code for code, _ in stated.values()} >= {Code.PASS, Code.NO_OPENING, Code.LATE}
    soft = {Code.NO_COMMIT, Code.LATE}
    # Nobody has passed before, so that no failure is excused.
    shown = {
        each: Work.PASSED if code is Code.PASS else Work.MISSING if code in soft else Work.FAILED
        for each, (code, _) in stated.items()
    }
    assert column(work, "work") == shown


async def test_late_to_the_millisecond_and_one_failure_a_day(hours: PowHours, history: History) -> None:
    await whole_hour(hours)
    first = await hours.work(history, PLAIN_HOUR)
    late, again = first, []
    for hour in (PLAIN_HOUR + 1, PLAIN_HOUR + 2):
        wave = await hours.to_wave(hour)
        on_time, too_late, _ = hours.devices
        hours.says(wave, on_time, DEADLINE)
        hours.says(wave, too_late, DEADLINE + 1)
        hours.seal(wave)
        await hours.opens(wave, on_time)
        # Whoever is late has no time for an opening either; one that comes all the same doesn't help.
        await hours.opens(wave, too_late)
        await hours.end(hour)
        late = await hours.work(history, hour, late.observed)
        again.append(late)
        assert codes(late) == of(hours, Code.PASS, Code.LATE, Code.NO_COMMIT)
    assert [column(each, "work") for each in again] == [
        of(hours, Work.PASSED, Work.PASSED, Work.PASSED),
        of(hours, Work.PASSED, Work.MISSING, Work.MISSING),
    ]


async def test_a_device_that_signs_two_roots(hours: PowHours, history: History) -> None:
    """Told to different operators, and each file by itself looks right."""
    wave = await hours.to_wave(PLAIN_HOUR)
    honest, two_faced, _ = hours.devices
    hours.says(wave, honest)
    hours.says(wave, two_faced, [7_000, 7_000, None])
    hours.says(wave, two_faced, [None, None, 7_000], root=b"\x07" * 32)
    hours.seal(wave)
    for device in (honest, two_faced):
        await hours.opens(wave, device)
    await hours.end(PLAIN_HOUR)
    work = await hours.work(history, PLAIN_HOUR)
    assert codes(work) == of(hours, Code.PASS, Code.COMMIT_CONFLICT, Code.NO_COMMIT)
    rows = {bytes(row["device"]): bytes(row["root"]) for row in work.verdicts}
    assert rows[bytes(two_faced.account)] == b""
    assert column(work, "work") == of(hours, Work.PASSED, Work.FAILED, Work.MISSING)
    # It holds for as long as four openings take to be drawn.
    start = START + HOUR * PLAIN_HOUR
    assert column(work, "failed_until") == of(hours, 0, start + 5 * HOUR, 0)


async def test_a_product_that_is_wrong(hours: PowHours, history: History) -> None:
    """A device that opens what it committed to: a tree over numbers of another wave."""
    wave = await hours.to_wave(PLAIN_HOUR)
    cheat = hours.devices[0]
    other = replace(wave, seed=b"\x01" * 32)
    hours.proofs[wave.seed, bytes(cheat.account)] = hours.prove(other, cheat)
    for device in hours.devices:
        hours.says(wave, device)
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(PLAIN_HOUR)
    work = await hours.work(history, PLAIN_HOUR)
    assert codes(work) == of(hours, Code.WORK_WRONG, Code.PASS, Code.PASS)


async def test_who_isnt_drawn_neednt_open(
    hours: PowHours, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keeper.rewards.counted.alpha", lambda load: 1)
    wave = await hours.to_wave(PLAIN_HOUR)
    for device in hours.devices:
        hours.says(wave, device)
    hours.seal(wave)
    await hours.opens(wave, hours.devices[0], blob=b"what nobody has to look at")
    await hours.end(PLAIN_HOUR)
    work = await hours.work(history, PLAIN_HOUR)
    assert codes(work) == of(hours, *[Code.PASS_UNOPENED] * 3)
    assert work.verdicts["opened"].tolist() == [0, 0, 0]
    assert column(work, "work") == of(hours, *[Work.PASSED] * 3)


async def test_a_spot_wave_counts_like_the_first(hours: PowHours, history: History) -> None:
    wave = await hours.to_wave(SPOT_HOUR)
    both, first_only, second_only = hours.devices
    for device in (both, first_only):
        hours.says(wave, device)
    hours.seal(wave)
    for device in (both, first_only):
        await hours.opens(wave, device)
    spot = await hours.to_wave(SPOT_HOUR, wave.slot)
    assert spot.spot
    for device in (both, second_only):
        hours.says(spot, device)
    hours.seal(spot)
    for device in (both, second_only):
        await hours.opens(spot, device)
    await hours.end(SPOT_HOUR)
    work = await hours.work(history, SPOT_HOUR)
    assert codes(work, wave.slot) == of(hours, Code.PASS, Code.PASS, Code.NO_COMMIT)
    assert codes(work, spot.slot) == of(hours, Code.PASS, Code.NO_COMMIT, Code.PASS)
    # One failure a day is excused by the wave that was passed.
    assert column(work, "work") == of(hours, *[Work.PASSED] * 3)
    assert column(work, "soft_at") == of(hours, 0, spot.time, wave.time)
    assert [each.spot for each in work.record.waves] == [False, True]


async def test_a_residency_wave(hours: PowHours, history: History) -> None:
    """Who has no plot in memory may do the product: it isn't what was asked."""
    wave = await hours.to_wave(RESIDENCY_HOUR)
    assert wave.kind is WaveKind.RESIDENCY
    resident, empty, late = hours.devices
    await hours.resides(wave, resident)
    hours.says(wave, empty)
    await hours.resides(wave, late, DEADLINE + 1)
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(RESIDENCY_HOUR)
    found = await hours.chain_hour(history, RESIDENCY_HOUR)
    work = merge(found, hours.profiles, hours.files, np.zeros(0, publication.OBSERVED_TABLE))
    shares = work.verdicts["opened"].tolist()
    drawn = dict(zip((bytes(each) for each in work.verdicts["device"]), shares, strict=True))
    passed = Code.PASS if drawn[bytes(resident.account)] else Code.PASS_UNOPENED
    assert codes(work) == of(hours, passed, Code.NO_COMMIT, Code.LATE)
    assert set(work.verdicts["kind"].tolist()) == {WaveKind.RESIDENCY}
    assert column(work, "vram_failures") == of(hours, 0, 1, 1)
    assert work.record.waves[0].epoch is not None


@pytest.mark.parametrize("drawn", [True, False])
async def test_openings_of_a_residency_wave_are_a_quarter(
    hours: PowHours, history: History, monkeypatch: pytest.MonkeyPatch, drawn: bool
) -> None:
    monkeypatch.setattr("keeper.pow.clock.RESIDENCY_SHARE", 1 if drawn else 65_537)
    wave = await hours.to_wave(RESIDENCY_HOUR)
    for device in hours.devices:
        await hours.resides(wave, device)
    hours.seal(wave)
    right, wrong, _ = hours.devices
    await hours.opens(wave, right)
    blob, _ = await hours.opening(wave, wrong)
    hours.opened[0].append(
        (
            *(wave.slot, wrong.account, hours.plots[wave.seed, bytes(wrong.account)].root),
            *(hours.keep(blob[:-1] + b"\0"), len(blob)),
        )
    )
    await hours.end(RESIDENCY_HOUR)
    work = await hours.work(history, RESIDENCY_HOUR)
    expected = [Code.PASS, Code.OPEN_PATH, Code.NO_OPENING] if drawn else [Code.PASS_UNOPENED] * 3
    assert codes(work) == of(hours, *expected)


async def test_where_the_memory_test_isnt_measured_the_product_is_asked(
    tmp_path: Path, database: Database
) -> None:
    plot = {"m": 256, "K": 1024, "K_many": 1024, "rounds": 4, "passes": 2, "q": 2, "T_ms": 8_000}
    profiles = profiles_in(tmp_path, residency={**plot, "measured": False})
    hours = PowHours(tmp_path, StakingWorld.ready(), ALL_KINDS, profiles)
    history = await history_of(hours, database)
    await whole_hour(hours, RESIDENCY_HOUR)
    work = await hours.work(history, RESIDENCY_HOUR)
    assert codes(work) == of(hours, *[Code.PASS] * 3)
    assert work.record.waves[0].kind == WaveKind.RESIDENCY


async def test_a_class_whose_time_nobody_measured_proves_and_earns_nothing(
    hours: PowHours, history: History
) -> None:
    hours.devices.append(hours.device("mac", device_class=APPLE_CLASS))
    await whole_hour(hours)
    work = await hours.work(history, PLAIN_HOUR)
    assert codes(work) == of(hours, *[Code.PASS] * 4)
    assert column(work, "work") == of(hours, *[Work.PASSED] * 3, Work.MISSING)


async def test_a_device_that_was_closed_and_registered_anew_has_shown_nothing(
    tmp_path: Path, database: Database
) -> None:
    """Its address follows from its worker's key: the next one there may be of another class."""
    hours = PowHours(tmp_path, StakingWorld.ready(), ALL_KINDS, profiles_in(tmp_path, rule=5))
    history = await history_of(hours, database)
    await whole_hour(hours)
    first = await hours.work(history, PLAIN_HOUR)
    assert column(first, "unshown") == of(hours, 0, 0, 0)
    hours.seal(await hours.to_wave(PLAIN_HOUR + 1))
    await hours.end(PLAIN_HOUR + 1)
    found = await hours.chain_hour(history, PLAIN_HOUR + 1)
    anew, *_ = (each.account for each in hours.devices)
    there = {**found.devices, anew: {**found.devices[anew], "registered_at": START + HOUR * (PLAIN_HOUR + 1)}}
    for devices, unshown, work in (
        (found.devices, 0, Work.PASSED),
        (there, 1, Work.MISSING),
    ):
        second = merge(replace(found, devices=devices), hours.profiles, hours.files, first.observed)
        assert column(second, "unshown") == of(hours, unshown, 0, 0)
        assert column(second, "work") == of(hours, work, Work.PASSED, Work.PASSED)
    # By the rules before, an hour is what it was.
    before = merge(replace(found, devices=there), profiles_in(tmp_path, 4), hours.files, first.observed)
    assert column(before, "work") == of(hours, *[Work.PASSED] * 3)


@pytest.mark.parametrize("opens", [False, True])
async def test_files_that_are_withheld_once_a_friend_is_drawn_excuse_it_from_nothing(
    tmp_path: Path, database: Database, opens: bool
) -> None:
    """Two of five operators and an honest one say that it was in time; without the two it was late."""
    hours = PowHours(tmp_path, Five.ready(), ALL_KINDS, profiles_in(tmp_path, rule=5))
    history = await history_of(hours, database)
    await whole_hour(hours)
    first = await hours.work(history, PLAIN_HOUR)
    wave = await hours.to_wave(PLAIN_HOUR + 1)
    friend, _, fine = hours.devices
    hours.says(wave, friend, [7_000, 7_000, 7_100, None, None])
    hours.says(wave, fine)
    hours.seal(wave)
    if opens:
        await hours.opens(wave, friend)
    await hours.opens(wave, fine)
    await hours.end(PLAIN_HOUR + 1)
    whole = await hours.work(history, PLAIN_HOUR + 1, first.observed)
    opened = Code.PASS if opens else Code.NO_OPENING
    assert codes(whole) == of(hours, opened, Code.NO_COMMIT, Code.PASS)
    rogues = [str(each.pubkey()) for each in hours.world.operators[:2]]
    theirs = {bytes.fromhex(whole.record.included[str(wave.slot)][each]) for each in rogues}
    rest = {digest: data for digest, data in hours.files.items() if digest not in theirs}
    without = await hours.work(history, PLAIN_HOUR + 1, first.observed, rest)
    assert codes(without) == of(hours, Code.NO_COMMIT, Code.NO_COMMIT, Code.PASS)
    work = Work.PASSED if opens else Work.UNSHOWN
    assert column(without, "work") == of(hours, work, Work.PASSED, Work.PASSED)
    assert column(without, "unshown") == of(hours, int(not opens), 0, 0)
