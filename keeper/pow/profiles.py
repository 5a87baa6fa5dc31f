"""Profiles: how large a product a class of processors makes in a wave, and in which time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from keeper.errors import UserError, why
from keeper.pow.product import BLOCK, CHECK, SEGMENT
from keeper.resources import POW_PROFILES

MAX_K = 1 << 17
"""Of so many products of two entries at most 2^14 in size the sum is at most 2^31."""
MAX_PLOT_K = 1 << 18
"""A larger sum wraps, which is as exact."""
MAX_ROWS = 1 << 24
MAX_ROUNDS = 1 << 14
MAX_PASSES = 1 << 10
MAX_PICKS = 64
MAX_MS = 10_000
"""With more, a hired device's deadline would come near the time at which operators seal."""
PANEL = 4_096
"""Rows and columns of the product that a card makes at a time."""
LEAF_ROWS = 128
"""Rows of a plot whose checks are one leaf."""
MANY = 4
"""A device of more processors keeps more of their memory full: seven must not pass as eight."""


RULES = 3, 4, 5
"""The rules of rewards that this version knows (docs/rewards.md). A table says which one its hours follow."""


class ProfilesError(UserError):
    """A table of profiles can't be read, or one in it makes no sense."""


@dataclass(frozen=True, slots=True)
class Residency:
    """How a processor shows that its memory is full of its plot: int8[m, K], read once for each pass.

    ``K_many`` is K for a device of more than four processors, ``rounds`` the generator's, ``q`` the picks.
    """

    m: int
    K: int
    K_many: int
    rounds: int
    passes: int
    q: int
    T_ms: int
    measured: bool = False

    def inner(self, procs: int) -> int:
        """K for a device of ``procs`` processors."""
        return self.K_many if procs > MANY else self.K

    @property
    def leaves(self) -> int:
        """Leaves of a pass's tree."""
        return self.m // LEAF_ROWS


@dataclass(frozen=True, slots=True)
class Profile:
    """A product int8[m, K] x int8[K, n] for each processor, of which ``q`` segments are opened.

    ``T_ms`` is the time of the fastest known kernel, ``measured`` whether that was on a card or follows
    from data sheets. A profile never changes: another one has another id.
    """

    id: int
    m: int
    n: int
    K: int
    q: int
    T_ms: int
    residency: Residency | None = None
    measured: bool = False
    classes: tuple[int, ...] = ()

    @property
    def segments(self) -> int:
        """Segments of a row."""
        return self.n // SEGMENT

    @property
    def tested(self) -> Residency | None:
        """The memory test that its devices have to pass: nothing where its time wasn't measured on a card."""
        return self.residency if self.residency and self.residency.measured else None

    @property
    def memory(self) -> int:
        """Bytes that a product takes of a processor's memory, kept free for it on a card that is hired.

        The shared operand, a panel of the device's own, and what that gives, as INT32 and as FP32.
        """
        return self.n * self.K + PANEL * self.K + 8 * PANEL * PANEL

    @property
    def record(self) -> int:
        """Bytes of a row's record: its segments' checks."""
        return CHECK * self.segments


class Profiles(Mapping[int, Profile]):
    """A table of profiles by id."""

    def __init__(self, profiles: Iterable[Profile], content: bytes, rule: int = RULES[0]) -> None:
        """``content`` is the file's, ``rule`` the one that hours with this table follow."""
        self.rule = rule
        self._by_id = {each.id: each for each in profiles}
        self._by_class = {number: each for each in self._by_id.values() for number in each.classes}
        self.hash = sha256(content).digest()
        """Names the table in an hour's files."""

    def __getitem__(self, profile_id: int) -> Profile:
        """The profile; raises KeyError when there is none."""
        return self._by_id[profile_id]

    def __iter__(self) -> Iterator[int]:
        """Ids, as in the file."""
        return iter(self._by_id)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_id)

    @property
    def classes(self) -> frozenset[int]:
        """The classes whose devices do something."""
        return frozenset(self._by_class)

    def of_class(self, class_id: int) -> Profile | None:
        """What the devices of a class do, or nothing."""
        return self._by_class.get(class_id)

    def at(self, time: int) -> Profiles:
        """Itself: a table alone holds always, see :mod:`keeper.pow.profiles_by_hour`."""
        return self

    def knows(self, digest: bytes) -> bool:
        """Whether this is the table with that hash."""
        return digest == self.hash


