"""A release: made twice of a commit, the same each time, with what it is made of. No source is built here."""

import hashlib
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import jsonschema_rs
import pytest

from toolchain import release, sbom
from toolchain.calls import Failed
from toolchain.programs import MANIFEST, ROOT

MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def git(folder: Path, *arguments: str) -> str:
    own = ("-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *own, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This one's files, committed alone."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in git(ROOT, "ls-files", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "all", "--date=2026-03-04T05:06:07Z")
    return folder


@pytest.fixture(scope="module")
def made(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    seen = []
    result = release.release(checkout, tmp_path_factory.mktemp("out") / "dist", seen.append)
    assert len(set(seen)) == 2, "built in two folders"
    return result


def test_its_list_names_every_file_by_its_hash(made: Path) -> None:
    assert (
        subprocess.run(
            ["sha256sum", "-c", "--quiet", "--strict", release.SUMS], cwd=made, check=False
        ).returncode
        == 0
    )
    listed = dict(reversed(line.split("  ")) for line in (made / release.SUMS).read_text().splitlines())
    assert set(listed) == {
        each.relative_to(made).as_posix() for each in made.rglob("*") if each.is_file()
    } - {release.SUMS}


def test_it_has_the_commit_s_programs_and_interfaces(checkout: Path, made: Path) -> None:
    assert (made / "COMMIT").read_text().strip() == git(checkout, "rev-parse", "HEAD").strip()
    programs = json.loads((ROOT / MANIFEST).read_text())["programs"]
    for name, about in programs.items():
        binary = made / "programs" / f"{name}.so"
        if name == "probe":
            assert not binary.exists()
            continue
        assert hashlib.sha256(binary.read_bytes()).hexdigest() == about["sha256"]
        assert (made / f"idl/{name}.json").read_bytes() == (ROOT / f"idl/{name}.json").read_bytes()
    (wheel,) = made.glob("*.whl")
    (sdist,) = made.glob("*.tar.gz")
    assert wheel.name.startswith(f"{made.name}-") and sdist.name == f"{made.name}.tar.gz"


def test_what_is_not_committed_is_told(checkout: Path, tmp_path: Path) -> None:
    (checkout / "left.txt").touch()
    try:
        with pytest.raises(Failed, match=r"(?s)of a commit; commit these first.*left\.txt"):
            release.release(checkout, tmp_path, lambda place: None)
    finally:
        (checkout / "left.txt").unlink()


def test_sources_that_make_something_else_make_no_release(checkout: Path, tmp_path: Path) -> None:
    def differ(place: Path) -> None:
        raise Failed(f"{place.name}: staking.so is not the one in the manifest")

    with pytest.raises(Failed, match=r"staking\.so"):
        release.release(checkout, tmp_path / "dist", differ)
    assert not (tmp_path / "dist").exists()


def test_the_first_file_that_differs_is_named(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        (folder / "web").mkdir(parents=True)
        (folder / "a").write_text("1")
    release.compare(first, second)
    (second / "web/b.js").touch()
    with pytest.raises(Failed, match=r"^web/b\.js comes out otherwise"):
        release.compare(first, second)
    (first / "a").write_text("2")
    with pytest.raises(Failed, match=r"^a comes out"):
        release.compare(first, second)


def test_the_bill_of_materials_is_what_the_locks_name(made: Path) -> None:
    bill = json.loads((made / f"{made.name}.cdx.json").read_text())
    found = {(each["properties"][0]["value"], each["purl"]) for each in bill["components"]}
    python = re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / sbom.PYTHON).read_text(), re.MULTILINE)
    assert {(str(sbom.PYTHON), f"pkg:pypi/{name}@{version}") for name, version in python} == {
        pair for pair in found if pair[0] == str(sbom.PYTHON)
    }
    crates = re.findall(r'name = "(.*)"\nversion = "(.*)"\nsource', (ROOT / sbom.CRATES).read_text())
    assert {purl for lock, purl in found if lock == str(sbom.CRATES)} == {
        f"pkg:cargo/{name}@{version.replace('+', '%2B')}" for name, version in crates
    }
    assert len(bill["components"]) == len({each["bom-ref"] for each in bill["components"]})
    assert all(each["hashes"] for each in bill["components"])


def test_what_only_tests_need_is_told_from_what_users_run() -> None:
    scopes = {each.name: each.shipped for each in sbom.of_python(ROOT, sbom.PYTHON)}
    assert scopes["solders"] and scopes["alembic"] and scopes["mako"], "what alembic brings, too"
    assert not scopes["pytest"] and not scopes["cyclonedx-python-lib"] and not scopes["py-serializable"]


def test_who_brings_whom(made: Path) -> None:
    bill = json.loads((made / f"{made.name}.cdx.json").read_text())
    needs = {each["ref"]: set(each.get("dependsOn", [])) for each in bill["dependencies"]}
    (alembic,) = (each for each in needs if "pypi/alembic@" in each)
    assert any("pypi/sqlalchemy@" in each for each in needs[alembic])
    assert alembic in needs["ionet"]
    reached, waiting = set(), ["ionet"]
    while waiting:
        if (at := waiting.pop()) not in reached:
            reached.add(at)
            waiting += needs[at]
    assert reached == set(needs), "everything is somebody's"


def test_the_bill_of_materials_is_cyclonedx() -> None:
    schemas = files("cyclonedx.schema") / "_res"

    def read(name: str) -> object:
        return json.loads((schemas / name.rpartition("/")[2]).read_text())

    validator = jsonschema_rs.validator_for(read("bom-1.6.SNAPSHOT.schema.json"), retriever=read)
    text = sbom.write(ROOT, "1.2.3", MOMENT)
    bill = json.loads(text)
    validator.validate(bill)
    assert bill["metadata"]["timestamp"] == "2026-03-04T05:06:07+00:00"
    assert text == sbom.write(ROOT, "1.2.3", MOMENT)
    del bill["components"][0]["name"]
    assert not validator.is_valid(bill)
