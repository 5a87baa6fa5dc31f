"""An hour's verdicts, observations and rewards from files that operators really posted, figure by figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import numpy as np
import pytest

from keeper.clients import staking
from keeper.db import Database
from keeper.economy import emission
from keeper.pow import files
from keeper.pow.anchored import PostKind
from keeper.pow.clock import Wave, WaveKind
from keeper.pow.codes import Code
from keeper.rewards import publication
from keeper.rewards.due import Opening
from keeper.rewards.held import FolderUnreadable, HeldFiles
from keeper.rewards.history import History, HourHistory
from keeper.rewards.merge import HourWork, merge, verified
from keeper.rewards.observed import observations
from keeper.rewards.rows import OBSERVATION, Hour, Work, class_rows, field_rows
from keeper.rewards.work import Remembering, WorkFolder
from keeper.tables import keys
from tests.keeper.operator.network import Device
from tests.keeper.rewards.hours import DEADLINE, HIRED_DEADLINE, PowHours, profiles_in
from tests.keeper.rewards.seen import work_of
from tests.keeper.runtime.conftest import database
from tests.programs.orders.world import OrdersWorld
from tests.programs.staking.world import APPLE_CLASS, StakingWorld
from tests.programs.world import DAY, HOUR, START, START_MONTH, key

__all__ = ["database"]

ABSENT = 1 << 32
PLAIN_HOUR, SPOT_HOUR, RESIDENCY_HOUR = 2, 1, 6
"""What the chain of these tests draws."""
ALL_KINDS = "worker a", "worker b", "worker c"


class Five(StakingWorld):
    """Five operators, three of whom must agree."""

    number, threshold = 5, 3


@pytest.fixture
def hours(tmp_path: Path) -> PowHours:
    return PowHours(tmp_path, StakingWorld.ready(), ALL_KINDS, profiles_in(tmp_path))


@pytest.fixture
async def history(hours: PowHours, database: Database) -> History:
    return await history_of(hours, database)


async def history_of(hours: PowHours, database: Database) -> History:
    found = History(hours.world.chain, database)
    await found.prepare()
    return found


def codes(work: HourWork, slot: int | None = None) -> dict[bytes, Code]:
    """The verdicts of a wave, of the only one unless told otherwise."""
    rows = work.verdicts if slot is None else work.verdicts[work.verdicts["wave"] == slot]
    found = {bytes(row["device"]).ljust(32, b"\0"): Code(row["code"]) for row in rows}
    assert len(found) == len(rows)
    return found


def column(work: HourWork, name: str) -> dict[bytes, int]:
    return {bytes(row["device"]).ljust(32, b"\0"): int(row[name]) for row in work.observed}


def of(hours: PowHours, *values: object) -> dict[bytes, object]:
    """Values of the devices, in their order."""
    return {bytes(device.account): value for device, value in zip(hours.devices, values, strict=True)}


async def whole_hour(hours: PowHours, hour: int = PLAIN_HOUR) -> Wave:
    """An hour in which all went well."""
    wave = await hours.to_wave(hour)
    for device in hours.devices:
        hours.says(wave, device)
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(hour)
    return wave


# -- verdicts ----------------------------------------------------------------------------------


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
    monkeypatch.setattr("keeper.rewards.merge.alpha", lambda load: 1)
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


# -- what counts -------------------------------------------------------------------------------


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


# -- what one operator of several can do ---------------------------------------------------------


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


async def test_an_opening_block_that_isnt_final_yet_is_waited_for(
    hours: PowHours, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an hour of which a node hasn't all blocks."""
    await whole_hour(hours)
    found = await hours.chain_hour(history, PLAIN_HOUR)
    chain = hours.world.chain
    true = type(chain).head
    from keeper.rewards.work import chain_hour  # noqa: PLC0415

    for missing in (found.plan.waves[0].open_from, found.plan.waves[0].slot + 2_000):

        async def behind(self, slot, commitment, missing=missing):
            head = await true(self, slot, commitment)
            return None if head and missing <= head.slot else head

        async def lacks(self, slot, commitment, missing=missing):
            return None if slot == missing else await true(self, slot, commitment)

        for node in (behind, lacks) if missing == found.plan.waves[0].open_from else (behind,):
            monkeypatch.setattr(type(chain), "head", node)
            past = await history.hour(START + HOUR * PLAIN_HOUR)
            assert await chain_hour(chain, hours.network, PLAIN_HOUR, past) is None
    monkeypatch.setattr(type(chain), "head", true)
    assert await chain_hour(chain, hours.network, PLAIN_HOUR, past) is not None


# -- leases and money --------------------------------------------------------------------------


