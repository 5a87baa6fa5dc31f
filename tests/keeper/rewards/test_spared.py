"""Devices that are spared the memory test as they were hired a moment ago, and what they may do."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.clients import staking
from keeper.db import Database
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.rewards.merge import merge, processors_shown
from keeper.rewards.rows import Work
from tests.keeper.operator.network import Device
from tests.keeper.rewards.hours import DEADLINE, FIRST, HIRED_DEADLINE, T_MS, PowHours, profiles_in
from tests.keeper.rewards.merged import PLAIN_HOUR, RESIDENCY_HOUR, codes, column, history_of, of
from tests.keeper.runtime.conftest import database
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import HOUR, START, key

__all__ = ["database"]


@pytest.fixture
def hours(tmp_path: Path) -> PowHours:
    """Four devices; all but the last are hired from shortly before hour 6 on, whose wave tests memory."""
    world = OrdersWorld.ready()
    hours = PowHours(tmp_path, world, (), profiles_in(tmp_path))
    supplier, renter = world.supplier("supplier"), world.renter("renter")
    names = "plot", "product", "slow", "free"
    for name in names:
        world.let(name, supplier, processors=4)
        hours.devices.append(Device(name, staking.device_address(key(name).pubkey()), 4))
    world.chain.warp_to(START + HOUR * RESIDENCY_HOUR + 30)
    order = world.order(renter, devices=3)
    for name in names[:3]:
        world.run(order, name)
    return hours


async def test_a_hired_device_may_do_either(
    hours: PowHours, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is hired the chain knows to the second, and a device not: its work counts either way."""
    monkeypatch.setattr("keeper.pow.clock.RESIDENCY_SHARE", 1)
    history = await history_of(hours, database)
    wave = await hours.to_wave(RESIDENCY_HOUR)
    assert wave.kind is WaveKind.RESIDENCY
    plot, product, slow, free = hours.devices
    await hours.resides(wave, plot, DEADLINE)
    hours.says(wave, product, DEADLINE)
    await hours.resides(wave, slow, HIRED_DEADLINE)
    hours.says(wave, free)
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(RESIDENCY_HOUR)
    work = await hours.work(history, RESIDENCY_HOUR)
    assert codes(work) == of(hours, Code.PASS, Code.PASS, Code.PASS_SLOW, Code.NO_COMMIT)
    assert column(work, "work") == of(hours, Work.PASSED, Work.PASSED, Work.SLOW, Work.MISSING)
    kinds = {bytes(row["device"]).ljust(32, b"\0"): WaveKind(row["kind"]) for row in work.verdicts}
    assert kinds == of(hours, WaveKind.RESIDENCY, WaveKind.PRODUCT, WaveKind.RESIDENCY, WaveKind.RESIDENCY)


@pytest.mark.parametrize("number", [PLAIN_HOUR, RESIDENCY_HOUR])
async def test_a_hired_device_is_paid_for_the_processors_that_its_time_tells(
    tmp_path: Path, database: Database, number: int
) -> None:
    """Four claimed and three real pass by time: only the memory test would tell, and it is spared that."""
    profiles = profiles_in(tmp_path, rule=4)
    world = OrdersWorld.ready()
    hours = PowHours(tmp_path, world, (), profiles)
    history = await history_of(hours, database)
    supplier, renter = world.supplier("supplier"), world.renter("renter")
    names = "four", "three", "free"
    for name in names:
        world.let(name, supplier, processors=4)
        hours.devices.append(Device(name, staking.device_address(key(name).pubkey()), 4))
    world.chain.warp_to(START + HOUR * number + 30)
    order = world.order(renter, devices=2)
    for name in names[:2]:
        world.run(order, name)
    wave = await hours.to_wave(number)
    four, three, free = hours.devices
    hours.says(wave, four, T_MS * 115 // 100)
    hours.says(wave, three, T_MS * 4 // 3)
    if wave.kind is WaveKind.RESIDENCY:
        await hours.resides(wave, free, DEADLINE)
    else:
        hours.says(wave, free, DEADLINE)
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(number)
    work = await hours.work(history, number)
    assert codes(work) == of(hours, *[Code.PASS] * 3)
    assert column(work, "processors_shown") == of(hours, 4, 3, 0)
    # By rule 3 all were paid.
    before = merge(await hours.chain_hour(history, number), profiles_in(tmp_path), hours.files, FIRST)
    assert set(column(before, "processors_shown").values()) == {0}


@pytest.mark.parametrize(
    ("claimed", "ms", "shown"),
    [(8, 9_200, 8), (8, 9_201, 7), (8, 10_667, 6), (8, 11_900, 6), (2, 11_900, 1), (1, 19_100, 1), (8, 0, 8)],
)
def test_processors_by_time(claimed: int, ms: int, shown: int) -> None:
    assert processors_shown(claimed, 8_000, ms) == shown
