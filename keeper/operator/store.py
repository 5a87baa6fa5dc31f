"""The operator's folder: sealed files by hour, openings by hash. What is in it is whole, and never changes.

``<hour>/wave-<slot>-<operator>.bin``, ``<hour>/ping-<operator>.bin``, ``<hour>/transfer-<operator>.bin``,
``<hour>/evidence-<operator>.bin``, its own and others', and ``openings/<aa>/<sha256>``.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from solders.pubkey import Pubkey

from keeper import disk
from keeper.errors import UserError, why
from keeper.pow.codes import Code
from keeper.pow.codes_file import NAME as CODES
from keeper.pow.codes_file import add_codes

HOUR = r"\d{1,9}"
FILE = re.compile(
    r"(wave-(?P<slot>\d{1,19})|ping|transfer|evidence)-(?P<operator>[1-9A-HJ-NP-Za-km-z]{32,44})\.bin"
)
HASH = re.compile(r"[0-9a-f]{64}")
OPENINGS = "openings"
DAYS_PASSED, DAYS_SAMPLED, DAYS_FAILED = 7, 365, 400
"""How long openings are kept: right ones, one in a hundred of these by their hash, and those that show wrong
work. What isn't under its root shows nothing, and anybody can make it up: it goes with the right ones, else
one operator's rubbish would fill the others' disks for a year."""


class StoreUnusable(UserError):
    """The folder can't be read or written."""


def wave_name(slot: int, operator: Pubkey) -> str:
    """Of a WAVE file."""
    return f"wave-{slot}-{operator}.bin"


def pings_name(operator: Pubkey) -> str:
    """Of a PINGS file."""
    return f"ping-{operator}.bin"


def transfers_name(operator: Pubkey) -> str:
    """Of a TRANSFERS file."""
    return f"transfer-{operator}.bin"


def evidence_name(operator: Pubkey) -> str:
    """Of an EVIDENCE file."""
    return f"evidence-{operator}.bin"


class Store:
    """The folder, made where there is none; every method raises StoreUnusable."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Whatever was being written when the service ended is deleted.

        One that isn't ``durable`` may lose what it has when the machine ends: for what nobody resumes.
        """
        self._durable = durable
        self.folder = folder
        self._openings = str(folder / OPENINGS)
        self._known: dict[Path, dict[str, str | int]] = {}
        self.lost = 0
        """How many openings were deleted since the start: whoever knows what was here then looks again."""
        try:
            (folder / OPENINGS).mkdir(parents=True, exist_ok=True)
            for left in folder.glob("*/*.part"):
                left.unlink()
            for left in folder.glob(f"{OPENINGS}/*/*.part"):
                left.unlink()
        except OSError as error:
            raise StoreUnusable(f"{folder}: {why(error)}") from error

    def path(self, hour: int, name: str) -> Path:
        """Where a file is, or would be."""
        return self.folder / str(hour) / name

    def read(self, hour: int, name: str) -> bytes | None:
        """A file; None where there is none."""
        return _read(self.path(hour, name))

    def write(self, hour: int, name: str, data: bytes) -> bytes:
        """Write a file, on the disk when this returns, unless it is there; returns its SHA-256."""
        path = self.path(hour, name)
        _write(str(path), data, sync=self._durable)
        return sha256(_read(path) or b"").digest()

    def has(self, hour: int, name: str) -> bool:
        """Whether a file is here."""
        return self.path(hour, name).exists()

    def digest(self, hour: int, name: str) -> bytes | None:
        """A file's SHA-256; None where there is none."""
        data = self.read(hour, name)
        return None if data is None else sha256(data).digest()

    def names(self, hour: int) -> list[str]:
        """The files of an hour."""
        try:
            return sorted(
                each.name for each in (self.folder / str(hour)).iterdir() if FILE.fullmatch(each.name)
            )
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreUnusable(f"{self.folder}: {why(error)}") from error

    def listing(self, hour: int) -> dict[str, dict[str, str | int]]:
        """The files of an hour with their hashes and sizes."""
        found: dict[str, dict[str, str | int]] = {}
        for name in self.names(hour):
            path = self.path(hour, name)
            if path not in self._known and (data := _read(path)) is not None:
                self._known[path] = {"sha256": sha256(data).hexdigest(), "bytes": len(data)}
            found[name] = self._known[path]
        return found

    def hours(self) -> list[int]:
        """The hours that have a folder."""
        names = (each.name for each in self.folder.iterdir() if re.fullmatch(HOUR, each.name))
        return sorted(map(int, names))

    def forget(self, hour: int) -> None:
        """Delete an hour's files."""
        self._known = {path: each for path, each in self._known.items() if path.parent.name != str(hour)}
        shutil.rmtree(self.folder / str(hour), ignore_errors=True)

    def remember(self, hour: int, found: Iterable[tuple[bytes, Code]]) -> None:
        """Add an hour's verified openings to what its merge needn't verify again."""
        path = self.path(hour, CODES)
        try:
            path.parent.mkdir(exist_ok=True)
            add_codes(path, found)
        except OSError as error:
            raise StoreUnusable(f"{path}: {why(error)}") from error

    # -- openings ------------------------------------------------------------------------------

    def opening_path(self, digest: bytes) -> Path:
        """Where an opening is, or would be, by its SHA-256."""
        return Path(self._opening(digest))

    def _opening(self, digest: bytes) -> str:
        name = digest.hex()
        return f"{self._openings}/{name[:2]}/{name}"

    def opening(self, digest: bytes) -> bytes | None:
        """An opening; None where there is none. A damaged one is deleted, so that it is fetched again."""
        data = _read(self.opening_path(digest))
        if data is not None and sha256(data).digest() != digest:
            self.drop_opening(digest)
            return None
        return data

    def has_opening(self, digest: bytes) -> bool:
        """Whether an opening is here."""
        # A hundred thousand times an hour: a Path for each would take longer than the disk.
        return os.path.exists(self._opening(digest))  # noqa: PTH110

    def put_opening(self, blob: bytes) -> bytes:
        """Keep an opening, and return its SHA-256; after :meth:`settle` it outlives a power cut, too."""
        digest = sha256(blob).digest()
        _write(self._opening(digest), blob, sync=False)
        return digest

    def settle(self, digests: Iterator[bytes]) -> None:
        """Have the disk keep openings before something says that they are held."""
        for digest in digests if self._durable else ():
            try:
                disk.sync(self.opening_path(digest))
            except FileNotFoundError:
                continue  # Deleted since, as too old.
            except OSError as error:
                raise StoreUnusable(f"{self.folder}: {why(error)}") from error

    def drop_opening(self, digest: bytes) -> None:
        """Delete an opening."""
        self.lost += 1
        self.opening_path(digest).unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnusable(f"{path}: {why(error)}") from error


def _made(path: str) -> BinaryIO:
    """A new file, in a folder that is made where there is none."""
    try:
        return open(path, "wb")  # noqa: PTH123
    except FileNotFoundError:
        Path(path).parent.mkdir(exist_ok=True)
        return open(path, "wb")  # noqa: PTH123


def _write(path: str, data: bytes, *, sync: bool) -> None:
    """Write a file that is whole or not there; a file of the same name is the same file.

    By names, as openings are many: Paths took a third of the time.
    """
    if os.path.exists(path):  # noqa: PTH110
        return
    part = f"{path}.part"
    try:
        with _made(part) as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, path)  # noqa: PTH105
        if sync:
            disk.sync(Path(path).parent)
    except OSError as error:
        raise StoreUnusable(f"{path}: {why(error)}") from error
