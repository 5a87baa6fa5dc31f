"""A bundle's bytes: a gzipped tar, its manifest first, written the same by everybody who writes the same.

Who reads one trusts nothing in it: no path leads out of the folder, no link is followed, no file may be
longer than the manifest says, and all of it no longer than a limit, however well it was packed.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Any

from keeper.errors import UserError, why

FORMAT = 1
MANIFEST = "bundle.json"
CHAIN = "chain.jsonl"
MOST_MANIFEST = 1 << 28
MOST_BYTES = 1 << 36
"""64 GiB: a month of 10,000 devices has a tenth of it."""
MOST_FILES = 20_000_000
PIECE = 1 << 20


class BundleError(UserError):
    """A bundle that can't be written, or isn't what it says it is."""


@dataclass(frozen=True, slots=True)
class About:
    """What a bundle says of itself: whose chain, and which hours' files it has (None for all)."""

    source: str
    genesis: str
    first: int | None
    last: int | None
    names: Mapping[str, str]
    """How its folders were called where it was written, by their names in it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file of a bundle: how long it is, and its SHA-256."""

    bytes: int
    sha256: str


def write(path: Path, about: About, files: Mapping[str, Path | bytes]) -> str:
    """Write a bundle of files by their names in it; returns its SHA-256. Raises BundleError.

    Nothing of it depends on when, where or by whom it is written.
    """
    try:
        held = {name: _held(files[name]) for name in sorted(files)}
        fields = {name: getattr(about, name) for name in About.__dataclass_fields__}
        listed = {name: {"bytes": each.bytes, "sha256": each.sha256} for name, each in held.items()}
        whole = {"format": FORMAT, **fields, "files": listed}
        manifest = json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()
        part = path.with_name(path.name + ".part")
        with (
            part.open("wb") as raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            _add(tar, MANIFEST, io.BytesIO(manifest), len(manifest))
            for name, each in held.items():
                with _opened(files[name]) as data:
                    _add(tar, name, data, each.bytes)
        digest = sha256()
        with part.open("rb") as data:
            while piece := data.read(PIECE):
                digest.update(piece)
        part.replace(path)
    except OSError as error:
        raise BundleError(f"{path} can't be written: {why(error)}") from error
    return digest.hexdigest()


def read(path: Path, folder: Path) -> About:
    """Unpack a bundle into an empty folder; returns what it says of itself.

    Raises BundleError naming the first thing that isn't as its manifest says.
    """
    try:
        with path.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|gz") as tar:
            members = iter(tar)
            about, wanted = _manifest(path, tar, next(members, None))
            for member in members:
                _unpack(path, tar, member, wanted, folder)
    except (OSError, tarfile.TarError, EOFError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise BundleError(f"{path} can't be read: {why(error)}") from error
        raise BundleError(f"{path} is no bundle, or damaged: {error}") from error
    if wanted:
        raise BundleError(f"{path} lacks {min(wanted)}, which its manifest names")
    return about


def _manifest(
    path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo | None
) -> tuple[About, dict[str, Held]]:
    if member is None or member.name != MANIFEST or not member.isreg() or member.size > MOST_MANIFEST:
        raise BundleError(f"{path} is no bundle: it doesn't begin with {MANIFEST}")
    data = tar.extractfile(member)
    assert data is not None  # it is a regular file
    try:
        whole = json.loads(data.read(MOST_MANIFEST))
        if whole["format"] != FORMAT:
            raise BundleError(f"{path} is of format {whole['format']}, but this program knows {FORMAT}")
        files = {str(name): _stated(each) for name, each in whole["files"].items()}
        first, last = (None if whole[each] is None else int(whole[each]) for each in ("first", "last"))
        names = {str(name): str(each) for name, each in whole["names"].items()}
        about = About(str(whole["source"]), str(whole["genesis"]), first, last, names)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise BundleError(f"{path}: {MANIFEST} isn't a bundle's") from error
    total = sum(each.bytes for each in files.values())
    if total > MOST_BYTES or len(files) > MOST_FILES:
        raise BundleError(
            f"{path} would unpack to {len(files):,} files of {total:,} bytes: more than any has"
        )
    for name in (*files, *names):
        parts = PurePosixPath(name).parts
        if not parts or name != "/".join(parts) or any(each in ("..", "/") or "\\" in each for each in parts):
            raise BundleError(f"{path}: {name!r} isn't a path within a bundle")
    return about, files


def _stated(each: Any) -> Held:
    size, digest = int(each["bytes"]), str(each["sha256"])
    if size < 0:
        raise ValueError("a length below zero")
    return Held(size, digest)


def _unpack(
    path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, wanted: dict[str, Held], folder: Path
) -> None:
    stated = wanted.pop(member.name, None)
    if stated is None:
        raise BundleError(f"{path} has {member.name!r}, which its manifest doesn't name")
    if not member.isreg() or member.size != stated.bytes:
        raise BundleError(f"{path}: {member.name} isn't a file of the {stated.bytes:,} bytes that are stated")
    to, data, digest = folder / member.name, tar.extractfile(member), sha256()
    assert data is not None  # it is a regular file
    to.parent.mkdir(parents=True, exist_ok=True)
    with to.open("xb") as file:
        while piece := data.read(PIECE):
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != stated.sha256:
        raise BundleError(
            f"{path}: {member.name} has SHA-256 {digest.hexdigest()}, not {stated.sha256} as is stated"
        )


def _held(source: Path | bytes) -> Held:
    digest, size = sha256(), 0
    with _opened(source) as data:
        while piece := data.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return Held(size, digest.hexdigest())


@contextmanager
def _opened(source: Path | bytes) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    with source.open("rb") as file:
        yield file


def _add(tar: tarfile.TarFile, name: str, data: IO[bytes], size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    tar.addfile(info, data)
