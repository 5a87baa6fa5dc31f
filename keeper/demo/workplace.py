"""Where the demo writes while it runs: in memory where that can be a folder, and at last where it is wanted.

Two days are tens of thousands of files of some hundred bytes, each made and renamed, which is ten times as
dear on a disk.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import BrokenExecutor, Executor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

MEMORY = Path("/dev/shm")
ROOM = 1 << 29
"""Bytes that must be free there: three times what the demo writes."""


class Workplace:
    """A folder, and another one that gets its folders once they are finished."""

    def __init__(self, folder: Path, out: Path, copier: Executor | None = None) -> None:
        """What is in ``folder`` shall be in ``out``; the same folder where nothing has to be copied.

        ``copier`` is where it is copied [default: on a thread].
        """
        self.folder, self._out, self._copier = folder, out, copier
        self._copies: dict[str, asyncio.Future[None]] = {}

    def keep(self, name: str) -> None:
        """Begin to copy a folder that is finished, beside all that goes on."""
        if self.folder != self._out:
            loop, places = asyncio.get_running_loop(), (self.folder / name, self._out / name)
            self._copies[name] = loop.run_in_executor(self._copier, _copy, *places)

    async def finish(self) -> None:
        """Have everything where it is wanted. Raises OSError."""
        for each in sorted(self.folder.iterdir()) if self.folder != self._out else ():
            if each.name not in self._copies:
                self.keep(each.name)
        await asyncio.gather(*self._copies.values())


def _copy(folder: Path, to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to, copy_function=shutil.copyfile)


@asynccontextmanager
async def workplace(out: Path, copier: Executor | None = None) -> AsyncIterator[Workplace]:
    """A workplace, finished by whoever uses it; after a failure what there is goes to ``out``, too.

    See :class:`Workplace`.
    """
    if not (os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM):
        yield Workplace(out, out)
        return
    with TemporaryDirectory(prefix="ionet-demo-", dir=MEMORY) as folder:
        place = Workplace(Path(folder), out, copier)
        try:
            yield place
        except BaseException:
            # The files help to see why; a folder that can't be written isn't what is told of then.
            with suppress(OSError, BrokenExecutor):
                await place.finish()
            raise
