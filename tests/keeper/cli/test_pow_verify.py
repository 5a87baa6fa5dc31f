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
from keeper.rewards import publishing
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
    manifest = publishing.publish(folder / "rewards", hour, seen, rows, class_rows(past.classes, START))
    for record in world.attest(0, manifest.attestation):
        assert record.error is None
    hours.write(folder / "pow")
    world.chain.save(folder / "test.chain")
    await database.close()
    return hours


@pytest.fixture
def profiles(monkeypatch, tmp_path):
    table = profiles_in(tmp_path)
    monkeypatch.setattr(command, "read_profiles_by_hour", lambda _: table)


OUTCOME = {"hour": 0, "blocks": True, "known_profiles": True, "verified": 2, "finding": None}


def run(ionet, *arguments):
    given = ("--chain", "test.chain", "--dir", "rewards", "--pow", "pow", *arguments)
    return ionet("pow", "verify", "--hour", 0, *given)


def test_an_honest_hour(ionet, profiles, tmp_path):
    hours = asyncio.run(made(tmp_path, honest=True))
    code, out, err = run(ionet)
    assert (code, err) == (0, "")
    assert out == "emission hour 0: 2 openings verified; all follows from the chain and the files\n"
    code, out, _ = run(ionet, "--json", "--sample", 1)
    assert (code, json.loads(out)) == (0, OUTCOME | {"verified": 1})
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
    assert f"emission hour 0, device {hours.devices[1].account}, wave {finding['wave']}:" in words


def test_a_network_with_profiles_of_its_own_as_the_demo_is_one(ionet, tmp_path):
    asyncio.run(made(tmp_path, honest=True))
    code, _, err = run(ionet)
    assert (code, "which this version doesn't know: upgrade ionet" in " ".join(err.split())) == (1, True)
    beside = tmp_path / "pow/profiles.json"
    shutil.copy(tmp_path / "profiles.json", beside)
    code, out, err = run(ionet)
    assert (code, err) == (0, "")
    assert "Profiles are not ionet's" in out
    assert out.endswith("emission hour 0: 2 openings verified; all follows from the chain and the files\n")
    code, out, _ = run(ionet, "--json")
    assert (code, json.loads(out)) == (0, OUTCOME | {"known_profiles": False})
    # The hour's files name its hash: work can't be made easier afterwards.
    beside.write_text(beside.read_text().replace('"q": 24', '"q": 1'))
    code, _, err = run(ionet)
    assert (code, "another table, or was changed" in " ".join(err.split())) == (1, True)
    beside.write_text("{")
    code, _, err = run(ionet)
    assert (code, "profiles pow/profiles.json" in " ".join(err.split())) == (1, True)


def test_a_file_that_was_changed_is_named(ionet, profiles, tmp_path):
    asyncio.run(made(tmp_path, honest=True))
    shutil.copytree("pow", "whole")
    opening = min(path for path in Path("pow/openings").rglob("*") if path.is_file())
    of_hour = {kind: sorted(Path("pow/0").glob(f"{kind}-*.bin")) for kind in ("wave", "evidence", "ping")}
    # Operators that saw the same have the same files: with one of them left, nothing is missing.
    for kind, paths in {**of_hour, "opening": [opening]}.items():
        for path in paths:
            data = bytearray(path.read_bytes())
            data[-1] ^= 1
            path.write_bytes(data)
        code, out, err = run(ionet)
        assert (code, len(err.splitlines())) == (1, len(paths)), kind
        for path in paths:
            assert f"{path}: its SHA-256 is " in err
        what = "WAVE" if kind == "wave" else "EVIDENCE"
        assert f"{what} file is stated as" in " ".join(out.split()), kind
        for path in paths:
            path.write_bytes((Path("whole") / path.relative_to("pow")).read_bytes())
    for name in ("inputs.csv", "verdicts.csv", "pow.json"):
        path = Path("rewards/0") / name
        data = path.read_bytes()
        path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
        code, _, err = run(ionet)
        assert (code, f"{path.name} is not the file that the manifest names" in " ".join(err.split())) == (
            1,
            True,
        )
        path.write_bytes(data)
    assert run(ionet)[0] == 0
