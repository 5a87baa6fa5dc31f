"""What a job gets of a folder and of wheels: the same bytes for the same files, and nothing from outside."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

import pytest

from keeper.renter import packing
from keeper.renter.packing import Package, PackingRefused, pack_folder, pack_wheels


def names(package: Package) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(package.data)).namelist()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    for name in ("train.py", "lib/a.py", "lib/__pycache__/a.pyc", ".venv/bin/python", ".git/config"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    return made


def test_a_folder_is_the_same_package_whenever_it_is_packed(folder: Path) -> None:
    (folder / "run.sh").write_text("true")
    (folder / "run.sh").chmod(0o755)
    first = pack_folder(folder)
    (folder / "train.py").touch()
    assert pack_folder(folder) == first
    assert names(first) == ["lib/a.py", "run.sh", "train.py"]
    modes = {
        each.filename: each.external_attr >> 16 for each in zipfile.ZipFile(io.BytesIO(first.data)).infolist()
    }
    assert modes == {"lib/a.py": 0o644, "run.sh": 0o755, "train.py": 0o644}
    (folder / "train.py").write_text("other")
    assert pack_folder(folder).name != first.name
    assert first.uri == f"gcs://{first.name}" and first.name.endswith(".zip")


def test_in_a_checkout_what_git_ignores_stays(tmp_path: Path) -> None:
    made = tmp_path / "checkout"
    made.mkdir()
    subprocess.run(["git", "init", "-q", made], check=True)
    for name in ("train.py", "secret.env", ".gitignore", "gone.py"):
        (made / name).write_text("secret.env\n")
    subprocess.run(["git", "-C", made, "add", "."], check=True)
    (made / "gone.py").unlink()
    (made / "new.py").write_text("")
    assert names(pack_folder(made)) == [".gitignore", "new.py", "train.py"]


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "same.py").symlink_to("train.py")
    assert "same.py" in names(pack_folder(folder))
    (tmp_path / "id.json").write_text("secret")
    (folder / "out").symlink_to(tmp_path / "id.json")
    with pytest.raises(PackingRefused, match="leads out of"):
        pack_folder(folder)


def test_too_much_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PackingRefused, match="is no folder"):
        pack_folder(folder / "train.py")
    monkeypatch.setattr(packing, "MOST_BYTES", 100)
    with pytest.raises(PackingRefused, match="send large files by ionet cluster put"):
        pack_folder(folder)
    monkeypatch.setattr(packing, "MOST_FILES", 1)
    with pytest.raises(PackingRefused, match="has too much"):
        pack_folder(folder)


def wheel(at: Path, *files: str) -> Path:
    with zipfile.ZipFile(at, "w") as made:
        for name in files:
            made.writestr(name, name)
    return at


def test_wheels_are_unpacked_as_pip_would(tmp_path: Path) -> None:
    one = wheel(tmp_path / "a-1-py3-none-any.whl", "a.py", "a-1.data/purelib/b.py", "a-1.data/scripts/run")
    other = wheel(tmp_path / "c-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "c/c.so")
    assert names(pack_wheels([one, other])) == ["a.py", "b.py", "c/c.so"]


@pytest.mark.parametrize(
    ("name", "files", "told"),
    [
        ("a.zip", ["a.py"], "is no wheel"),
        ("a-1-cp312-cp312-manylinux2014_x86_64.whl", ["a.py"], "pip download"),
        ("a-1-cp311-cp311-win_amd64.whl", ["a.py"], "pip download"),
        ("a-1-cp311-cp311-macosx_11_0_x86_64.whl", ["a.py"], "pip download"),
        ("a-1-cp311-cp311-manylinux2014_aarch64.whl", ["a.py"], "pip download"),
        ("a-1-py3-none-any.whl", ["../a.py"], "a file outside of itself"),
        ("a-1-py3-none-any.whl", ["/etc/a.py"], "a file outside of itself"),
        ("a-1-py3-none-any.whl", ["a-1.data/purelib/../../a.py"], "a file outside of itself"),
    ],
)
def test_a_wheel_that_cannot_be_is_refused(tmp_path: Path, name: str, files: list[str], told: str) -> None:
    with pytest.raises(PackingRefused, match=told):
        pack_wheels([wheel(tmp_path / name, *files)])


def test_a_wheel_that_is_not_there_or_broken_is_said(tmp_path: Path) -> None:
    at = tmp_path / "a-1-py3-none-any.whl"
    for _ in range(2):
        with pytest.raises(PackingRefused, match="can't be read as a wheel"):
            pack_wheels([at])
        at.write_bytes(b"PK\x03\x04 no more")
