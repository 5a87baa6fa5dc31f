"""Which table of profiles holds in which hour: a change is announced, and older hours stay what they were.

``migrations/pow/hours.json`` names each table with its file's SHA-256 and the time from which it holds, UTC
and on a whole hour, as hours of the emission are; the first holds from the beginning. So operators with the
new package go on by the old table until the change's hour, all go over to the new one at once, and an hour of
the past is verified by the table that it was proven with. An hour's ``pow.json`` names its table's hash.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from keeper.errors import UserError, why
from keeper.pow.profiles import Profile, Profiles, ProfilesError, read_profiles
from keeper.resources import POW_HOURS

HOUR = 3_600
BESIDE = "profiles.json"
"""A network's own table, in an operator's folder of files."""
FIELDS = {"from", "file", "sha256"}


class ProfilesUnknown(UserError):
    """An hour that was proven with a table which this version doesn't have: nobody is to blame."""


class ByHour(Protocol):
    """Tells which table holds when. A table alone (:class:`~keeper.pow.profiles.Profiles`) always does."""

    @property
    def hash(self) -> bytes:
        """The same for whoever goes by the same tables at the same times."""
        ...

    @property
    def classes(self) -> frozenset[int]:
        """The classes that have a profile in any of the tables."""
        ...

    def at(self, time: int) -> Profiles:
        """The table that holds in the hour of a unix time."""
        ...

    def knows(self, digest: bytes) -> bool:
        """Whether a table with this hash holds at any time."""
        ...


class ProfilesByHour:
    """Tables, each from a time on; see :class:`ByHour`."""

    def __init__(self, tables: Sequence[tuple[int, Profiles]]) -> None:
        """``tables`` with the unix times from which they hold, in their order, the first one 0.

        Raises ProfilesError for other times, and where an id means two things: its proofs couldn't be told
        apart.
        """
        times = [time for time, _ in tables]
        if not times or times[0] or times != sorted(set(times)) or any(time % HOUR for time in times):
            raise ProfilesError(
                "tables of profiles hold from whole hours on, in their order, the first from 0"
            )
        known: dict[int, Profile] = {}
        for _, table in tables:
            for each in table.values():
                plain = replace(each, classes=())
                if known.setdefault(each.id, plain) != plain:
                    raise ProfilesError(f"profile {each.id} is another in a later table: give it a new id")
        self.tables = tuple(tables)
        self.hash = sha256(b"".join(time.to_bytes(8, "little") + each.hash for time, each in tables)).digest()

    @property
    def classes(self) -> frozenset[int]:
        """See :class:`ByHour`."""
        return frozenset().union(*(table.classes for _, table in self.tables))

    def at(self, time: int) -> Profiles:
        """See :class:`ByHour`."""
        return next(table for since, table in reversed(self.tables) if since <= max(0, time))

    def knows(self, digest: bytes) -> bool:
        """See :class:`ByHour`."""
        return any(table.hash == digest for _, table in self.tables)

    def of_class(self, class_id: int) -> tuple[tuple[int, Profile | None], ...]:
        """What the devices of a class do from which times on."""
        return tuple((since, table.of_class(class_id)) for since, table in self.tables)


def known_or_beside(by_hour: ByHour, digest: str, folder: Path) -> ByHour:
    """The tables by which an hour is verified: ``by_hour``, or the one of the network whose folder it is.

    A network may have a table of its own, as the demo has. Where this version doesn't have the one that an
    hour was proven with (``digest`` is its hash, hex), ``profiles.json`` in ``folder`` may be it. Raises
    ProfilesError for one there that can't be read, ProfilesUnknown for another one.
    """
    path = folder / BESIDE
    if by_hour.knows(bytes.fromhex(digest)) or not path.exists():
        return by_hour
    found = read_profiles(path)
    if not found.knows(bytes.fromhex(digest)):
        raise ProfilesUnknown(
            f"{path} has SHA-256 {found.hash.hex()}, but the hour was proven with profiles {digest}: "
            "it is another table, or was changed"
        )
    return found


def require_known(profiles: ByHour, digest: str, hour: int) -> None:
    """Raise ProfilesUnknown where an hour was proven with a table (its hash, hex) that isn't here."""
    if not profiles.knows(bytes.fromhex(digest)):
        raise ProfilesUnknown(
            f"hour {hour} was proven with profiles {digest}, which this version doesn't know: upgrade ionet. "
            "If yours is the newest version, its operators went by profiles that nobody has announced"
        )


def read_profiles_by_hour(path: Path | None = None) -> ProfilesByHour:
    """Read which tables hold when [default: ionet's own], and the tables beside it; raises ProfilesError."""
    path = path or POW_HOURS
    try:
        rows = json.loads(path.read_bytes())["tables"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ProfilesError(f"profiles by hour {path}: {why(error)}") from None
    if not isinstance(rows, list):
        raise ProfilesError(f"profiles by hour {path}: not a list of tables")
    try:
        return ProfilesByHour([_table(path, row) for row in rows])
    except ProfilesError as error:
        raise ProfilesError(f"profiles by hour {path}: {error}") from None


def _table(path: Path, row: Any) -> tuple[int, Profiles]:
    if (
        not isinstance(row, dict)
        or row.keys() != FIELDS
        or not all(isinstance(row[each], str) for each in FIELDS)
    ):
        raise ProfilesError(f"a table's fields are {', '.join(sorted(FIELDS))}, each a text")
    try:
        since = datetime.strptime(row["from"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ProfilesError(f"{row['from']} is no time such as 2027-01-31T12:00:00Z") from None
    table = read_profiles(path.parent / row["file"])
    if table.hash.hex() != row["sha256"]:
        raise ProfilesError(
            f"{row['file']} has SHA-256 {table.hash.hex()}, not {row['sha256']}: a table that was announced "
            "never changes, another one is another file"
        )
    return int(since.timestamp()), table
