"""A tick's files: what its batch was computed from, what it is, and the manifest whose hash goes on chain.

``devices.csv``, ``orders.csv``, ``prices.csv`` and ``pairs.csv`` are the snapshot's tables, ``matches.csv``
is the batch, ``manifest.json`` has the hash of each. ``devices.csv`` has all devices in the first tick of an
hour that is written, and what changed since that one in the others. Everything here is bytes: where they lie
and how they travel is the business of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from typing import Any

import numpy as np
from solders.hash import Hash
from solders.pubkey import Pubkey

from keeper import tables
from keeper.clients import orders
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import TICK
from keeper.errors import UserError
from keeper.market import rules
from keeper.market.assignment import MATCH, VERSION, assign
from keeper.market.changes import changed, changes
from keeper.market.manifest import NAME, Base, File, Manifest, ManifestInvalid
from keeper.market.sequence import seed_of
from keeper.market.snapshot import DEVICE, ORDER, PAIR, PRICE, Snapshot
from keeper.market.valid import require_sorted, require_valid
from keeper.tables import Rows

DEVICES, MATCHES = "devices.csv", "matches.csv"
KINDS = {DEVICES: DEVICE, "orders.csv": ORDER, "prices.csv": PRICE, "pairs.csv": PAIR, MATCHES: MATCH}
"""A tick's tables, by their files' names."""
ROOM = 1 << 16
"""Bytes of a file that nobody's state explains, and that are read all the same."""
TICKS_A_DAY, TICKS_AN_HOUR = DAY // TICK, HOUR // TICK
Files = Mapping[str, bytes]
"""A tick's files by their names."""


class FileMissing(UserError):
    """A file of a tick that isn't there."""


class FileDiffers(UserError):
    """A file that isn't the one that the manifest names."""


class NotCanonical(UserError):
    """A file that says in another way what its rows are."""


class RuleUnknown(UserError):
    """Files by a version of the rule that this program doesn't know."""


class BaseMissing(UserError):
    """Files of a tick that say what changed since another one, without that."""


class BaseDiffers(UserError):
    """Devices of another tick than the one that a tick's files go on from."""


