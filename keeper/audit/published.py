"""An hour's folder as an audit reads it: each file by itself, whatever becomes of the others.

A file counts as named where the manifest beside it has its hash: then whoever signed for the manifest has
signed for every byte of it. What isn't named anybody can have written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from keeper.errors import UserError
from keeper.pow.record import NAME as RECORD
from keeper.pow.record import HourRecord
from keeper.rewards import publication, wallet_index
from keeper.rewards.publication import FILES, KINDS, MANIFEST, Manifest
from keeper.tables import Rows

KEYS: Mapping[str, tuple[str, ...]] = {
    "verdicts.csv": ("wave", "device"),
    "observed.csv": ("device",),
    "inputs.csv": ("device",),
    "classes.csv": ("id",),
    "rewards.csv": ("device",),
    "wallets.csv": ("wallet",),
}
"""By what a table's rows are told apart."""
MOST_BYTES = 1 << 30
"""A published file has less: a million devices' inputs are a third of it."""


@dataclass
class PublishedHour:
    """What there is of an hour in a folder; ``unreadable`` says of a file why it is none."""

    place: Path
    number: int
    digests: Mapping[str, str]
    manifest: Manifest | None = None
    record: HourRecord | None = None
    tables: dict[str, Rows] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def hash(self) -> str | None:
        """The manifest's, which is what operators sign for."""
        return self.digests.get(MANIFEST)

    @property
    def missing(self) -> list[str]:
        """Files that every hour has, and this one hasn't."""
        return [name for name in (MANIFEST, *FILES) if name not in self.digests]

    @property
    def additional(self) -> list[str]:
        """Files that no hour has."""
        known = {MANIFEST, wallet_index.NAME, *FILES}
        return sorted(self.digests.keys() - known)

    def is_named(self, name: str) -> bool:
        """Whether the manifest names this very file."""
        stated = self.manifest.files.get(name) if self.manifest else None
        return stated is not None and stated.sha256 == self.digests.get(name)


def digests(place: Path) -> dict[str, str]:
    """The SHA-256 of each file of an hour, by name; raises PublicationError."""
    found = {}
    try:
        for path in sorted(place.iterdir()):
            if path.is_symlink() or not path.is_file():
                found[path.name] = "no file"
                continue
            with path.open("rb") as file:
                digest = sha256()
                while piece := file.read(1 << 20):
                    digest.update(piece)
            found[path.name] = digest.hexdigest()
    except OSError as error:
        raise publication.PublicationError(f"{place} can't be read: {error.strerror}") from error
    return found


def read(place: Path, number: int, named: Mapping[str, str], rule: int | None) -> PublishedHour:
    """Read an hour's files, whose digests are ``named``, by ``rule``, or else by the manifest's."""
    found = PublishedHour(place, number, named)

    def bytes_of(name: str) -> bytes | None:
        if name not in named:
            return None
        path = place / name
        if named[name] == "no file" or path.stat().st_size > MOST_BYTES:
            found.unreadable[name] = "no file of a size that it may have"
            return None
        data = publication.read_bytes(path)
        found.sizes[name] = len(data)
        return data

    if (data := bytes_of(MANIFEST)) is not None:
        try:
            found.manifest = Manifest.decode(data)
        except UserError as error:
            found.unreadable[MANIFEST] = str(error)
    if (data := bytes_of(RECORD)) is not None:
        try:
            found.record = HourRecord.decode(data)
        except UserError as error:
            found.unreadable[RECORD] = str(error)
    if rule is None:
        rule = found.manifest.rule if found.manifest else 0
    for name in KINDS:
        if (data := bytes_of(name)) is None:
            continue
        try:
            found.tables[name] = publication.decode_table(Path(name), data, rule)
        except UserError as error:
            found.unreadable[name] = str(error)
    return found
