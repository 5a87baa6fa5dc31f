"""What an hour comes to in tests: a world of three devices, and what the merge said of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.db import Database
from keeper.pow.clock import Wave
from keeper.pow.codes import Code
from keeper.rewards.history import History
from keeper.rewards.merge import HourWork
from tests.keeper.rewards.hours import PowHours, profiles_in
from tests.keeper.runtime.conftest import database
from tests.programs.staking.world import StakingWorld

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
