"""``ionet pow verify``: from a chain, published hours and operators' files to a word about all of them."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from keeper.cli import pow as command
from keeper.db import Database
from keeper.economy import emission
from keeper.pow.codes import Code
from keeper.rewards import publication
from keeper.rewards.history import History
from keeper.rewards.merge import HourWork
from keeper.rewards.observed import observations
from keeper.rewards.rows import Hour, class_rows, field_rows
from tests.keeper.api.serving import serving
from tests.keeper.rewards.hours import DEADLINE, PowHours, profiles_in
from tests.programs.staking.world import StakingWorld
from tests.programs.world import HOUR, START, START_MONTH


async def made(folder: Path, *, honest: bool) -> PowHours:
    """Hour 0 with two devices, one of them late: published, agreed on and saved, or with a false verdict."""
    world = StakingWorld.ready(now=START - HOUR)
    hours = PowHours(folder, world, ("worker a", "worker late"), profiles_in(folder))
    database = Database(f"sqlite:///{folder}/made.db")
    await database.upgrade()
    history = History(world.chain, database)
    await history.prepare()
    wave = await hours.to_wave(0)
    for device, ms in zip(hours.devices, (7_000, DEADLINE + 1), strict=True):
        hours.says(wave, device, ms)
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(0)
    work, past = await hours.work(history, 0), await history.hour(START)
    verdicts = work.verdicts.copy()
    if not honest:
        verdicts["code"][verdicts["code"] == Code.LATE] = Code.PASS
    seen = HourWork(work.record, verdicts, work.observed)
    rows = field_rows(past.devices, observations(work.observed), past.hired)
    hour = Hour(0, START, emission.cumulative(START_MONTH, 1))
    manifest = publication.publish(folder / "rewards", hour, seen, rows, class_rows(past.classes, START))
    for record in world.attest(0, manifest.attestation):
        assert record.error is None
    hours.write(folder / "pow")
    world.chain.save(folder / "test.chain")
    await database.close()
    return hours


@pytest.fixture
def profiles(monkeypatch, tmp_path):
    table = profiles_in(tmp_path)
    monkeypatch.setattr(command, "read_profiles_by_hour", lambda: table)


def run(ionet, *arguments):
    given = ("--chain", "test.chain", "--dir", "rewards", "--pow", "pow", *arguments)
    return ionet("pow", "verify", "--hour", 0, *given)


def test_an_honest_hour(ionet, profiles, tmp_path):
    hours = asyncio.run(made(tmp_path, honest=True))
    code, out, err = run(ionet)
    assert (code, err) == (0, "")
    assert out == "hour 0: 2 openings verified; all follows from the chain and the files\n"
    code, out, _ = run(ionet, "--json", "--sample", 1)
    assert (code, json.loads(out)) == (0, {"hour": 0, "blocks": True, "verified": 1, "finding": None})
    code, out, _ = run(ionet, "--no-blocks", "--device", hours.devices[0].account)
    assert (code, "Blocks are not checked" in out, "1 openings verified" in out) == (0, True, True)

    # From whoever serves it, the hour as well as the files.
    shutil.move("rewards", "theirs")
    with serving(Path("theirs")) as url:
        code, out, _ = run(ionet, "--from", url)
        assert (code, "2 openings verified" in out) == (0, True)
        # Without operators' files it says which can't be had.
        shutil.move("pow", "elsewhere")
        code, out, _ = run(ionet, "--from", url)
        assert (code, "WAVE file is stated as" in out, "nowhere to be had" in out.replace("\n", " ")) == (
            1,
            True,
            True,
        )
    code, _, err = run(ionet)
    assert (code, "hour 0 isn't in rewards, and nobody serves it" in " ".join(err.split())) == (1, True)


def test_a_false_verdict_is_named(ionet, profiles, tmp_path):
    hours = asyncio.run(made(tmp_path, honest=False))
    code, out, _ = run(ionet, "--json")
    finding = json.loads(out)["finding"]
    assert (code, finding["check"], finding["what"]) == (1, "verdict", "code")
    assert (finding["stated"], finding["found"]) == ("PASS", "LATE")
    assert finding["device"] == str(hours.devices[1].account)
    code, out, _ = run(ionet)
    words = " ".join(out.split())
    assert (code, "code is stated as PASS, but it is LATE" in words) == (1, True)
    assert f"hour 0, device {hours.devices[1].account}, wave {finding['wave']}:" in words
