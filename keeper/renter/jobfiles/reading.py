"""What is read of a file: each of its keys taken, set aside with a reason, or refused with its line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from keeper.renter.jobfiles.tree import Node

ITEM, ANY = "[]", "*"
NUMBER = re.compile(r"[0-9]{1,5}")
"""A number of whatever a file counts."""


class Fate(StrEnum):
    """What becomes of a key."""

    TAKEN = "taken"
    ASIDE = "set aside"
    REFUSED = "refused"


class Key(NamedTuple):
    """A key of a format: ``*`` in its path is any name, ``[]`` each item of a list."""

    path: str
    fate: Fate
    why: str
    """What it becomes, or why it becomes nothing."""


class Finding(NamedTuple):
    """A key of a file that isn't taken; line 0 is for what the whole file lacks."""

    line: int
    key: str
    why: str


class Price(NamedTuple):
    """An amount of money, and where it stands."""

    dollars: Decimal
    line: int
    key: str


@dataclass
class Wanted:
    """What a file wants, as far as it is read."""

    classes: list[str] = field(default_factory=list)
    processors: int = 1
    hours: int | None = None
    most: Price | None = None
    """For a device and hour."""
    command: list[str] = field(default_factory=list)
    working_dir: str | None = None
    environment: dict[str, str | None] = field(default_factory=dict)
    """None is a value of the shell's that the commands are typed in."""
    packages: list[str] = field(default_factory=list)
    """Arguments of pip."""
    ports: list[tuple[int, int]] = field(default_factory=list)
    """Of this machine, and of the head."""
    egress: bool = False
    """Whether the renter asks for a way out of the devices."""
    idle: str | None = None
    """How long no job may run before the leases are ended."""


class Reading:
    """A file that is being read."""

    def __init__(self, keys: Sequence[Key]) -> None:
        """``keys`` are all that the format has."""
        self._keys = {each.path: each for each in keys}
        self.aside: list[Finding] = []
        self.refused: list[Finding] = []

    def check(self, root: Node) -> None:
        """Note every key that isn't taken, and every one that the format doesn't have."""
        self._check(root, "", "")

    def refuse(self, at: Node | int, key: str, why: str) -> None:
        """Note what can't be."""
        self.refused.append(Finding(at if isinstance(at, int) else at.line, key, why))

    def set_aside(self, at: Node | int, key: str, why: str) -> None:
        """Note what changes nothing here."""
        self.aside.append(Finding(at if isinstance(at, int) else at.line, key, why))

    def word(self, node: Node | None, key: str) -> str:
        """A value that has to be one word; nothing where there is none, or something else."""
        if node is not None and not node.is_word:
            self.refuse(node, key, "one value is expected here")
            return ""
        return node.text if node else ""

    def count(self, node: Node | None, key: str, default: int = 1) -> int:
        """A value that has to be a whole number from 0 on."""
        text = self.word(node, key)
        if node is None or not node.is_word:
            return default
        if not NUMBER.fullmatch(text):
            self.refuse(node, key, f"{text!r} is no whole number")
            return default
        return int(text)

    def words(self, node: Node | None, key: str) -> list[Node]:
        """A list of words."""
        if node is None:
            return []
        if node.kind != "list" or not all(each.is_word for each in node.items):
            self.refuse(node, key, "a list of words is expected here")
            return []
        return list(node.items)

    def flag(self, node: Node | None, key: str, refused: str) -> None:
        """A switch whose being off changes nothing, and whose being on is refused."""
        if node is not None and self.word(node, key).lower() not in ("false", "no", "off", "0", ""):
            self.refuse(node, key, refused)

    # -- inside ----------------------------------------------------------------------------------

    def _check(self, node: Node, pattern: str, path: str) -> None:
        for key, value in node.fields:
            known = next(
                (p for p in (_joined(pattern, key.text), _joined(pattern, ANY)) if self._has(p)), None
            )
            self._judge(value, known, _joined(path, key.text), key.line)
        if node.kind == "list" and self._has(pattern + ITEM):
            for each in node.items:
                self._judge(each, pattern + ITEM, path, each.line)

    def _judge(self, value: Node, pattern: str | None, path: str, line: int) -> None:
        if pattern is None:
            self.refuse(line, path, "no such key is known here: take it out if nothing depends on it")
            return
        found = self._keys.get(pattern)
        if found is not None and found.fate is Fate.REFUSED:
            self.refuse(line, path, found.why)
        elif found is not None and found.fate is Fate.ASIDE:
            self.set_aside(line, path, found.why)
        elif self._has_below(pattern, "."):
            if not value.is_null and found is None and value.kind != "map":
                self.refuse(line, path, "fields are expected here")
            self._check(value, pattern, path)
        elif self._has_below(pattern, ITEM):
            if not value.is_null and found is None and value.kind != "list":
                self.refuse(line, path, "a list is expected here")
            self._check(value, pattern, path)

    def _has(self, pattern: str) -> bool:
        return pattern in self._keys or self._has_below(pattern, ".") or self._has_below(pattern, ITEM)

    def _has_below(self, pattern: str, what: str) -> bool:
        return any(each.startswith(pattern + what) for each in self._keys)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
