"""All cells in which two tables differ, and rows that only one of them has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from keeper.rewards.differences import cells
from keeper.tables import Rows

MISSING, ADDITIONAL, ORDER = "missing", "additional", "order"
"""What a row can be where it isn't a cell that differs: not there, nobody's, or in another place."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A difference: ``row`` is the line after the header, from 1, None for one that the file doesn't have.

    ``column`` names the cell, or is one of :data:`MISSING`, :data:`ADDITIONAL` and :data:`ORDER`. ``subject``
    is what the row is about, by its keys.
    """

    row: int | None
    column: str
    subject: str
    expected: str | None
    found: str | None


def differing(stated: Rows, right: Rows, keys: Sequence[str]) -> Iterator[Cell]:
    """What differs, column by column; rows are the same one where their ``keys`` are.

    A row whose key alone was replaced is a cell of that key, not one row that lacks and one too many.
    """
    if len(stated) == len(right) and (stated == right).all():
        return
    mine, theirs = (_named(table, keys) for table in (stated, right))
    at = {name: row for row, name in reversed(list(enumerate(mine)))}
    both = [(at[name], row) for row, name in enumerate(theirs) if name in at]
    rows = np.array([row for row, _ in both], np.intp)
    others = np.array([row for _, row in both], np.intp)
    for name in stated.dtype.names or ():
        for place in np.flatnonzero(stated[name][rows] != right[name][others]).tolist():
            yield _cell(stated, int(rows[place]), right, int(others[place]), name, keys)
    known = set(rows.tolist())
    more = [row for row in range(len(stated)) if row not in known]
    less = [row for row, name in enumerate(theirs) if name not in at]
    yield from _unpaired(stated, more, right, less, keys)
    if not more and not less and (np.diff(rows) <= 0).any():
        place = int(np.flatnonzero(np.diff(rows) <= 0)[0]) + 1
        row = int(others[place])
        yield Cell(row + 1, ORDER, _subject(stated, row, keys), _line(right, row), _line(stated, row))


def _unpaired(
    stated: Rows, more: list[int], right: Rows, less: list[int], keys: Sequence[str]
) -> Iterator[Cell]:
    """Rows that have no like on the other side, those first whose key alone differs."""
    rest = [name for name in stated.dtype.names or () if name not in keys]
    lone: dict[tuple[object, ...], int] = {}
    for row, values in zip(less, _named(right[less], rest), strict=True):
        lone.setdefault(values, row)
    for row, values in zip(more, _named(stated[more], rest), strict=True):
        like = lone.pop(values, None)
        if like is None:
            yield Cell(row + 1, ADDITIONAL, _subject(stated, row, keys), None, _line(stated, row))
            continue
        less.remove(like)
        for name in keys:
            if stated[name][row] != right[name][like]:
                yield _cell(stated, row, right, like, name, keys)
    for row in less:
        yield Cell(None, MISSING, _subject(right, row, keys), _line(right, row), None)


def _named(table: Rows, keys: Sequence[str]) -> list[tuple[object, ...]]:
    return list(zip(*(table[name].tolist() for name in keys), strict=True))


def _cell(stated: Rows, row: int, right: Rows, other: int, name: str, keys: Sequence[str]) -> Cell:
    found, expected = (cells(table, at)[name] for table, at in ((stated, row), (right, other)))
    return Cell(row + 1, name, _subject(stated, row, keys), expected, found)


def _subject(table: Rows, row: int, keys: Sequence[str]) -> str:
    values = cells(table, row)
    return " ".join(values[name] for name in keys)


def _line(table: Rows, row: int) -> str:
    return ",".join(cells(table, row).values())