class ReplayDiffers(UserError):
    """Files that aren't what the rule gives: from a ``line`` of a ``file`` on, where it is ``found``.

    ``expected`` is the rule's; either is None where there is no such line.
    """

    def __init__(self, file: str, line: int, found: bytes | None, expected: bytes | None) -> None:
        """Name the first difference."""
        self.file, self.line = file, line
        self.found, self.expected = (
            None if each is None else each.decode(errors="replace") for each in (found, expected)
        )
        super().__init__(
            f"{file}: line {line} is {_shown(self.found)}, but the rule gives {_shown(self.expected)}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A tick's files, read: what they say of themselves, what went in, and ``MATCH`` rows that came out."""

    manifest: Manifest
    snapshot: Snapshot
    matches: Rows


def folder(tick: int) -> str:
    """Where a tick's files are among all: a folder for each day, in it one for each tick."""
    return f"{tick // TICKS_A_DAY}/{tick}"


def write(snapshot: Snapshot, operator: Pubkey, base: Batch | None = None) -> dict[str, bytes]:
    """Compute a tick's batch and write its files.

    ``base`` is the hour's first tick, whose devices these are compared with; None for that one itself. Raises
    BaseDiffers where it can't be one.
    """
    return encode(snapshot, assign(snapshot), operator, base)


def encode(
    snapshot: Snapshot, matches: Rows, operator: Pubkey, base: Batch | None = None
) -> dict[str, bytes]:
    """A tick's files with the ``matches`` that were computed of it; otherwise as :func:`write`."""
    devices = snapshot.devices if base is None else changes(base.snapshot.devices, snapshot.devices)
    found = devices, snapshot.orders, snapshot.prices, snapshot.pairs, matches
    contents = {name: b"".join(tables.encode(rows)) for name, rows in zip(KINDS, found, strict=True)}
    described = {
        name: File(sha256(contents[name]).hexdigest(), len(contents[name]), len(rows))
        for name, rows in zip(KINDS, found, strict=True)
    }
    manifest = Manifest(
        rule=VERSION,
        figures=rules.digest(),
        profiled=list(snapshot.profiled),
        program=str(orders.PROGRAM.address),
        operator=str(operator),
        tick=snapshot.tick,
        slot=snapshot.slot,
        blockhash=str(Hash(snapshot.blockhash)),
        seed=str(seed_of(snapshot.blockhash, snapshot.tick)),
        base=Base(base.manifest.tick, base.manifest.files[DEVICES].sha256) if base else None,
        files=described,
    )
    _base_of(manifest, base)
    return {**contents, NAME: manifest.encode()}


def room(snapshot: Snapshot) -> dict[str, int]:
    """Bytes that each of a tick's files may have, by its name, as far as who has its state believes.

    Twice as many as its own, for who saw the state a moment earlier or later; a device is matched once.
    """
    found = snapshot.devices, snapshot.orders, snapshot.prices, snapshot.pairs, snapshot.devices
    return {
        name: ROOM + 2 * sum(map(len, tables.encode(rows))) for name, rows in zip(KINDS, found, strict=True)
    }


def read(files: Files, base: Batch | None = None) -> Batch:
    """Read a tick's files; ``base`` is the tick that they go on from, if they do.

    Raises ManifestInvalid, RuleUnknown, FileMissing, FileDiffers, BaseMissing, BaseDiffers, TableError,
    NotCanonical, RowsUnsorted or RowsInvalid. What comes out isn't computed again.
    """
    manifest = Manifest.decode(_named(files, NAME))
    _require_known(manifest)
    found = {name: _read_table(files, manifest, name, dtype) for name, dtype in KINDS.items()}
    before = _base_of(manifest, base)
    require_sorted(DEVICES, found[DEVICES], "device")
    devices, rest = found[DEVICES], (found["orders.csv"], found["prices.csv"], found["pairs.csv"])
    if before is not None:
        devices = changed(before, found[DEVICES])
        if not np.array_equal(changes(before, devices), found[DEVICES]):
            raise NotCanonical(f"{DEVICES} has rows of devices that didn't change since {manifest.base}")
    blockhash = bytes(Hash.from_string(manifest.blockhash))
    snapshot = Snapshot(manifest.tick, manifest.slot, blockhash, devices, *rest, tuple(manifest.profiled))
    require_valid(snapshot)
    require_sorted(MATCHES, found[MATCHES], "order", "device")
    return Batch(manifest, snapshot, found[MATCHES])


def replay(files: Files, base: Batch | None = None) -> Batch:
    """Compute a tick's batch again from its own files and compare every byte.

    Raises as :func:`read`, and ReplayDiffers, which names the first difference.
    """
    batch = read(files, base)
    operator = Pubkey.from_string(batch.manifest.operator)
    again = write(batch.snapshot, operator, base if batch.manifest.base else None)
    require_same(files, again)
    return batch


def require_same(files: Files, again: Files) -> None:
    """Compare published files with what they should be; raises ReplayDiffers naming the first difference."""
    for name in (*KINDS, NAME):
        stated, computed = _named(files, name), again[name]
        if stated == computed:
            continue
        for number, (line, other) in enumerate(zip_longest(stated.split(b"\n"), computed.split(b"\n"))):
            if line != other:
                raise ReplayDiffers(name, number + 1, line, other)


# -- inside ------------------------------------------------------------------------------------


def _require_known(manifest: Manifest) -> None:
    stated, known = (manifest.rule, manifest.figures), (VERSION, rules.digest())
    if stated != known:
        one, other = (f"rule {rule} with figures {figures[:8]}" for rule, figures in (stated, known))
        raise RuleUnknown(
            f"{NAME}: decided by other rules, {one}, and this program knows {other}: the version of ionet "
            "that wrote it can compute it again"
        )
    if manifest.profiled != sorted(set(manifest.profiled)):
        raise ManifestInvalid(f"{NAME}: the profiled classes aren't ascending")
    if manifest.files.keys() != KINDS.keys():
        raise ManifestInvalid(f"{NAME} names other files than {', '.join(KINDS)}")
    seed = seed_of(bytes(Hash.from_string(manifest.blockhash)), manifest.tick)
    if manifest.seed != str(seed):
        raise ManifestInvalid(f"{NAME}: seed {manifest.seed}, but tick and blockhash give {seed}")
    if manifest.program != str(orders.PROGRAM.address):
        raise ManifestInvalid(f"{NAME} is of the program {manifest.program}, not of {orders.PROGRAM.address}")


def _base_of(manifest: Manifest, base: Batch | None) -> Rows | None:
    """The devices that a tick goes on from."""
    if manifest.base is None:
        return None
    if base is None:
        raise BaseMissing(
            f"tick {manifest.tick} goes on from tick {manifest.base.tick}: its files are needed"
        )
    of = base.manifest
    if (of.tick, of.files[DEVICES].sha256) != (manifest.base.tick, manifest.base.sha256):
        raise BaseDiffers(f"tick {manifest.tick} goes on from another {DEVICES} of tick {manifest.base.tick}")
    is_earlier = of.tick < manifest.tick and of.tick // TICKS_AN_HOUR == manifest.tick // TICKS_AN_HOUR
    if of.base or not is_earlier:
        raise BaseDiffers(f"tick {of.tick} has no whole {DEVICES} of the same hour before {manifest.tick}")
    return base.snapshot.devices


def _named(files: Files, name: str) -> bytes:
    if name not in files:
        raise FileMissing(f"{name} is missing")
    return files[name]


def _read_table(files: Files, manifest: Manifest, name: str, dtype: np.dtype[Any]) -> Rows:
    data, stated = _named(files, name), manifest.files[name]
    if (sha256(data).hexdigest(), len(data)) != (stated.sha256, stated.bytes):
        raise FileDiffers(f"{name} is not the file that the manifest names: its SHA-256 or length differs")
    rows = tables.decode(data, dtype, name)
    if len(rows) != stated.rows:
        raise FileDiffers(f"{name} has {len(rows)} rows, the manifest says {stated.rows}")
    if b"".join(tables.encode(rows)) != data:
        raise NotCanonical(f"{name} writes a value in another way than the one that there is")
    return rows


def _shown(line: str | None) -> str:
    return "missing" if line is None else repr(line)
