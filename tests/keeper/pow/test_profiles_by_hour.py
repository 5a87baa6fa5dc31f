"""Which table of profiles holds when: as the file says, and as whoever had it before has published it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.pow.profiles import ProfilesError, read_profiles
from keeper.pow.profiles_by_hour import ProfilesByHour, read_profiles_by_hour
from keeper.resources import POW_HOURS, POW_PROFILES
from keeper.worker.assemble import profiles_of
from keeper.worker.state import Enrolment
from keeper.worker.work import Device
from tests.keeper.rewards.hours import profiles_in
from tests.programs.staking.world import APPLE_CLASS, GPU_CLASS

FIRST = "1970-01-01T00:00:00Z"
CHANGE, UNIX = "2027-03-01T05:00:00Z", 1_803_877_200


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "hours.json"
    path.write_text(json.dumps({"tables": list(rows)}))
    return path


def row(folder: Path, name: str, since: str, **changed: Any) -> dict[str, Any]:
    (folder / "profiles.json").unlink(missing_ok=True)
    profiles_in(folder, **changed)
    path = (folder / "profiles.json").rename(folder / name)
    return {"from": since, "file": name, "sha256": sha256(path.read_bytes()).hexdigest()}


def test_the_table_that_comes_with_the_keeper() -> None:
    found = read_profiles_by_hour()
    assert found.at(0).hash == read_profiles(POW_PROFILES).hash
    assert {each["file"] for each in json.loads(POW_HOURS.read_text())["tables"]} == {
        path.name for path in POW_HOURS.parent.glob("profiles*.json")
    }


def test_each_holds_until_the_next(tmp_path: Path) -> None:
    rows = [row(tmp_path, "a.json", FIRST), row(tmp_path, "b.json", CHANGE, id=3, K=2048)]
    found = read_profiles_by_hour(written(tmp_path, *rows))
    old, new = (read_profiles(tmp_path / name) for name in ("a.json", "b.json"))
    assert [found.at(time).hash for time in (-5, 0, UNIX - 1)] == [old.hash] * 3
    assert [found.at(time).hash for time in (UNIX, UNIX + 1, 1 << 40)] == [new.hash] * 3
    assert found.knows(old.hash)
    assert found.knows(new.hash)
    assert not found.knows(bytes(32))
    assert found.hash != ProfilesByHour([(0, old), (UNIX + 3600, new)]).hash
    assert found.classes == {GPU_CLASS, APPLE_CLASS}
    # A table alone holds always, and names itself.
    assert (old.at(UNIX), old.knows(old.hash), old.knows(new.hash)) == (old, True, False)


def test_a_worker_goes_over_with_the_hour_of_a_wave(tmp_path: Path) -> None:
    rows = [row(tmp_path, "a.json", FIRST), row(tmp_path, "b.json", CHANGE, id=3, K=2048)]
    found = read_profiles_by_hour(written(tmp_path, *rows))
    signer = Keypair()
    enrolled = Enrolment(Pubkey.default(), GPU_CLASS, 0, 1, "numpy", 1)
    now, later = profiles_of(enrolled, found, UNIX - 1)
    assert (now.id, [(since, each.id) for since, each in later]) == (0, [(UNIX, 3)])
    device = Device(Pubkey.default(), now, 1, signer, later)
    assert [device.at(time).profile.id for time in (UNIX - 1, UNIX, UNIX + 9)] == [0, 3, 3]
    after, none = profiles_of(enrolled, found, UNIX)
    assert (after.id, none) == (3, ())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"from": "2027-03-01T05:00:01Z"}, "whole hours"),
        ({"from": FIRST}, "in their order"),
        ({"from": "tomorrow"}, "no time such as"),
        ({"from": None}, "each a text"),
        ({"sha256": "ab" * 32}, "never changes"),
        ({"file": "nowhere.json"}, "nowhere.json"),
        ({"more": "1"}, "fields are"),
    ],
)
def test_what_is_no_table_of_tables(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    rows = [row(tmp_path, "a.json", FIRST), row(tmp_path, "b.json", CHANGE, id=3)]
    with pytest.raises(ProfilesError, match=words):
        read_profiles_by_hour(written(tmp_path, rows[0], {**rows[1], **change}))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"tables": 1}', '{"tables": []}', '{"tables": [1]}'])
def test_no_file_of_tables(tmp_path: Path, text: str) -> None:
    (tmp_path / "hours.json").write_text(text)
    with pytest.raises(ProfilesError, match="profiles by hour"):
        read_profiles_by_hour(tmp_path / "hours.json")


def test_a_table_of_a_rule_that_isnt_known(tmp_path: Path) -> None:
    with pytest.raises(ProfilesError, match="it goes with rule 6, which this version doesn't know: upgrade"):
        profiles_in(tmp_path, rule=6)


def test_the_same_id_is_the_same_work_for_ever(tmp_path: Path) -> None:
    rows = [row(tmp_path, "a.json", FIRST), row(tmp_path, "b.json", CHANGE, K=2048)]
    with pytest.raises(ProfilesError, match="profile 0 is another in a later table: give it a new id"):
        read_profiles_by_hour(written(tmp_path, *rows))
    # Another class may come to do it.
    moved = [rows[0], row(tmp_path, "b.json", CHANGE, classes=[GPU_CLASS, 9])]
    assert read_profiles_by_hour(written(tmp_path, *moved)).at(UNIX).of_class(9) is not None
