"""An old and a new package side by side: until a change's hour both find the same, then one says why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from keeper.db import Database
from keeper.economy import emission
from keeper.pow.clock import Wave
from keeper.pow.codes import Code
from keeper.pow.profiles import Profiles
from keeper.pow.profiles_by_hour import ByHour, ProfilesByHour, ProfilesUnknown
from keeper.rewards import audit, publication, publishing
from keeper.rewards.history import History
from keeper.rewards.merge import HourWork
from keeper.rewards.named import nothing
from keeper.rewards.observed import observations
from keeper.rewards.rows import Hour, class_rows, field_rows
from keeper.rewards.work import Again, WorkFolder
from tests.keeper.rewards.hours import FIRST, PowHours, profiles_in
from tests.keeper.runtime.conftest import database
from tests.programs.staking.world import StakingWorld
from tests.programs.world import HOUR, START, START_MONTH

__all__ = ["database"]

CHANGE = START + HOUR
"""Hour 0 is proven with the old table, hour 1 with the new one."""


class Packages:
    """Two hours of two devices, whose operators went over to another table together; and their packages."""

    def __init__(self, folder: Path, database: Database) -> None:
        for name in ("old", "new"):
            (folder / name).mkdir()
        self.old = profiles_in(folder / "old")
        self.table = profiles_in(folder / "new", rule=5, id=3, K=2048)
        self.new = ProfilesByHour([(0, self.old), (CHANGE, self.table)])
        world = StakingWorld.ready(now=START - HOUR)
        self.hours = PowHours(folder, world, ("worker a", "worker b"), self.old)
        self.history = History(world.chain, database)
        self.folder = folder

    async def pass_by(self) -> None:
        """Both hours, in which all went well."""
        await self.history.prepare()
        for number, table in enumerate((self.old, self.table)):
            await self._hour(number, table)
        self.files = self.hours.write(self.folder / "pow")

    async def _hour(self, number: int, table: Profiles) -> Wave:
        hours = self.hours
        hours.profiles = table
        wave = await hours.to_wave(number)
        for device in hours.devices:
            hours.says(wave, device)
        hours.seal(wave)
        for device in hours.devices:
            await hours.opens(wave, device)
        await hours.end(number)
        await hours.chain_hour(self.history, number)
        return wave

    async def work(self, profiles: ByHour, number: int, before: HourWork | None = None) -> HourWork:
        """What a package makes of an hour."""
        past, chain = await self.history.hour(START + HOUR * number), self.hours.world.chain
        seen = before.observed if before else FIRST
        found = await WorkFolder(self.files, profiles).of(chain, self.hours.network, number, past, seen)
        assert found is not None
        return found

    async def again(self, profiles: ByHour, work: HourWork, before: HourWork) -> Again | None:
        """What a package makes of an hour that others agreed on, by the files that it names."""
        past, chain = await self.history.hour(START + HOUR * work.record.hour), self.hours.world.chain
        folder = WorkFolder(self.files, profiles)
        return await folder.again(chain, self.hours.network, past, before.observed, work.record, nothing)

    async def publish(self, work: HourWork) -> audit.Published:
        number = work.record.hour
        past = await self.history.hour(START + HOUR * number)
        hour = Hour(number, START + HOUR * number, emission.cumulative(START_MONTH, number + 1))
        rows = field_rows(past.devices, observations(work.observed), past.hired)
        place = self.folder / "published"
        publishing.publish(place, hour, work, rows, class_rows(past.classes, hour.start))
        return audit.read(place, number)

    async def audit(self, profiles: ByHour, published: audit.Published) -> audit.Finding | None:
        number = published.record.hour
        past = await self.history.hour(START + HOUR * number)
        hours, sampled = self.hours, audit.Sampled(published)
        found = await audit.audit(
            hours.world.chain, hours.network, past, published, profiles, hours.files, nothing, sampled
        )
        return found.finding


def codes(work: HourWork) -> set[Code]:
    return {Code(row["code"]) for row in work.verdicts} - {Code.VOID}


@pytest.fixture
async def packages(tmp_path: Path, database: Database) -> Packages:
    found = Packages(tmp_path, database)
    await found.pass_by()
    return found


async def test_both_find_the_same_until_the_changes_hour(packages: Packages) -> None:
    first = await packages.work(packages.new, 0)
    assert (codes(first), first.record.profiles) == ({Code.PASS}, packages.old.hash.hex())
    old = await packages.work(packages.old, 0)
    assert old.record == first.record
    assert old.observed.tobytes() == first.observed.tobytes()
    second = await packages.work(packages.new, 1, first)
    assert (codes(second), second.record.profiles) == ({Code.PASS}, packages.table.hash.hex())
    # Devices that go by the new one did none of the work that an old package knows.
    assert codes(await packages.work(packages.old, 1, first)) == {Code.NO_COMMIT}


async def test_an_old_package_says_that_it_is_old(packages: Packages) -> None:
    first = await packages.work(packages.new, 0)
    second = await packages.work(packages.new, 1, first)
    words = f"hour 1 was proven with profiles {packages.table.hash.hex()}, which this version doesn't know"
    with pytest.raises(ProfilesUnknown, match=f"{words}: upgrade"):
        await packages.again(packages.old, second, first)
    assert await packages.again(packages.new, second, first) is not None
    assert await packages.audit(packages.old, await packages.publish(first)) is None
    published = await packages.publish(second)
    with pytest.raises(ProfilesUnknown, match=f"{words}: upgrade"):
        await packages.audit(packages.old, published)


async def test_a_new_package_verifies_hours_from_before(packages: Packages) -> None:
    first = await packages.work(packages.new, 0)
    second = await packages.work(packages.new, 1, first)
    for work in (first, second):
        assert await packages.audit(packages.new, await packages.publish(work)) is None
    assert [publication.read_manifest(packages.folder / "published", hour).rule for hour in (0, 1)] == [3, 5]
    # A column that came with rule 5 isn't in an hour of before, whose devices have shown enough.
    heads = [(packages.folder / f"published/{hour}/observed.csv").open().readline() for hour in (0, 1)]
    assert heads[1] == heads[0].rstrip() + ",unshown\n"
    assert second.observed["unshown"].tolist() == [0, 0]
    finding = await packages.audit(packages.new, await packages.publish(replace(second, rule=3)))
    assert finding is not None
    assert (finding.check, finding.what, finding.stated, finding.found) == ("record", "rule", "3", "5")
    # Who names a table that holds in another hour is to blame.
    false = replace(second, record=replace(second.record, profiles=packages.old.hash.hex()))
    finding = await packages.audit(packages.new, await packages.publish(false))
    assert finding is not None
    assert (finding.check, finding.what, finding.found) == ("record", "profiles", packages.table.hash.hex())
