"""The package, built: its files are the keeper's and its resources, wherever it is built from."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from keeper import resources
from keeper.clients.programs import PROGRAMS
from toolchain import wheel
from toolchain.calls import Failed
from toolchain.programs import ROOT

READ = """
import sys
sys.path.insert(0, sys.argv[1])
import keeper.economy.classes, keeper.economy.genesis, keeper.pow.profiles_by_hour
from keeper import deploy, resources
from keeper.clients.programs import PROGRAMS

for name, program in PROGRAMS.items():
    assert resources.idl(name)["address"] == str(program.address)
    assert len(resources.binary(name)) == resources.manifest()[name]["bytes"]
    assert deploy.read_keypair(resources.DEV_KEYS / f"{name}.json").pubkey() == program.address
assert keeper.economy.classes.read_classes() and keeper.economy.genesis.read_table()
assert keeper.pow.profiles_by_hour.read_profiles_by_hour()
print(resources.IDL)
"""


SUFFIXES = {".py", ".lock", ".mako", ".html", ".css", ".js", ".json"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.build(ROOT, tmp_path_factory.mktemp("dist"), "wheel")


def test_the_wheel_has_the_keeper_and_its_resources_and_nothing_else(built: Path) -> None:
    code = {path for path in (ROOT / "keeper").rglob("*") if path.suffix in SUFFIXES}
    named = [resources.ARTIFACTS / "manifest.json", resources.GENESIS_TABLE]
    named += [resources.CLASS_TABLE, resources.THROUGHPUT_TABLE]
    named += [resources.POW_HOURS, resources.POW_LIGHT, resources.POW_LIGHT_PROFILES]
    named += [resources.POW_PROFILES, resources.POW_DEMO_PROFILES]
    for name in PROGRAMS:
        own = f"{name}.json"
        named += [resources.IDL / own, resources.ARTIFACTS / f"{name}.so", resources.DEV_KEYS / own]
    expected = {str(path.relative_to(ROOT)): path for path in code}
    expected |= {f"keeper/_data/{path.relative_to(ROOT)}": path for path in named}
    with zipfile.ZipFile(built) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert found == set(expected)
        assert [name for name in found if archive.read(name) != expected[name].read_bytes()] == []


def test_its_metadata(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        files = {name.partition(".dist-info/")[2]: name for name in archive.namelist()}
        assert archive.read(files["licenses/LICENSE"]) == (ROOT / "LICENSE").read_bytes()
        metadata = archive.read(files["METADATA"]).decode()
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert "\nDescription-Content-Type: text/markdown\n" in metadata
    assert metadata.partition("\n\n")[2] == (ROOT / "README.md").read_text()


def test_the_sdist_makes_the_same_wheel(built: Path, tmp_path: Path) -> None:
    sdist = wheel.build(ROOT, tmp_path / "dist", "sdist")
    assert wheel.wheel_of_sdist(sdist, tmp_path / "unpacked").read_bytes() == built.read_bytes()


def test_resources_are_the_package_s_own(built: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(built) as archive:
        archive.extractall(site)
    command = [sys.executable, "-c", READ, site]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.strip()) == ("", str(site / "keeper/_data/idl"))


def test_what_went_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"hatchling build .*: exit code 1\n"):
        wheel.build(tmp_path, tmp_path / "dist", "wheel")
