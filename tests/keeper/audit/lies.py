"""Falsifications of a published hour: of a cell, a row, a file, with or without a manifest that agrees."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from solders.pubkey import Pubkey

from keeper.pow.files import Evidence, whole_key
from keeper.rewards import publication
from keeper.rewards.publication import KINDS, MANIFEST, File
from keeper.rewards.tree import root
from keeper.tables import Rows

OTHER = bytes(Pubkey.new_unique())
ROW = 1
"""Of each table this row is falsified, where it has one: a device that is paid."""

Change = Callable[[Rows], Rows]


def cell(column: str) -> Change:
    """Another value in a column."""

    def change(rows: Rows) -> Rows:
        found = rows.copy()
        at = min(ROW, len(rows) - 1)
        kind = rows.dtype[column]
        if kind.kind == "S":
            found[column][at] = OTHER
        else:
            most = np.iinfo(kind).max
            found[column][at] = found[column][at] + 1 if found[column][at] < most else 0
        return found

    return change


def without(rows: Rows) -> Rows:
    """A row less."""
    return np.delete(rows, min(ROW, len(rows) - 1))


def doubled(rows: Rows) -> Rows:
    """A row more, which is there already."""
    at = min(ROW, len(rows) - 1)
    return np.concatenate([rows[: at + 1], rows[at:]])


def rewrite(place: Path, name: str, change: Change, *, signed: bool) -> str:
    """Falsify a table; ``signed``: the manifest names the false file. Returns the manifest's hash."""
    manifest = publication.read_manifest(place.parent, int(place.name))
    rows = change(publication.read_table(place.parent, manifest, name))
    data = b"".join(publication.encode_table(name, rows, manifest.rule))
    (place / name).write_bytes(data)
    if not signed:
        return manifest.hash
    return sign(place, name, data, len(rows), root(rows).hex() if name == "wallets.csv" else None)


def sign(place: Path, name: str, data: bytes, rows: int, top: str | None = None) -> str:
    """Let the manifest name a file as it is now."""
    manifest = publication.read_manifest(place.parent, int(place.name))
    files = {**manifest.files, name: File(sha256(data).hexdigest(), len(data), rows)}
    changed = replace(manifest, files=files, root=top or manifest.root)
    (place / MANIFEST).write_bytes(changed.encode())
    return changed.hash


def other(value: object) -> object:
    """Another value of a field of JSON."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value is None:
        return "11" * 32
    assert isinstance(value, str)
    if len(value) == 64:
        return ("0" if value[0] != "0" else "1") + value[1:]
    return str(Pubkey(OTHER))


def paths(value: object, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of all values of JSON."""
    if isinstance(value, dict):
        return [path for name, each in value.items() for path in paths(each, (*above, name))]
    if isinstance(value, list):
        return [path for at, each in enumerate(value) for path in paths(each, (*above, at))]
    return [above]


def put(data: bytes, path: tuple[str | int, ...]) -> bytes:
    """Canonical JSON with another value at a path."""
    whole = json.loads(data)
    at = whole
    for each in path[:-1]:
        at = at[each]
    at[path[-1]] = other(at[path[-1]])
    return json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()


COLUMNS = [(name, column) for name, kind in KINDS.items() for column in kind.names or ()]
"""Every column of every table."""


def opened(hour: Path) -> list[str]:
    """The hashes of the openings that operators' files of an hour name."""
    found = [Evidence.read(path.read_bytes()).rows for path in hour.glob("evidence-*.bin")]
    return [whole_key(row["blob"]).hex() for rows in found for row in rows]
