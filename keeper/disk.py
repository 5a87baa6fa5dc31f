"""Files that the disk has when a call returns, and folders that are whole or not there; raises OSError."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path


class Growing:
    """A file that is written piece by piece; what is left of one that isn't completed is nobody's."""

    def __init__(self, path: Path) -> None:
        """Begin it, in place of an earlier one."""
        self._file = path.open("wb")
        self._digest = sha256()
        self.size = 0

    def add(self, chunks: Iterable[bytes]) -> None:
        """Write more of it."""
        for chunk in chunks:
            self._digest.update(chunk)
            self.size += self._file.write(chunk)

    def complete(self) -> str:
        """Have the disk take all of it; returns its SHA-256, in hexadecimal."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()
        return self._digest.hexdigest()

    def close(self) -> None:
        """Leave it as it is."""
        self._file.close()


def write(path: Path, chunks: Iterable[bytes]) -> tuple[str, int]:
    """Write a file through to the disk; returns its SHA-256, in hexadecimal, and its size."""
    with closing(Growing(path)) as file:
        file.add(chunks)
        return file.complete(), file.size


def sync(path: Path) -> None:
    """Have the disk take a file's bytes, or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def whole(place: Path) -> Iterator[Path]:
    """A folder to fill, which is at ``place``, instead of an earlier one, once the block has ended well."""
    part = place.with_name(f".{place.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if place.is_symlink():
        place.unlink()  # Of a copy for a rehearsal: what it points to stays.
    else:
        shutil.rmtree(place, ignore_errors=True)
    part.rename(place)
    sync(place.parent)