async def test_a_hired_device_may_be_slow_and_earns_nothing(tmp_path: Path, database: Database) -> None:
    """Up to 2.2 T + 1.5 s, while a lease runs at the wave's block."""
    world = OrdersWorld.ready()
    hours = PowHours(tmp_path, world, (), profiles_in(tmp_path))
    history = await history_of(hours, database)
    supplier, renter = world.supplier("supplier"), world.renter("renter")
    for name in ("hired", "hired late", "free"):
        world.let(name, supplier, processors=4)
        hours.devices.append(Device(name, staking.device_address(key(name).pubkey()), 4))
    world.chain.warp_to(START + HOUR * PLAIN_HOUR + 30)
    order = world.order(renter, devices=2)
    for name in ("hired", "hired late"):
        world.run(order, name)
    wave = await hours.to_wave(PLAIN_HOUR)
    for device, ms in zip(hours.devices, (HIRED_DEADLINE, HIRED_DEADLINE + 1, DEADLINE + 1), strict=True):
        hours.says(wave, device, ms)
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(PLAIN_HOUR)
    work = await hours.work(history, PLAIN_HOUR)
    assert codes(work) == of(hours, Code.PASS_SLOW, Code.LATE, Code.LATE)
    assert column(work, "work") == of(hours, Work.SLOW, Work.MISSING, Work.MISSING)


async def test_what_the_hour_pays(hours: PowHours, history: History) -> None:
    """Two that are alike share what there is; who is late for the second time in a day has nothing."""
    folder = hours.folder / "published"
    manifest = None
    for number in range(PLAIN_HOUR + 3):
        start = START + HOUR * number
        if number < PLAIN_HOUR:
            past = await history_at(hours, history, number)
            devices = np.sort(keys(list(past.devices)))
            rows = np.zeros(len(devices), OBSERVATION)
            rows["device"], rows["up_since"] = devices, START - DAY
            rows["online"], rows["work"] = 1, Work.PASSED
            work = work_of(rows, number, start, hours.network)
        else:
            wave = await hours.to_wave(number)
            *two, late = hours.devices
            for device in two:
                hours.says(wave, device)
            hours.says(wave, late, DEADLINE + 1)
            hours.seal(wave)
            for device in two:
                await hours.opens(wave, device)
            await hours.end(number)
            work = await hours.work(history, number, publication.read_observed(folder, number))
            past = await history.hour(start)
        found = field_rows(past.devices, observations(work.observed), past.hired)
        hour = Hour(number, start, emission.cumulative(START_MONTH, number + 1))
        manifest = publication.publish(folder, hour, work, found, class_rows(past.classes, start))
        assert publication.verify(folder, number) == manifest
        table = publication.read_table(folder, manifest, "rewards.csv")
        rewards = {bytes(row["device"]): int(row["reward"]) for row in table}
        first, second, third = (rewards[bytes(each.account)] for each in hours.devices)
        # The first lateness is excused, the second isn't.
        is_paid = number <= PLAIN_HOUR
        assert first == second > 0
        assert third == (first if is_paid else 0)
        assert first + second + third == manifest.paid
        assert 0 <= manifest.pot - manifest.paid < 3


async def history_at(hours: PowHours, history: History, number: int) -> HourHistory:
    """The history of an hour that is over."""
    await hours.chain_hour(history, number)
    return await history.hour(START + HOUR * number)


# -- an operator's folder ------------------------------------------------------------------------


async def test_from_a_folder_each_opening_is_verified_once(
    hours: PowHours, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = await whole_hour(hours)
    asked: list[int] = []

    def counted(openings: Sequence[Opening]) -> list[Code]:
        asked.append(len(openings))
        return verified(openings)

    await hours.chain_hour(history, PLAIN_HOUR)
    past = await history.hour(START + HOUR * PLAIN_HOUR)
    folder = WorkFolder(hours.write(hours.folder / "pow"), hours.profiles, Remembering(counted))
    works = []
    for _ in range(2):
        found = await folder.of(
            hours.world.chain, hours.network, PLAIN_HOUR, past, np.zeros(0, publication.OBSERVED_TABLE)
        )
        assert found is not None
        works.append(found)
    assert codes(works[0]) == codes(works[1]) == of(hours, *[Code.PASS] * 3)
    assert asked == [3, 0]
    # Not more than some are kept, whatever comes.
    monkeypatch.setattr("keeper.rewards.work.REMEMBERED", 2)
    again = await folder.of(
        hours.world.chain, hours.network, PLAIN_HOUR, past, np.zeros(0, publication.OBSERVED_TABLE)
    )
    assert again is not None
    assert (asked, codes(again)) == ([3, 0, 0], codes(works[0]))
    last = await folder.of(
        hours.world.chain, hours.network, PLAIN_HOUR, past, np.zeros(0, publication.OBSERVED_TABLE)
    )
    assert last is not None
    assert (asked[3:], codes(last), wave.hour) == ([1], codes(works[0]), PLAIN_HOUR)


def test_a_folder_that_cant_be_read(tmp_path: Path) -> None:
    assert len(HeldFiles(tmp_path, 3)) == 0
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "wave-1-x.bin").mkdir()
    with pytest.raises(FolderUnreadable, match=r"wave-1-x\.bin|Is a directory"):
        HeldFiles(tmp_path, 3)
    digest = sha256(b"x").digest()
    (tmp_path / "openings" / digest.hex()[:2] / digest.hex()).mkdir(parents=True)
    with pytest.raises(FolderUnreadable, match="openings"):
        HeldFiles(tmp_path, 4)[digest]
    with pytest.raises(KeyError):
        HeldFiles(tmp_path, 4)[bytes(32)]
