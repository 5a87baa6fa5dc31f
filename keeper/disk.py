"""Files that the disk has when a call returns, and folders that are whole or not there; raises OSError."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path


def write(path: Path, chunks: Iterable[bytes]) -> tuple[str, int]:
    """Write a file through to the disk; returns its SHA-256, in hexadecimal, and its size."""
    digest, size = sha256(), 0
    with path.open("wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            size += file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


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
