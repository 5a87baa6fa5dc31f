"""An operator that came to something else than others: it follows what is right, and nobody's lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from keeper.clients import staking
from keeper.clients.staking import BlockStatus
from keeper.economy import emission
from keeper.jobs.blocks import AGAIN_SECONDS, ATTEST_SECONDS
from keeper.rewards import publication, publishing, recomputed
from keeper.rewards.held import HeldFiles
from keeper.rewards.merge import HourWork
from keeper.rewards.observed import observations
from keeper.rewards.publication import FILES, MANIFEST
from keeper.rewards.rows import Hour, Work, class_rows, field_rows
from keeper.rewards.work import WorkFolder
from tests.keeper.api.serving import serving
from tests.keeper.jobs.test_convergence import (
    HOUR_1,
    WORKERS,
    Five,
    Group,
    Member,
    first_hour,
    group_of,
    in_wave,
    rewards,
    to_evidence,
)
from tests.keeper.operator.network import Net
from tests.keeper.rewards.hours import profiles_in
from tests.programs.world import START_MONTH


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path, WORKERS, Five.ready(challenge_window=60))


async def to_the_rounds(net: Net, group: Group, *, answered: bool) -> None:
    """An hour with one wave that everybody saw, and one that everybody missed."""
    await first_hour(net, group)
    for each in group.members:
        await each.operator.step()
    await in_wave(group, 1, [None] * 5)
    await to_evidence(group, restarted=None, answered=answered)
    net.world.chain.warp_to(HOUR_1 + ATTEST_SECONDS)
    for member in group.honest:
        await member.operator.step()


def vote(group: Group, numbers: Sequence[int], said: staking.Attestation) -> None:
    """Operators attest this, whatever they hold."""
    for record in group.net.world.attest(1, said, [group.members[each].key for each in numbers]):
        assert record.error is None, record.logs


def files_of(folder: Path, hour: int = 1) -> dict[str, bytes]:
    return {name: (folder / str(hour) / name).read_bytes() for name in (*FILES, MANIFEST)}


async def agreed_hour(net: Net) -> str:
    """The data hash that was agreed on."""
    block = (await staking.read_hours(net.world.chain, [1]))[1]
    assert block.status == BlockStatus.AGREED
    return block.data_hash.hex()


@pytest.mark.parametrize("extra", [True, False], ids=["a file more", "a file less"])
async def test_one_file_more_or_less_than_others(net: Net, empty_sqlite: Path, extra: bool) -> None:
    """What others agreed on is right by the files that it names: it is taken over, money and all."""
    async with group_of(net, empty_sqlite) as group:
        await to_the_rounds(net, group, answered=extra)
        lone, second, third = group.honest
        if extra:
            await group.hand(3, 0)
        else:
            await group.hand(3, 1)
            await third.operator.step()
        for each in group.honest:
            await each.attest()
        assert second.hash() == third.hash() != lone.hash()
        manifest = publication.read_manifest(second.rewards, 1)
        vote(group, [3], manifest.attestation)
        assert await agreed_hour(net) == second.hash()
        own = files_of(lone.rewards)

        # Alone it stops, and keeps its own.
        with capture_logs() as logs:
            await lone.attest()
        (told,) = [each for each in logs if each["event"] == "block.differs"]
        assert (told["log_level"], told["hour"]) == ("error", 1)
        assert told["reason"] == "no peer has the hour's files as they are on chain"
        assert files_of(lone.rewards) == own

        net.world.chain.advance(AGAIN_SECONDS)
        with serving(second.rewards) as url, capture_logs() as logs:
            await lone.attest([url, second.url])
        (told,) = [each for each in logs if each["event"] == "block.adopted"]
        assert (told["log_level"], told["hour"], told["root"]) == ("warning", 1, manifest.root)
        assert "block.differs" not in {each["event"] for each in logs}
        assert files_of(lone.rewards) == files_of(second.rewards)
        # The files that the hour was made of are here now, for whatever they may prove.
        record = publication.read_record(lone.rewards, manifest)
        named = {each for found in record.included.values() for each in found.values()}
        held = HeldFiles(lone.folder / "pow", 1)
        assert {bytes.fromhex(each) for each in (*named, *record.evidence.values())} <= set(held)
        assert not (lone.rewards / ".adopt").exists()
        assert recomputed.verify(lone.rewards, 1) == manifest
        paid = rewards(lone)
        *punctual, late = (paid[each.name] for each in net.devices)
        assert late == 0
        assert all(each > 0 for each in punctual), "whether or not operators listened for pings"

        # And it goes on from there: the next hour is the same for all.
        net.world.chain.warp_to(HOUR_1 + 3_600 + ATTEST_SECONDS)
        for each in (lone, second):
            await each.operator.step()
            await each.attest()
        assert lone.hash(2) == second.hash(2)
        assert publication.read_manifest(lone.rewards, 2).previous == manifest.hash


async def test_an_operator_with_an_old_package_is_told_to_upgrade(net: Net, empty_sqlite: Path) -> None:
    """It attests nothing more, and goes on from the hour once it has the table that others went by."""
    async with group_of(net, empty_sqlite) as group:
        await to_the_rounds(net, group, answered=True)
        lone, second, _ = group.honest
        (net.folder / "old").mkdir()
        table, lone.work = lone.work, WorkFolder(lone.folder / "pow", profiles_in(net.folder / "old"))
        for each in group.honest:
            await each.attest()
        vote(group, [3], publication.read_manifest(second.rewards, 1).attestation)
        assert await agreed_hour(net) == second.hash() != lone.hash()
        with serving(second.rewards) as url:
            with capture_logs() as logs:
                await lone.attest([url, second.url])
            (told,) = [each for each in logs if each["event"] == "block.differs"]
            words = "which this version doesn't know: upgrade"
            assert f"was proven with profiles {net.profiles.hash.hex()}, {words}" in told["reason"]
            net.world.chain.advance(AGAIN_SECONDS)
            lone.work = table
            await lone.attest([url, second.url])
        assert lone.hash() == second.hash()


async def test_what_is_wrong_by_its_own_files_is_nobodys_to_follow(net: Net, empty_sqlite: Path) -> None:
    """Three of five agree on an hour that pays who was late: its files fit each other, but not the proofs."""
    async with group_of(net, empty_sqlite) as group:
        await to_the_rounds(net, group, answered=False)
        lone, forger, _ = group.honest
        await lone.attest()
        own = files_of(lone.rewards)
        await forge(net, forger)
        vote(group, [1, 3, 4], publication.read_manifest(forger.rewards, 1).attestation)
        assert await agreed_hour(net) == forger.hash()
        with serving(forger.rewards) as url, capture_logs() as logs:
            await lone.attest([url, forger.url])
            # Not at each run anew: it costs minutes.
            await lone.attest([url, forger.url])
        (told,) = [each for each in logs if each["event"] == "block.differs"]
        assert told["reason"] == "by the files that it names, observed.csv comes out otherwise"
        assert files_of(lone.rewards) == own


async def forge(net: Net, forger: Member) -> None:
    """Publish hour 1 with a device's work passed that wasn't; the rest follows by the rule."""
    assert await forger.history.knows(HOUR_1 + 3_900)
    past = await forger.history.hour(HOUR_1)
    before = publication.read_observed(forger.rewards, 1)
    found = await forger.work.of(net.world.chain, forger.operator.desk.network, 1, past, before)
    assert found is not None
    observed = found.observed.copy()
    late = net.devices[-1].account
    observed["work"][observed["device"] == np.bytes_(bytes(late))] = Work.PASSED
    assert (observed["work"] == Work.PASSED).all()
    work = HourWork(found.record, found.verdicts, observed)
    hour = Hour(1, HOUR_1, emission.cumulative(START_MONTH, 2))
    rows = field_rows(past.devices, observations(observed), past.hired)
    publishing.publish(forger.rewards, hour, work, rows, class_rows(past.classes, HOUR_1))
    recomputed.verify(forger.rewards, 1)
