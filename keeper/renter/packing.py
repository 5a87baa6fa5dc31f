"""A working folder, and wheels, as packages that Ray unpacks beside a job: zip files named by their hash."""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath

from keeper.errors import UserError, why

MOST_BYTES = 90 << 20
"""Of a package: Ray's jobs take 100 MiB at once. What is larger goes by ``put``."""
MOST_FILES = 20_000
LEFT_OUT = frozenset({".git", ".hg", ".svn", ".venv", "venv", "__pycache__", ".mypy_cache", ".pytest_cache"})
"""Folders that are no job's; in a checkout also what git ignores."""
GIT_SECONDS = 30.0
_WHEN = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a zip file knows: the same files have the same hash."""
_PYTHONS = frozenset({"cp311", "py3", "py311", "py2.py3"})
_MACHINES = ("any", "x86_64")


class PackingRefused(UserError):
    """A folder or a wheel that no job can have."""


@dataclass(frozen=True, slots=True)
class Package:
    """What is sent to a head once, whatever number of jobs has it."""

    data: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """As Ray wants it."""
        return f"_ray_pkg_{sha256(self.data).hexdigest()[:32]}.zip"

    @property
    def uri(self) -> str:
        """What a job names it by."""
        return f"gcs://{self.name}"


def pack_folder(folder: Path) -> Package:
    """All files of a folder, but those of :data:`LEFT_OUT`, or, in a checkout, that git ignores.

    Raises PackingRefused: for a folder that is too large, and for a link that leads out of it.
    """
    if not folder.is_dir():
        raise PackingRefused(f"{folder} is no folder: --working-dir names the one that the job runs in")
    root = folder.resolve()

    def read() -> Iterator[tuple[str, Path]]:
        for path in _files(root):
            if not path.resolve().is_relative_to(root):
                raise PackingRefused(f"{path} leads out of {folder}: copy what it means, or leave it out")
            if path.is_file():
                yield path.relative_to(root).as_posix(), path

    return _zip(((name, path.read_bytes(), path.stat().st_mode) for name, path in read()), str(folder))


def pack_wheels(wheels: Iterable[Path]) -> Package:
    """What wheels have to import, unpacked: no pip and no index is needed inside.

    Raises PackingRefused for one that isn't for Python 3.11 on Linux, or has files outside of itself.
    """

    def read() -> Iterator[tuple[str, bytes, int]]:
        for wheel in wheels:
            _require_fits(wheel)
            try:
                with zipfile.ZipFile(wheel) as opened:
                    for each in opened.infolist():
                        if not each.is_dir() and (name := _installed(each.filename, wheel)):
                            yield name, opened.read(each), each.external_attr >> 16
            except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
                raise PackingRefused(f"{wheel} can't be read as a wheel: {why(error)}") from error

    return _zip(read(), "the wheels")


def pack_files(files: Mapping[str, bytes]) -> Package:
    """Files by their names."""
    return _zip(((name, data, 0o644) for name, data in files.items()), "the files")


# -- inside --------------------------------------------------------------------------------------


def _zip(files: Iterable[tuple[str, bytes, int]], what: str) -> Package:
    """A zip file that is the same for the same files; each is a name, its bytes, its mode."""
    found: dict[str, tuple[bytes, int]] = {}
    size = 0
    try:
        for name, data, mode in files:
            size += len(data)
            if len(found) >= MOST_FILES or size > 10 * MOST_BYTES:
                raise PackingRefused(f"{what} has too much for a package: {_instead()}")
            found[name] = data, mode
    except OSError as error:
        raise PackingRefused(f"{error.filename or what} can't be read: {why(error)}") from error
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(found):
            data, mode = found[name]
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.external_attr = (0o755 if mode & 0o100 else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    if made.tell() > MOST_BYTES:
        raise PackingRefused(
            f"{what} is {made.tell() >> 20} MiB as a package, more than {MOST_BYTES >> 20}: {_instead()}"
        )
    return Package(made.getvalue())


def _instead() -> str:
    return "send large files by ionet cluster put, and name a smaller folder"


def _files(root: Path) -> Iterator[Path]:
    listed = _of_git(root)
    paths = sorted(root.rglob("*")) if listed is None else listed
    for path in paths:
        if not LEFT_OUT & set(path.relative_to(root).parts) and not path.is_dir():
            yield path


def _of_git(root: Path) -> list[Path] | None:
    """The files that git doesn't ignore; None outside of a checkout, and without git."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=GIT_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    found = [root / each.decode(errors="surrogateescape") for each in done.stdout.split(b"\0") if each]
    return sorted(each for each in found if each.exists())  # One that was deleted is still git's.


def _require_fits(wheel: Path) -> None:
    parts = wheel.name.removesuffix(".whl").split("-")
    if wheel.suffix != ".whl" or len(parts) not in (5, 6):
        raise PackingRefused(f"{wheel} is no wheel: its name ends with -PYTHON-ABI-PLATFORM.whl")
    python, abi, platform = parts[-3:]
    fits = python in _PYTHONS or set(python.split(".")) & _PYTHONS or abi == "abi3"
    if not fits or not platform.endswith(_MACHINES) or platform.startswith(("win", "macosx")):
        raise PackingRefused(
            f"{wheel.name} is not for a device's Python, which is 3.11 on Linux x86-64: pip download "
            "--only-binary :all: --python-version 3.11 --platform manylinux2014_x86_64 gets one that is"
        )


def _installed(name: str, wheel: Path) -> str:
    """Where a wheel's file belongs; nothing for what isn't imported, such as a script."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise PackingRefused(f"{wheel.name} has a file outside of itself, {name!r}: don't use it")
    parts = path.parts
    if parts[0].endswith(".data"):
        if len(parts) < 3 or parts[1] not in ("purelib", "platlib"):  # noqa: PLR2004 - x.data/purelib/file
            return ""
        parts = parts[2:]
    return "/".join(parts)
