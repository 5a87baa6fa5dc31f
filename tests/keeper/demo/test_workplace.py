"""The demo's files: in memory while it runs, where they are wanted at the end, and after a failure, too."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import pytest

from keeper.demo import workplace as module
from keeper.demo.workplace import workplace

Usage = namedtuple("Usage", "free")


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for memory, with room enough."""
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(module, "MEMORY", folder)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage(module.ROOM))
    return folder


def files(folder: Path) -> dict[str, str]:
    return {str(each.relative_to(folder)): each.read_text() for each in folder.rglob("*") if each.is_file()}


def empty(folder: Path) -> bool:
    return not list(folder.iterdir())


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


async def test_what_was_made_in_memory_replaces_what_was_there(memory: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("pow/of an earlier run", "rewards/1/a", "supply.csv"):
        write(out, name, "old")
    async with workplace(out) as place:
        assert place.folder.parent == memory
        write(place.folder, "pow/1/a", "new")
        place.keep("pow")
        write(place.folder, "rewards/1/b", "new")
        assert "rewards/1/b" not in files(out)
        await place.finish()
    assert files(out) == {"pow/1/a": "new", "rewards/1/b": "new", "supply.csv": "old"}
    assert empty(memory)


async def test_a_failure_keeps_its_files_and_is_what_is_told(memory: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ZeroDivisionError):
        async with workplace(out) as place:
            write(place.folder, "pow/1/a", "so far")
            raise ZeroDivisionError
    assert files(out) == {"pow/1/a": "so far"}
    write(tmp_path, "a file", "")
    with pytest.raises(ZeroDivisionError):
        async with workplace(tmp_path / "a file") as place:
            write(place.folder, "pow/1/a", "so far")
            raise ZeroDivisionError
    assert empty(memory)


async def test_a_folder_that_cant_be_written_is_told_of(memory: Path, tmp_path: Path) -> None:
    write(tmp_path, "a file", "")
    with pytest.raises(NotADirectoryError):
        async with workplace(tmp_path / "a file") as place:
            write(place.folder, "pow/1/a", "all")
            await place.finish()


async def test_without_room_in_memory_it_works_where_the_files_are_wanted(
    memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage(module.ROOM - 1))
    async with workplace(out) as place:
        assert place.folder == out
        write(place.folder, "pow/1/a", "new")
        place.keep("pow")
        await place.finish()
    assert files(out) == {"pow/1/a": "new"}
    monkeypatch.setattr(module, "MEMORY", tmp_path / "there is none")
    async with workplace(out) as place:
        assert place.folder == out
