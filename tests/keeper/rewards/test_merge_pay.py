"""What a merged hour pays, to the hired, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from keeper.clients import staking
from keeper.db import Database
from keeper.economy import emission
from keeper.pow.codes import Code
from keeper.rewards import publication, publishing, recomputed
from keeper.rewards.history import History, HourHistory
from keeper.rewards.observed import observations
from keeper.rewards.rows import OBSERVATION, Hour, Work, class_rows, field_rows
from keeper.tables import keys
from tests.keeper.operator.network import Device
from tests.keeper.rewards.hours import DEADLINE, HIRED_DEADLINE, PowHours, profiles_in
from tests.keeper.rewards.merged import (
    PLAIN_HOUR,
    codes,
    column,
    history,
    history_of,
    hours,
    of,
)
from tests.keeper.rewards.seen import work_of
from tests.keeper.runtime.conftest import database
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import DAY, HOUR, START, START_MONTH, key

__all__ = ["database", "history", "hours"]


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
        manifest = publishing.publish(folder, hour, work, found, class_rows(past.classes, start))
        assert recomputed.verify(folder, number) == manifest
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
