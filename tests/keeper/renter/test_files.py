"""Files over the wire: whole ones, and a node that lies about where they belong, how many and how large."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from keeper.renter import files, inside
from keeper.renter.files import Moved, PathRefused, TransferFailed, get, put
from keeper.renter.inside import Wire, Wrong


@contextmanager
def node(serve: Callable[[Wire], None]) -> Iterator[Wire]:
    """The renter's end of a wire whose other end is served by a thread, once something is asked."""
    ours, theirs = socket.socketpair()

    def run() -> None:
        with theirs, suppress(Wrong, OSError):
            theirs.recv(1, socket.MSG_PEEK)
            serve(Wire(theirs))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with ours:
            ours.settimeout(30)
            yield Wire(ours)
    finally:
        thread.join()


def honest(wire: Wire) -> None:
    """As the program on a node does it."""
    said = json.loads(wire.hear(b"J"))
    try:
        {"put": inside._put, "get": inside._get}[said["do"]](wire, said)
    except Wrong as error:
        wire.send(b"X", str(error).encode())


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    monkeypatch.setattr(inside, "HOME", made)
    return made


def test_a_folder_goes_there_and_comes_back_as_it_was(tmp_path: Path, data: Path) -> None:
    source, back = tmp_path / "set", tmp_path / "back"
    for name, text in {"a.bin": os.urandom(700_000), "deep/er/b": b"", "run.sh": b"true"}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(text)
    (source / "run.sh").chmod(0o755)
    (source / "link").symlink_to("/etc/passwd")
    back.mkdir()
    with node(honest) as wire:
        assert put(wire, source, "in/here") == Moved(3, 700_004)
    assert (data / "in/here/set/run.sh").stat().st_mode & 0o777 == 0o755
    assert not (data / "in/here/set/link").exists()
    with node(honest) as wire:
        assert get(wire, "in/here/set/", back) == Moved(3, 700_004)
    assert (back / "set/a.bin").read_bytes() == (source / "a.bin").read_bytes()
    assert sorted(each.name for each in back.rglob("*")) == ["a.bin", "b", "deep", "er", "run.sh", "set"]
    assert not (back / "set/run.sh").stat().st_mode & 0o111, "what a stranger sends isn't run by accident"


def test_a_file_replaces_what_was_there_and_no_link_is_followed(tmp_path: Path, data: Path) -> None:
    (data / "out.txt").write_text("new")
    kept, back = tmp_path / "kept", tmp_path / "back"
    kept.write_text("old")
    back.mkdir()
    (back / "out.txt").symlink_to(kept)
    with node(honest) as wire:
        assert get(wire, "out.txt", back) == Moved(1, 3)
    assert (back / "out.txt").read_text() == "new" and not (back / "out.txt").is_symlink()
    assert kept.read_text() == "old"


def test_what_is_not_there_is_said(tmp_path: Path, data: Path) -> None:
    with node(honest) as wire, pytest.raises(TransferFailed, match="nothing can't be taken: there is no"):
        get(wire, "nothing", tmp_path)
    with node(honest) as wire, pytest.raises(TransferFailed, match="can't be sent: No such file"):
        put(wire, tmp_path / "nothing", ".")
    for name in ("", "/", "a/..", ".", "a/\n"):
        with node(honest) as wire, pytest.raises(PathRefused, match="is no name of a file"):
            get(wire, name, tmp_path)


def lying(*entries: tuple[str, int, bytes], count: int | None = None, total: int | None = None):
    """A node that has these files to give: a path, the size that it says, and what it sends."""

    def serve(wire: Wire) -> None:
        sizes = sum(size for _, size, _ in entries)
        wire.tell(files=len(entries) if count is None else count, bytes=sizes if total is None else total)
        for path, size, sent in entries:
            wire.tell(path=path, size=size, executable=False)
            if sent:
                wire.send(b"D", sent)
        wire.send(b"E")

    return serve


@pytest.mark.parametrize(
    "path",
    [
        "../out",
        "out/../../x",
        "/etc/x",
        "out//x",
        "out/./x",
        "other",
        "out/a\nb",
        "out/\x1b[2J",
        "out/a\0b",
        "out/" + "x" * 256,
        "out/" + "é" * 128,
        "/".join(["out"] * 65),
        "",
        "out/",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    to = tmp_path / "to"
    to.mkdir()
    with node(lying((path, 1, b"x"))) as wire, pytest.raises(PathRefused) as told:
        get(wire, "out", to)
    assert str(told.value).isprintable()
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_a_link_of_mine_is_no_way_out(tmp_path: Path) -> None:
    """Somebody whose folder has links, as made by an earlier visit of a friend."""
    to, private = tmp_path / "to", tmp_path / "private"
    to.mkdir(), private.mkdir()
    (to / "out").symlink_to(private)
    with node(lying(("out/x", 1, b"x"))) as wire, pytest.raises(PathRefused, match="no folder here"):
        get(wire, "out", to)
    assert list(private.iterdir()) == []


@pytest.mark.parametrize(
    ("serve", "told"),
    [
        (lying(("out/a", 1, b"xx")), "another size"),
        (lying(("out/a", 5, b"xx")), "another piece comes"),
        (lying(("out/a", 5, b"")), "another piece comes"),
        (lying(("out/a", 9, b"x" * 9), total=5), "more than it said"),
        (lying(("out/a", 1, b"x"), ("out/b", 1, b"x"), count=1), "another piece comes"),
        (lying(count=100_001), "more than 100,000"),
        (lying(total=1 << 40), "more than the"),
        (lying(total=-1), "makes no sense"),
        (lambda wire: wire.send(b"J", b'{"files": 1.5, "bytes": 0}'), "makes no sense"),
        (lambda wire: wire.send(b"J", b"[" * 100_000), "makes no sense"),
        (lambda wire: wire.made.sendall(b"J\xff\xff\xff\xff"), "too long"),
        (lambda wire: wire.send(b"X", b"\x1b[2J no"), r"can't be taken:  \[2J no"),
        (lambda wire: wire.made.close(), "can't be taken"),
    ],
    ids=range(13),
)
def test_a_node_that_lies_leaves_no_part_of_a_file(tmp_path: Path, serve, told: str) -> None:
    with node(serve) as wire, pytest.raises(TransferFailed, match=told):
        get(wire, "out", tmp_path, most=1 << 30)
    assert not [each for each in tmp_path.rglob("*") if each.name.endswith(".part")]
    assert not (tmp_path / "out/b").exists()


def test_what_has_no_room_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = files.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage._replace(free=usage.total // 20 + 9))
    with node(lying(("out", 10, b"x" * 10))) as wire, pytest.raises(TransferFailed, match="has no room"):
        get(wire, "out", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_node_that_lost_some_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")

    def serve(wire: Wire) -> None:
        while wire.take()[0] != b"E":
            pass
        wire.tell(files=0, bytes=0)

    with node(serve) as wire, pytest.raises(TransferFailed, match="send them again"):
        put(wire, tmp_path / "a", ".")