def deadline_ms(T_ms: int) -> int:
    """So long after a wave's block an answer is in time: a card doesn't serve two devices, as 2 T is more."""
    return T_ms * 13 // 10 + 1500


def hired_deadline_ms(T_ms: int) -> int:
    """The same for a device that is hired, whose renter may be using it."""
    return T_ms * 22 // 10 + 1500


def read_profiles(path: Path = POW_PROFILES) -> Profiles:
    """Read a table; raises ProfilesError."""
    try:
        content = path.read_bytes()
        table = json.loads(content)
    except (OSError, ValueError) as error:
        raise ProfilesError(f"profiles {path}: {why(error)}") from None
    if not isinstance(table, dict) or not isinstance(table.get("profiles"), list):
        raise ProfilesError(f"profiles {path}: not a table of profiles")
    rule = table.get("rule", RULES[0])
    if rule not in RULES:
        raise ProfilesError(
            f"profiles {path}: it goes with rule {rule}, which this version doesn't know: upgrade"
        )
    profiles = [_profile(path, row) for row in table["profiles"]]
    for what, numbers in (
        ("profile", [each.id for each in profiles]),
        ("class", [number for each in profiles for number in each.classes]),
    ):
        if twice := {each for each in numbers if numbers.count(each) > 1}:
            raise ProfilesError(f"profiles {path}: {what} {min(twice)} is there twice")
    return Profiles(profiles, content, rule)


def _profile(path: Path, row: Any) -> Profile:
    where = f"profiles {path}: profile {row.get('id') if isinstance(row, dict) else row!r}"
    found = _fields(where, Profile, row)
    residency, classes = found["residency"], found["classes"]
    if residency is not None:
        residency = _residency(f"{where}: residency", residency)
    if not isinstance(classes, list) or not all(_is_between(each, 1, 0xFFFF) for each in classes):
        raise ProfilesError(f"{where}: classes are a list of their numbers")
    profile = Profile(**{**found, "residency": residency, "classes": tuple(classes)})
    bounds = _is_between(profile.id, 0, 0xFFFF) and _is_power(profile.m, 2) and _is_power(profile.n, SEGMENT)
    if not (bounds and _is_inner(profile.K) and _are_common(profile)):
        raise ProfilesError(f"{where}: a number is out of bounds, or m or n no power of two")
    return profile


def _residency(where: str, row: Any) -> Residency:
    found = Residency(**_fields(where, Residency, row))
    bounds = _is_between(found.rounds, 1, MAX_ROUNDS) and _is_between(found.passes, 1, MAX_PASSES)
    inner = _is_inner(found.K, MAX_PLOT_K) and _is_inner(found.K_many, MAX_PLOT_K)
    if not (bounds and inner and _is_power(found.m, LEAF_ROWS) and _are_common(found)):
        raise ProfilesError(f"{where}: a number is out of bounds, or m no power of two")
    return found


def _fields(where: str, kind: type, row: Any) -> dict[str, Any]:
    """A row's fields, if they are a record's; raises ProfilesError."""
    names = {each.name for each in fields(kind)}
    if not isinstance(row, dict) or row.keys() != names:
        raise ProfilesError(f"{where}: its fields are {', '.join(sorted(names))}")
    return row


def _are_common(found: Profile | Residency) -> bool:
    picks = _is_between(found.q, 1, MAX_PICKS)
    return picks and _is_between(found.T_ms, 1, MAX_MS) and isinstance(found.measured, bool)


def _is_between(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _is_power(value: int, low: int) -> bool:
    return _is_between(value, low, MAX_ROWS) and value & (value - 1) == 0


def _is_inner(value: int, most: int = MAX_K) -> bool:
    return _is_between(value, BLOCK, most) and value % BLOCK == 0
