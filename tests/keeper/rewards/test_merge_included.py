"""Which files count when an hour is merged, and what an operator of several can do with its own."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from keeper.clients import staking
from keeper.pow import files
from keeper.pow.anchored import PostKind
from keeper.pow.codes import Code
from keeper.rewards import publication
from keeper.rewards.history import History
from keeper.rewards.merge import merge
from keeper.rewards.rows import Work
from tests.keeper.rewards.hours import DEADLINE, PowHours
from tests.keeper.rewards.merged import (
    PLAIN_HOUR,
    SPOT_HOUR,
    codes,
    column,
    history,
    hours,
    of,
    whole_hour,
)
from tests.keeper.runtime.conftest import database
from tests.programs.world import HOUR, START, key

__all__ = ["database", "history", "hours"]


async def test_too_few_files_void_a_wave(hours: PowHours, history: History) -> None:
    """One in time, one posted late: nobody passes and nobody fails; the last hour's work holds on."""
    await whole_hour(hours)
    work = before = await hours.work(history, PLAIN_HOUR)
    for number, hour in enumerate(range(PLAIN_HOUR + 1, PLAIN_HOUR + 5)):
        wave = await hours.to_wave(hour)
        hours.says(wave, hours.devices[0])
        hours.says(wave, hours.devices[1], 1, root=b"\x01" * 32)
        hours.seal(wave, [0])
        hours.seal(wave, [1, 2], seconds=61)
        await hours.opens(wave, hours.devices[0])
        await hours.end(hour)
        work = await hours.work(history, hour, work.observed)
        assert codes(work) == of(hours, *[Code.VOID] * 3)
        assert [each.void for each in work.record.waves] == [True]
        assert len(work.record.included[str(wave.slot)]) == 1
        # Three hours running, and not a fourth.
        kept = column(before, "work") if number < 3 else of(hours, *[Work.MISSING] * 3)
        assert column(work, "work") == kept
        assert column(work, "carried") == of(hours, *[number + 1] * 3)


async def test_too_little_evidence_voids_all_waves(hours: PowHours, history: History) -> None:
    """Else all would have opened nothing, by the word of whoever posts none."""
    wave = await hours.to_wave(SPOT_HOUR)
    spot_after = wave.slot
    for device in hours.devices:
        hours.says(wave, device)
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    spot = await hours.to_wave(SPOT_HOUR, spot_after)
    hours.seal(spot)
    await hours.end(SPOT_HOUR, [0])
    await hours.end(SPOT_HOUR, [1], seconds=3_900)
    work = await hours.work(history, SPOT_HOUR)
    assert set(work.verdicts["code"].tolist()) == {Code.VOID}
    assert [each.void for each in work.record.waves] == [True, True]
    assert len(work.record.evidence) == 1
    assert len(work.record.included[str(wave.slot)]) == 3


async def test_a_file_that_isnt_held_whole(hours: PowHours, history: History) -> None:
    """Of three operators' files each can be missing; two are enough, and say the same of who is honest."""
    wave = await whole_hour(hours)
    full = await hours.work(history, PLAIN_HOUR)
    own = hours.world.operators[0].pubkey()
    missing = bytes.fromhex(full.record.included[str(wave.slot)][str(own)])
    # All wrote the same file, so that one that is missing is missing for all: then the wave is void.
    held = {digest: data for digest, data in hours.files.items() if digest != missing}
    without = await hours.work(history, PLAIN_HOUR, held=held)
    assert codes(without) == of(hours, *[Code.VOID] * 3)
    # A blob of evidence.
    blob = next(digest for digest in hours.files if digest not in hours.names)
    held = {digest: data for digest, data in hours.files.items() if digest != blob}
    assert (await hours.work(history, PLAIN_HOUR, held=held)).record.evidence == {}
    # One that is another under the name of the first counts for nothing either.
    forged = {**hours.files, missing: hours.files[missing] + b"\0"}
    assert codes(await hours.work(history, PLAIN_HOUR, held=forged)) == of(hours, *[Code.VOID] * 3)


async def test_postings_for_other_hours_and_second_ones_say_nothing(
    hours: PowHours, history: History
) -> None:
    wave = await hours.to_wave(PLAIN_HOUR)
    for device in hours.devices:
        hours.says(wave, device)
    nothing = files.write_wave(files.wave_rows([]))
    for hour, slot in ((PLAIN_HOUR - 1, wave.slot), (PLAIN_HOUR + 1, wave.slot), (PLAIN_HOUR, wave.slot + 1)):
        hours.post(2, hour, PostKind.WAVE, slot, nothing)
    hours.seal(wave)
    hours.post(1, PLAIN_HOUR, PostKind.WAVE, wave.slot, nothing)
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(PLAIN_HOUR)
    work = await hours.work(history, PLAIN_HOUR)
    assert codes(work) == of(hours, *[Code.PASS] * 3)
    assert sha256(nothing).hexdigest() not in work.record.included[str(wave.slot)].values()


