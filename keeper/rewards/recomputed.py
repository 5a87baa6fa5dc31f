"""An hour computed again from its published files, and everything that was published compared.

``web/src/verify`` does the same in a browser, and says the same of the same files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from keeper.economy import calendar, emission
from keeper.economy.calendar import HOUR
from keeper.pow.profiles import RULES
from keeper.pow.record import NAME as RECORD
from keeper.rewards.differences import difference, flat
from keeper.rewards.observed import observations
from keeper.rewards.publication import (
    CLASSES,
    INPUTS,
    KINDS,
    OBSERVED,
    REWARDS,
    WALLETS,
    File,
    FileDiffers,
    Manifest,
    PublicationError,
    decode_table,
    encode_table,
    hour_before,
    manifest_of,
    read_bytes,
    read_manifest,
    read_record,
    require_stated,
)
from keeper.rewards.rows import OBSERVATION, Hour, RowsError
from keeper.rewards.rule import BlockResult, reward
from keeper.rewards.tree import root
from keeper.tables import Rows

COMPUTED = REWARDS, WALLETS
"""Tables that the rule gives; the others are what it goes by."""


def verify(folder: Path, hour: int) -> Manifest:
    """Compute an hour's rewards again from its inputs and compare everything that was published.

    Needs the hour before, too. What was seen of the devices is taken as it was published. Raises
    PublicationError saying what differs: of a table the first row and column.
    """
    manifest = read_manifest(folder, hour)
    if manifest.hour != hour:
        raise PublicationError(f"the manifest in {folder / str(hour)} is of hour {manifest.hour}")
    if manifest.rule not in RULES:
        known = ", ".join(map(str, RULES))
        raise PublicationError(
            f"hour {hour} follows rule {manifest.rule}, but this program knows {known}: upgrade ionet"
        )
    _require_scheduled(manifest)
    place, (before, previous) = folder / str(hour), hour_before(folder, hour)
    found = {name: _given(place, name, manifest, before) for name in KINDS if name not in COMPUTED}
    block = _block(folder, manifest, found, before)
    for name, table in ((REWARDS, block.devices), (WALLETS, block.wallets)):
        found[name] = _computed(place / name, manifest, table)
    if words := _unseen(place, found):
        raise PublicationError(words)
    record = read_record(folder, manifest)
    files = {
        name: described(encode_table(name, table, manifest.rule), len(table)) for name, table in found.items()
    }
    files[RECORD] = described([record.encode()], len(record.waves))
    right = manifest_of(block.sums, previous, files, manifest.rule, root(block.wallets))
    stated = flat(manifest)
    for field, value in flat(right).items():
        if (found_there := stated.get(field)) != value:
            raise PublicationError(
                f"manifest of hour {hour}: {field} is {found_there}, but the rule gives {value}"
            )
    return manifest


def _require_scheduled(manifest: Manifest) -> None:
    """Raise PublicationError where an hour isn't of an emission, or emitted other than the schedule says."""
    hour, begin = manifest.hour, manifest.start - manifest.hour * HOUR
    with suppress(ValueError, OverflowError, calendar.MonthError):
        month = calendar.month_of(begin)
        if begin >= 0 and calendar.month_start(month) == begin:
            emitted = emission.cumulative(month, hour + 1)
            if manifest.emitted == emitted:
                return
            raise PublicationError(
                f"manifest of hour {hour}: emitted is {manifest.emitted}, but the schedule gives {emitted}"
            )
    raise PublicationError(
        f"manifest of hour {hour}: start is {manifest.start}, but hour {hour} of an emission begins "
        f"{hour} hours after a month"
    )


def _given(place: Path, name: str, manifest: Manifest, before: Rows) -> Rows:
    """Read a table that the rule goes by; raises PublicationError, with what in it is wrong."""
    path = place / name
    data = read_bytes(path)
    try:
        require_stated(path, data, manifest)
    except FileDiffers as error:
        raise FileDiffers(f"{error}{_told(place, name, data, manifest, before)}") from error
    return decode_table(path, data, manifest.rule)


def _told(place: Path, name: str, data: bytes, manifest: Manifest, before: Rows) -> str:
    """What in a file that isn't the manifest's is wrong, as far as the hour's other files tell."""
    try:
        found = {name: decode_table(place / name, data, manifest.rule)}
    except PublicationError as error:
        return f"; {error}"
    with suppress(PublicationError):
        for other in (INPUTS, OBSERVED, CLASSES):
            if other not in found:
                found[other] = _read(place / other, manifest)
        rewards = _read(place / REWARDS, manifest)
        words = _unseen(place, found)
        if not words and name in (INPUTS, CLASSES):
            try:
                block = _block(place.parent, manifest, found, before)
            except PublicationError as error:
                return f"; {error}"
            words = difference(place / REWARDS, rewards, block.devices, f"this {name}")
        return f"; {words}" if words else ""
    return ""


def _read(path: Path, manifest: Manifest) -> Rows:
    data = read_bytes(path)
    require_stated(path, data, manifest)
    return decode_table(path, data, manifest.rule)


def _computed(path: Path, manifest: Manifest, right: Rows) -> Rows:
    """Read a table that the rule gives, which must be ``right``; raises PublicationError."""
    data = read_bytes(path)
    differs = ""
    try:
        require_stated(path, data, manifest)
    except FileDiffers as error:
        differs = str(error)
    try:
        words = difference(path, found := decode_table(path, data, manifest.rule), right)
    except PublicationError as error:
        words = str(error)
    if differs:
        raise FileDiffers(f"{differs}; {words}" if words else differs)
    if words:
        raise PublicationError(words)
    return found


def _block(folder: Path, manifest: Manifest, found: Mapping[str, Rows], before: Rows) -> BlockResult:
    hour = Hour(manifest.hour, manifest.start, manifest.emitted)
    try:
        return reward(hour, found[INPUTS], found[CLASSES], before)
    except RowsError as error:
        raise PublicationError(f"hour {hour.number} in {folder}: {error}") from error


def _unseen(place: Path, found: Mapping[str, Rows]) -> str | None:
    """Where ``inputs.csv`` says that something else was seen of a device than ``observed.csv`` does."""
    seen = found[INPUTS][list(OBSERVATION.names or ())].astype(OBSERVATION)
    return difference(place / INPUTS, seen, observations(found[OBSERVED]), OBSERVED)


def described(chunks: Iterable[bytes], rows: int) -> File:
    """What a manifest says of a file of these bytes."""
    digest, size = sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return File(digest.hexdigest(), size, rows)
