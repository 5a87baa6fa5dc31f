"""Files to a node's ``/data`` and from it: a device that lies writes nothing but what was asked for.

What comes is plain files, below one name in one folder. Each part of a path is gone down by itself, through
no link, and no file is there under its name before all of it is.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from keeper.errors import UserError, unfit, why
from keeper.renter.inside import Wire, Wrong, read_files, send_file
from keeper.renter.jobs import printable

T = TypeVar("T")
MOST_FILES = 100_000
MOST_BYTES = 64 << 30
"""That are taken unless told otherwise."""
MOST_DEPTH, MOST_NAME = 64, 255
FREE = 20
"""A twentieth of the disk stays free."""


class TransferFailed(UserError):
    """Files that couldn't be sent or taken; what is said to be there is there, and whole."""


class PathRefused(TransferFailed):
    """A node that names a file where none may be."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved."""

    files: int
    bytes: int


class _Total(BaseModel):
    model_config = ConfigDict(extra="forbid")

    files: Annotated[int, Field(strict=True, ge=0, lt=1 << 53)]
    bytes: Annotated[int, Field(strict=True, ge=0, lt=1 << 53)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, Field(strict=True, max_length=MOST_DEPTH * (MOST_NAME + 1))]
    size: Annotated[int, Field(strict=True, ge=0, lt=1 << 53)]
    executable: bool


_TOTAL, _ENTRY = TypeAdapter(_Total), TypeAdapter(_Entry)


def put(wire: Wire, source: Path, to: str) -> Moved:
    """Send a file or a folder into the folder ``to`` of a node's /data; raises TransferFailed."""
    try:
        root = source.resolve(strict=True)
        found = list(read_files(root))
        wire.tell(do="put", to=to)
        for each in found:
            send_file(wire, *each)
        wire.send(b"E")
        taken = _total(wire)
    except (OSError, Wrong) as error:
        raise TransferFailed(f"{source} can't be sent: {_said(error)}") from error
    if taken != Moved(len(found), sum(size for _, _, size in found)):
        raise TransferFailed(f"the node has {taken.files:,} files of {len(found):,}: send them again")
    return taken


def get(wire: Wire, source: str, to: Path, most: int = MOST_BYTES) -> Moved:
    """Take a file or a folder of a node's /data into the folder ``to``; raises TransferFailed."""
    name = source.rstrip("/").rpartition("/")[2]
    _require_name(name)
    try:
        wire.tell(do="get", path=source)
        total = _total(wire)
        _require_room(total, to, most)
        size = 0
        for _ in range(total.files):
            entry = _parsed(_ENTRY, wire.hear(b"J"))
            size += entry.size
            if size > total.bytes:
                raise PathRefused("the node sends more than it said: nothing of that is kept")
            parts = entry.path.split("/")
            if parts[0] != name or len(parts) > MOST_DEPTH:
                raise PathRefused(
                    f"the node sends {printable(entry.path)!r} in place of what is below {name}"
                )
            _take(wire, to, parts, entry.size)
        wire.hear(b"E")
    except (OSError, Wrong) as error:
        raise TransferFailed(f"{printable(source)} can't be taken: {_said(error)}") from error
    return Moved(total.files, size)


# -- inside --------------------------------------------------------------------------------------


def _take(wire: Wire, to: Path, parts: list[str], size: int) -> None:
    """One file, under its name once it is whole."""
    for each in parts:
        _require_name(each)
    folder = os.open(to, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for each in parts[:-1]:
            with suppress(FileExistsError):
                os.mkdir(each, 0o755, dir_fd=folder)
            try:
                below = os.open(
                    each, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder
                )
            except OSError as error:
                raise PathRefused(f"{to}/{'/'.join(parts)} leads through {each!r}, no folder here") from error
            os.close(folder)
            folder = below
        _write(wire, folder, parts[-1], size)
    finally:
        os.close(folder)


def _write(wire: Wire, folder: int, name: str, size: int) -> None:
    part = f".{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(part, flags, 0o644, dir_fd=folder)
    try:
        try:
            left = size
            while left:
                data = wire.hear(b"D")
                if not data or len(data) > left:
                    raise PathRefused("the node sends a file of another size than it said")
                left -= len(data)
                view = memoryview(data)
                while view:
                    view = view[os.write(file, view) :]
        finally:
            os.close(file)
        os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise


def _require_name(name: str) -> None:
    if name in ("", ".", "..") or "/" in name or not name.isprintable():
        raise PathRefused(f"{printable(name)!r} is no name of a file here")
    if len(os.fsencode(name)) > MOST_NAME:
        raise PathRefused(f"{printable(name, 40)!r} is too long for a name of a file")


def _require_room(total: Moved, to: Path, most: int) -> None:
    if total.files > MOST_FILES:
        raise TransferFailed(
            f"it has {total.files:,} files, more than {MOST_FILES:,}: make one of them there"
        )
    if total.bytes > most:
        raise TransferFailed(f"it has {total.bytes:,} bytes, more than the {most:,} that are taken")
    disk = shutil.disk_usage(to)
    if total.bytes > disk.free - disk.total // FREE:
        raise TransferFailed(f"it has {total.bytes:,} bytes, and {to} has no room for them")


def _total(wire: Wire) -> Moved:
    found = _parsed(_TOTAL, wire.hear(b"J"))
    return Moved(found.files, found.bytes)


def _parsed(shape: TypeAdapter[T], data: bytes) -> T:
    try:
        return shape.validate_json(data)
    except ValidationError as error:
        raise PathRefused(f"what the node says makes no sense: {unfit(error.errors()[0])}") from error


def _said(error: Exception) -> str:
    return printable(why(error))