async def test_one_liar_neither_fails_the_honest_nor_voids_the_hour(
    hours: PowHours, history: History
) -> None:
    """Times, another's commit, signatures, openings that are none or of nobody, rows for nothing."""
    wave = await hours.to_wave(PLAIN_HOUR)
    honest, late, absent = hours.devices
    hours.says(wave, honest, [3_000, 3_000, 2**32 - 1])
    hours.says(wave, late, [DEADLINE + 1, DEADLINE + 1, 0])
    hours.seal(wave)
    right, _ = await hours.opening(wave, honest)
    await hours.opens(wave, honest, [0, 1])
    root = hours.prove(wave, honest).root
    other = hours.keep(b"what nobody else has")
    hours.opened[2] = [
        (wave.slot, honest.account, root, hours.keep(right[:-1] + b"\0"), len(right)),
        (wave.slot, absent.account, root, b"\x05" * 32, len(right)),
        (wave.slot + 1, honest.account, root, other, 20),
        (wave.slot, honest.account, b"\x06" * 32, b"\x07" * 32, 1 << 24),
    ]
    await hours.end(PLAIN_HOUR)
    work = await hours.work(history, PLAIN_HOUR)
    assert codes(work) == of(hours, Code.PASS, Code.LATE, Code.NO_COMMIT)
    assert len(work.record.evidence) == 3
    # Whether one holds what the liar's rows name changes nothing.
    del hours.files[other]
    again = await hours.work(history, PLAIN_HOUR)
    assert again.record.encode() == work.record.encode()


async def test_devices_of_the_hour_itself_dont_drown_the_others(
    hours: PowHours, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever registers many devices in the hour makes honest operators' files longer, and no more."""
    for number in range(4):
        hours.devices.append(hours.device(f"early {number}"))
    known = list(hours.devices)
    hours.world.chain.warp_to(START + HOUR * PLAIN_HOUR)
    fresh = [hours.device(f"late {number}") for number in range(8)]
    wave = await hours.to_wave(PLAIN_HOUR)
    for device in [*known, *fresh]:
        hours.says(wave, device)
    for device in fresh:
        hours.says(wave, device, 8_000, root=b"\x09" * 32)
    hours.seal(wave)
    for device in known:
        await hours.opens(wave, device)
    await hours.end(PLAIN_HOUR)
    work = await hours.work(history, PLAIN_HOUR)
    assert codes(work) == {bytes(each.account): Code.PASS for each in known}
    # They are there, and have done nothing that counts.
    seen = column(work, "work")
    assert {seen[bytes(each.account)] for each in fresh} == {Work.MISSING}


async def test_a_device_that_goes_in_the_hour_is_judged_all_the_same(
    hours: PowHours, history: History
) -> None:
    wave = await hours.to_wave(PLAIN_HOUR)
    for device in hours.devices:
        hours.says(wave, device)
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    gone = hours.devices[1]
    supplier = key(f"supplier of {gone.name}")
    terminate = staking.terminate_device(hours.world.read_device(gone.name))
    hours.world.do(terminate, signers=[supplier])
    await hours.end(PLAIN_HOUR)
    work = await hours.work(history, PLAIN_HOUR)
    assert codes(work) == of(hours, *[Code.PASS] * 3)


async def test_the_threshold_is_that_of_the_hours_end(hours: PowHours, history: History) -> None:
    """Two of two files are enough until three have to agree."""
    world = hours.world
    wave = await hours.to_wave(PLAIN_HOUR)
    for device in hours.devices:
        hours.says(wave, device)
    hours.seal(wave, [0, 1])
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(PLAIN_HOUR, [0, 1])
    found = await hours.chain_hour(history, PLAIN_HOUR)
    assert found.threshold == 2
    before = np.zeros(0, publication.OBSERVED_TABLE)
    assert codes(merge(found, hours.profiles, hours.files, before)) == of(hours, *[Code.PASS] * 3)
    stricter = merge(replace(found, threshold=3), hours.profiles, hours.files, before)
    assert codes(stricter) == of(hours, *[Code.VOID] * 3)
    terms = replace(world.staking_config().params, threshold=3)
    world.do(staking.propose_params(world.admin.pubkey(), terms), signers=[world.admin])
    world.chain.advance(8 * 24 * HOUR)
    world.do(staking.apply_params())
    later = (world.chain.now() - START) // HOUR
    assert (await hours.chain_hour(history, later)).threshold == 3
