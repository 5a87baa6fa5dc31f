"""The first value in which two tables differ, in the sentence that pages and commands say alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from keeper import tables
from keeper.tables import Rows


def difference(path: Path, published: Rows, right: Rows, who: str = "the rule") -> str | None:
    """Which row and column of ``published`` differs first from what ``who`` gives, ``right``; None for none.

    The tables have the same columns. Where one has more rows, it says so, too.
    """
    cell = _first_cell(published, right, who)
    if len(published) == len(right):
        return f"{path}: {cell}" if cell else None
    counts = f"{path} has {len(published)} rows, but {who} gives {len(right)}"
    return f"{counts}; {cell}" if cell else counts


def _first_cell(published: Rows, right: Rows, who: str) -> str | None:
    both = min(len(published), len(right))
    differing = np.flatnonzero(published[:both] != right[:both])
    if not len(differing):
        return None
    at = int(differing[0])
    stated, found = (_cells(table[at : at + 1]) for table in (published, right))
    name = next(each for each in stated if stated[each] != found[each])
    return f"row {at + 1}, {name}: {stated[name] or 'nothing'}, but {who} gives {found[name] or 'nothing'}"


def _cells(row: Rows) -> dict[str, str]:
    """A row's values as its file has them."""
    names, values = b"".join(tables.encode(row)).decode().splitlines()
    return dict(zip(names.split(","), values.split(","), strict=True))
