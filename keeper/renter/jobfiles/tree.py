"""A YAML file as a tree in which everything knows its line, without YAML's opinions of what a word means.

Nothing is constructed from it: a port such as ``22:22`` stays the text that it is, and a tag runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from keeper.errors import UserError

MOST_CHARACTERS = 1 << 20
MOST_NODES = 20_000
"""Counted where an alias is written out: a small file can mean a large one."""
MOST_DEPTH = 30
_KINDS = {f"tag:yaml.org,2002:{name}": name for name in ("str", "int", "float", "bool", "null")}


class FileUnreadable(UserError):
    """What is no YAML, or has something in it that no such file needs."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value: one word or text, a list, or fields by their names."""

    line: int
    kind: str
    """``str``, ``int``, ``float``, ``bool``, ``null``, ``list`` or ``map``."""
    text: str = ""
    """As it is written; of a list and of fields nothing."""
    items: tuple[Node, ...] = ()
    fields: tuple[tuple[Node, Node], ...] = ()
    literal: bool = False
    """A text whose lines are lines of the file, from the next one on."""

    @property
    def is_null(self) -> bool:
        """Whether nothing is there."""
        return self.kind == "null"

    @property
    def is_word(self) -> bool:
        """Whether it is one word or text."""
        return self.kind not in ("list", "map")

    def at(self, *names: str) -> Node | None:
        """The value below fields of these names; None where there is none, or nothing in it."""
        found: Node | None = self
        for name in names:
            below = found.fields if found else ()
            found = next((value for key, value in below if key.text == name and not value.is_null), None)
        return found

    def lines(self) -> Iterator[tuple[int, str]]:
        """A text's lines with their numbers in the file."""
        for number, text in enumerate(self.text.splitlines()):
            yield (self.line + 1 + number if self.literal else self.line), text


def read(text: str, name: str) -> Node:
    """The tree of a file called ``name``; raises FileUnreadable."""
    if len(text) > MOST_CHARACTERS:
        raise FileUnreadable(f"{name} has more than {MOST_CHARACTERS >> 20} MiB: it is no task's file")
    try:
        found = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise FileUnreadable(f"{where}: no YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise FileUnreadable(f"{name} is no YAML: {' '.join(str(error).split())[:200]}") from error
    if not isinstance(found, yaml.MappingNode):
        raise FileUnreadable(f"{name} has no fields: name the file of a task or of a deployment")
    return _Made(name).node(found, 0)


class _Made:
    """A tree that is being made, with what is left of its bounds."""

    def __init__(self, name: str) -> None:
        self._name, self._left = name, MOST_NODES

    def node(self, found: yaml.Node, depth: int) -> Node:
        line = found.start_mark.line + 1
        self._left -= 1
        if self._left < 0 or depth > MOST_DEPTH:
            raise FileUnreadable(f"{self._name}:{line}: it is larger or deeper than any task's file")
        if isinstance(found, yaml.SequenceNode):
            return Node(line, "list", items=tuple(self.node(each, depth + 1) for each in found.value))
        if isinstance(found, yaml.MappingNode):
            return Node(line, "map", fields=tuple(self._fields(found, depth)))
        kind = _KINDS.get(found.tag, "str")
        odd = next((each for each in found.value if not each.isprintable() and each not in "\n\t"), None)
        if odd is not None:
            raise FileUnreadable(f"{self._name}:{line}: it has the control character {odd!r}")
        return Node(line, kind, "" if kind == "null" else found.value, literal=found.style == "|")

    def _fields(self, found: yaml.MappingNode, depth: int) -> Iterator[tuple[Node, Node]]:
        had: set[str] = set()
        for key, value in found.value:
            name = self.node(key, depth + 1)
            if not name.is_word or name.text in had:
                what = f"{name.text} is there twice" if name.is_word else "a name has to be a word"
                raise FileUnreadable(f"{self._name}:{name.line}: {what}")
            had.add(name.text)
            yield name, self.node(value, depth + 1)
