"""An operator's folder of proof of work, as those who merge an hour use it: files by their SHA-256."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from keeper import disk
from keeper.errors import UserError, why

OPENINGS = "openings"
"""The folder of openings, ``openings/<aa>/<sha256>``; beside it ``<hour>/<name>.bin``."""


class FolderUnreadable(UserError):
    """The folder of proof of work can't be read, or not written."""


def keep(folder: Path, hour: int, files: Mapping[str, bytes]) -> None:
    """Write files of an hour beside the service's own, which are the same where they have the same name.

    On the disk when this returns, each whole or not there, and kept as long as the hour's others. Raises
    FolderUnreadable.
    """
    place = folder / str(hour)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            if not (place / name).exists():
                part = place / f".{name}.{os.getpid()}"
                disk.write(part, [data])
                part.replace(place / name)
        disk.sync(place)
    except OSError as error:
        raise FolderUnreadable(f"{place} can't be written: {why(error)}") from error


class HeldFiles(Mapping[bytes, bytes]):
    """What a folder has of an hour: its files, read now, and openings, read when they are asked for.

    An opening whose bytes aren't those that its name says isn't held: it is to be had from somebody else.
    """

    def __init__(self, folder: Path, hour: int) -> None:
        """Raises FolderUnreadable; an hour without a folder has no files."""
        self._openings = folder / OPENINGS
        self._files: dict[bytes, bytes] = {}
        self.names: dict[str, bytes] = {}
        """The SHA-256 of the hour's files, by their names."""
        self.damaged: dict[Path, bytes] = {}
        """Of the openings that were asked for, those that are damaged, with their SHA-256."""
        try:
            for path in sorted((folder / str(hour)).glob("*.bin")):
                data = path.read_bytes()
                digest = self.names[path.name] = sha256(data).digest()
                self._files[digest] = data
        except OSError as error:
            raise FolderUnreadable(f"{folder}: {why(error)}") from error

    def __getitem__(self, digest: bytes) -> bytes:
        """A file or an opening; raises KeyError where it isn't held."""
        if digest in self._files:
            return self._files[digest]
        name = digest.hex()
        path = f"{self._openings}/{name[:2]}/{name}"
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            raise KeyError(digest) from None
        except OSError as error:
            raise FolderUnreadable(f"{self._openings}: {why(error)}") from error
        found = sha256(data).digest()
        if found != digest:
            self.damaged[Path(path)] = found
            raise KeyError(digest)
        return data

    def __iter__(self) -> Iterator[bytes]:
        """The hashes of the hour's files."""
        return iter(self._files)

    def __len__(self) -> int:
        """How many files the hour has."""
        return len(self._files)
