"""An hour's files: what went in, what came out, and the manifest whose hash goes on chain.

``<folder>/<hour>/`` holds ``pow.json`` (by which blocks and files the hour's work was judged),
``verdicts.csv`` (a line for each device and wave), ``observed.csv`` (what that comes to, and what the next
hour goes on from), ``inputs.csv`` (devices and what was seen of them), ``classes.csv``, ``rewards.csv`` (a
line for each device), ``wallets.csv`` (all that each wallet ever earned: the tree's leaves) and
``manifest.json``, canonical JSON with the hash of each. A folder appears only when it is whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field
from solders.pubkey import Pubkey

from keeper import canonical, disk, tables
from keeper.clients import staking, tokenomics
from keeper.clients.staking import Attestation
from keeper.economy import merkle
from keeper.errors import UserError, why
from keeper.pow.record import NAME as RECORD
from keeper.pow.record import HourRecord, RecordError
from keeper.pow.verdicts import VERDICT
from keeper.rewards.counted import SHOWN_FIRST
from keeper.rewards.observed import OBSERVED_TABLE
from keeper.rewards.rows import CLASS, INPUT
from keeper.rewards.rule import RESULT, WALLET, DeviceStatus, Sums
from keeper.rewards.tree import EMPTY_ROOT, tree
from keeper.rewards.wallet_index import Claimable
from keeper.tables import Rows, Spelled, keys

VERDICTS, OBSERVED, INPUTS, CLASSES = "verdicts.csv", "observed.csv", "inputs.csv", "classes.csv"
REWARDS, WALLETS = "rewards.csv", "wallets.csv"
KINDS = {
    VERDICTS: VERDICT,
    OBSERVED: OBSERVED_TABLE,
    INPUTS: INPUT,
    CLASSES: CLASS,
    REWARDS: RESULT,
    WALLETS: WALLET,
}
"""The tables of an hour, by their files' names."""
LATER = {OBSERVED: {"unshown": SHOWN_FIRST}}
"""Columns that a table has only from a rule on: hours of before have the files that they had."""
FILES = (RECORD, *KINDS)
"""All that a manifest names."""
MANIFEST = "manifest.json"


class PublicationError(UserError):
    """Published files that are missing, damaged, or not what the rule gives."""


class FileDiffers(PublicationError):
    """A file that isn't the one that its manifest names."""


class NothingEarned(PublicationError):
    """A wallet that isn't among those of an hour."""


class FolderUnusable(PublicationError):
    """The folder of published hours can't be written."""


