"""``ionet`` in a process of its own, forked from one that has imported it.

It can be held at the moment it may write, and be given a small disk or one that is read-only.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from keeper.chain.saved import SavedChain
from keeper.cli import main as command
from tests.keeper.forks import forks

NUMBERS = count(1)
SECONDS = 60
"""A command that takes longer hangs."""
DISK = Path("disk")
"""The folder, in that of the process, that a disk of its own is mounted on."""
SIZE = 128 * 1024
NO_DISK = 77
"""The exit code where no disk may be mounted."""
CLONE_NEWNS, MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 1, 32, 4096, 16384, 1 << 18


class Disk(StrEnum):
    """What is wrong with the disk."""

    SMALL_FILES = "no file may grow beyond half of the chain's"
    FULL = "a file system with room for the chain, and not for another one"
    READ_ONLY = "a file system that can't be written to"


class Held(StrEnum):
    """Where a process is held, the first time it comes there."""

    LOCKED = "locked"
    """It may write, and has executed nothing yet."""
    UNSAVED = "unsaved"
    """It has executed something, which isn't saved."""


class Ionet:
    """One process, from its start to its end."""

    def __init__(
        self, folder: Path, *arguments: object, held: Held | None = None, disk: Disk | None = None
    ) -> None:
        """Start ``ionet`` with these arguments in ``folder``."""
        self._folder = folder
        self._ours, theirs = Pipe()
        self._name = f"process-{next(NUMBERS)}"
        for each in ("out", "err"):
            (folder / f"{self._name}.{each}").touch()
        texts = [str(each) for each in arguments]
        rest = (str(folder), self._name, texts, theirs, held, disk)
        self.process: BaseProcess = forks().Process(target=main, args=rest)
        self.process.start()
        theirs.close()

    def wait_until_held(self) -> None:
        """It comes where it is held."""
        assert self._ours.poll(SECONDS), self.err
        assert self._ours.recv() == "held"

    def go_on(self) -> None:
        """Let it."""
        self._ours.send("go on")

    def end(self) -> int | None:
        """Wait for its end; gives the exit code."""
        self.process.join(SECONDS)
        assert self.process.exitcode is not None, self.err
        return self.process.exitcode

    @property
    def out(self) -> str:
        """What it has written to stdout."""
        return (self._folder / f"{self._name}.out").read_text()

    @property
    def err(self) -> str:
        """What it has written to stderr."""
        return (self._folder / f"{self._name}.err").read_text()

    def found(self) -> dict[str, str]:
        """The files on its own disk at its end, with their SHA-256."""
        found: dict[str, str] = json.loads((self._folder / f"{self._name}.found").read_text())
        return found


def main(
    folder: str,
    name: str,
    arguments: Sequence[str],
    pipe: Connection,
    held: Held | None,
    disk: Disk | None,
) -> None:
    """Run it."""
    os.chdir(folder)
    os.umask(0o077)
    for each in [each for each in os.environ if each.startswith("IONET_")]:
        del os.environ[each]
    for number, suffix in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{name}.{suffix}", os.O_WRONLY), number)
    if held:
        _hold(held, pipe)
    if disk is Disk.SMALL_FILES:
        limit = max(each.stat().st_size for each in DISK.iterdir()) // 2
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    elif disk:
        _mount(disk)
    sys.argv = ["ionet", *arguments]
    try:
        command.main()
    finally:
        sys.stdout.flush()
        if disk:
            found = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in DISK.iterdir()}
            Path(f"{name}.found").write_text(json.dumps(found))


def _hold(where: Held, pipe: Connection) -> None:
    """Tell when it comes there, and wait."""
    begin, write_back = SavedChain._begin, SavedChain._write_back

    def wait() -> None:
        SavedChain._begin, SavedChain._write_back = begin, write_back  # type: ignore[method-assign]
        pipe.send("held")
        pipe.recv()

    async def begun(chain: SavedChain) -> None:
        await begin(chain)
        wait()

    def written_back(chain: SavedChain) -> None:
        wait()
        write_back(chain)

    if where is Held.LOCKED:
        SavedChain._begin = begun  # type: ignore[method-assign]
    else:
        SavedChain._write_back = written_back  # type: ignore[method-assign]


def _mount(disk: Disk) -> None:
    """Give this process, and no other, a disk of its own with what is in the folder."""
    libc = ctypes.CDLL(None, use_errno=True)

    def do(done: int) -> None:
        if done != 0:
            os._exit(NO_DISK)

    here = str(DISK.resolve()).encode()
    do(libc.unshare(CLONE_NEWNS))
    do(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    if disk is Disk.READ_ONLY:
        do(libc.mount(here, here, None, MS_BIND, None))
        do(libc.mount(None, here, None, MS_BIND | MS_REMOUNT | MS_RDONLY, None))
        return
    before = {each.name: each.read_bytes() for each in DISK.iterdir()}
    room = sum(map(len, before.values())) + SIZE
    do(libc.mount(b"tmpfs", here, b"tmpfs", 0, f"size={room}".encode()))
    for name, content in before.items():
        (DISK / name).write_bytes(content)


def stop(process: BaseProcess) -> None:
    """Kill what a test has left."""
    with suppress(ValueError):
        process.kill()
        process.join(SECONDS)