Count = Annotated[int, Field(ge=0, lt=2**64)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class File:
    """A published file; of ``pow.json`` the rows are its waves."""

    sha256: Digest
    bytes: Count
    rows: Count


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an hour's files are and add up to; amounts in base units.

    ``previous`` is the hash of the last hour's manifest. Nothing in here depends on who computed it or
    when, so that operators who saw the same attest the same.
    """

    hour: Count
    start: Count
    emitted: Count
    rule: Count
    program: str
    mint: str
    root: Digest
    total: Count
    pot: Count
    paid: Count
    carried: Count
    devices: Count
    succeeded: Count
    failed: Count
    missed: Count
    previous: Digest | None
    files: dict[str, File]

    def encode(self) -> bytes:
        """Write it as canonical JSON: sorted keys, no spaces, integers only."""
        return canonical.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Read it; raises PublicationError when it isn't one."""
        return _FORM.decode(data)

    @property
    def hash(self) -> str:
        """SHA-256 of its bytes, which the next hour's manifest and the chain hold."""
        return sha256(self.encode()).hexdigest()

    @property
    def attestation(self) -> Attestation:
        """What an operator attests on chain for the hour."""
        return Attestation(bytes.fromhex(self.root), self.total, self.devices, bytes.fromhex(self.hash))


_FORM = canonical.Form(Manifest, MANIFEST, "is no manifest", PublicationError)


@contextmanager
def whole_or_not(folder: Path, hour: int) -> Iterator[Path]:
    """A folder for an hour's files, which replaces the hour's earlier one once all are written.

    Raises FolderUnusable, also when the disk fails meanwhile.
    """
    try:
        with disk.whole(folder / str(hour)) as part:
            yield part
    except OSError as error:
        raise FolderUnusable(f"{folder} can't be written: {why(error)}") from error


def published_hours(folder: Path) -> list[int]:
    """The hours that are in a folder, in order; raises PublicationError when it can't be read."""
    try:
        names = [path.parent.name for path in folder.glob(f"[0-9]*/{MANIFEST}")]
    except OSError as error:
        raise PublicationError(f"{folder} can't be read: {why(error)}") from error
    return sorted(int(name) for name in names if name.isdecimal())


def read_manifest(folder: Path, hour: int) -> Manifest:
    """Read an hour's manifest; raises PublicationError when it isn't there or isn't one."""
    path = folder / str(hour) / MANIFEST
    try:
        return Manifest.decode(path.read_bytes())
    except FileNotFoundError as error:
        raise PublicationError(f"emission hour {hour} is not in {folder}: {path} is missing") from error
    except OSError as error:
        raise PublicationError(f"{path} can't be read: {why(error)}") from error


def files_of(manifest: Manifest) -> dict[str, File]:
    """All that an hour publishes, by name: the manifest first, as the chain has its hash."""
    data = manifest.encode()
    return {MANIFEST: File(sha256(data).hexdigest(), len(data), 1), **manifest.files}


def read_record(folder: Path, manifest: Manifest) -> HourRecord:
    """Read an hour's ``pow.json`` after comparing its hash; raises PublicationError."""
    path = folder / str(manifest.hour) / RECORD
    try:
        record = HourRecord.decode(_stated(path, manifest))
    except RecordError as error:
        raise PublicationError(f"{path}: {error}") from error
    if (record.hour, record.start) != (manifest.hour, manifest.start):
        raise PublicationError(f"{path} is of hour {record.hour}, from {record.start} on")
    return record


def read_observed(folder: Path, hour: int) -> Rows:
    """The table that an hour's observations go on from: of the hour before, empty for the first one."""
    if hour == 0:
        return np.zeros(0, OBSERVED_TABLE)
    return read_table(folder, read_manifest(folder, hour - 1), OBSERVED)


def read_table(folder: Path, manifest: Manifest, name: str) -> Rows:
    """Read one of an hour's tables after comparing its hash; raises PublicationError."""
    return read_file(folder / str(manifest.hour) / name, manifest)


def read_file(path: Path, manifest: Manifest) -> Rows:
    """Read one of an hour's tables wherever it is, as :func:`read_table` does."""
    return decode_table(path, _stated(path, manifest), manifest.rule)


def decode_table(path: Path, data: bytes, rule: int) -> Rows:
    """A table from its file's bytes, by a rule; raises PublicationError naming the first row that is none."""
    names = _columns(path.name, rule)
    rows_of = KINDS[path.name]
    try:
        found = tables.decode(data, np.dtype([(name, rows_of[name]) for name in names]), str(path))
    except tables.TableError as error:
        raise PublicationError(str(error)) from error
    rows = np.zeros(len(found), rows_of)
    rows[names] = found
    return rows


def _columns(name: str, rule: int) -> list[str]:
    """The columns that a table has by a rule."""
    later = LATER.get(name, {})
    return [each for each in KINDS[name].names or () if rule >= later.get(each, 0)]


def encode_table(name: str, rows: Rows, rule: int, spelled: Spelled | None = None) -> Iterator[bytes]:
    """A table's bytes by a rule, piece by piece; ``spelled`` as for :func:`keeper.tables.encode`."""
    return tables.encode(rows[_columns(name, rule)], spelled)


def read_bytes(path: Path) -> bytes:
    """A published file's bytes; raises PublicationError."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PublicationError(f"{path} is missing") from error
    except OSError as error:
        raise PublicationError(f"{path} can't be read: {why(error)}") from error


def require_stated(path: Path, data: bytes, manifest: Manifest) -> None:
    """Raise FileDiffers unless the manifest names these bytes."""
    stated = manifest.files.get(path.name)
    if stated is None or sha256(data).hexdigest() != stated.sha256:
        raise FileDiffers(f"{path} is not the file that the manifest names: its SHA-256 differs")


def _stated(path: Path, manifest: Manifest) -> bytes:
    """A file's bytes, which are those that the manifest names; raises PublicationError."""
    data = read_bytes(path)
    require_stated(path, data, manifest)
    return data


def claimable(folder: Path, hour: int, wallet: Pubkey) -> Claimable:
    """Look a wallet up in an hour's published files; raises PublicationError when it isn't there.

    The tree is built anew and its root compared with the manifest's.
    """
    wallets, top = read_tree(folder, read_manifest(folder, hour))
    if top is None:
        raise NothingEarned(f"nobody has earned anything by hour {hour}")
    (key,) = keys([wallet])
    number = int(np.searchsorted(wallets["wallet"], key))
    if number == len(wallets) or wallets["wallet"][number] != key:
        raise NothingEarned(f"{wallet} has earned nothing by emission hour {hour}")
    return Claimable(hour, wallet, int(wallets["lifetime"][number]), top.root, top.proof(number))


def read_tree(folder: Path, manifest: Manifest) -> tuple[Rows, merkle.Tree | None]:
    """An hour's wallets and the tree over them, whose root is the manifest's; raises PublicationError."""
    wallets = read_table(folder, manifest, WALLETS)
    top = tree(wallets)
    found = top.root if top else EMPTY_ROOT
    if found.hex() != manifest.root:
        hour = manifest.hour
        raise PublicationError(f"hour {hour}: wallets.csv has root {found.hex()}, not {manifest.root}")
    return wallets, top


def wallets_before(folder: Path, hour: int) -> Rows:
    """All wallets with what they had earned before an hour; none before the first."""
    return hour_before(folder, hour)[0]


def hour_before(folder: Path, hour: int) -> tuple[Rows, str | None]:
    """The wallets of the hour before, and its manifest's hash; nothing before the first hour."""
    if hour == 0:
        return np.zeros(0, WALLET), None
    manifest = read_manifest(folder, hour - 1)
    return read_table(folder, manifest, WALLETS), manifest.hash


def manifest_of(sums: Sums, previous: str | None, files: dict[str, File], rule: int, top: bytes) -> Manifest:
    """What an hour's files are and add up to; ``top`` is the root over its wallets."""
    counts = sums.statuses
    return Manifest(
        hour=sums.hour.number,
        start=sums.hour.start,
        emitted=sums.hour.emitted,
        rule=rule,
        program=str(staking.PROGRAM.address),
        mint=str(tokenomics.MINT),
        root=top.hex(),
        total=sums.total,
        pot=sums.pot,
        paid=sums.paid,
        carried=sums.pot - sums.paid,
        devices=sum(counts.values()),
        succeeded=counts[DeviceStatus.SUCCEEDED],
        failed=counts[DeviceStatus.FAILED],
        missed=counts[DeviceStatus.MISSED],
        previous=previous,
        files=files,
    )
