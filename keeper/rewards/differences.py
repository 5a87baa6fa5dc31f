"""The first value in which two tables differ, in the sentence that pages and commands say alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

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


def flat(value: Any, above: str = "") -> dict[str, Any]:
    """A record's or a manifest's values by their paths, ``waves.0.opening.slot`` among them."""
    if hasattr(value, "__dataclass_fields__"):
        value = asdict(value)
    if isinstance(value, Mapping):
        pairs: Iterator[tuple[object, Any]] = iter(value.items())
    elif isinstance(value, list | tuple):
        pairs = iter(enumerate(value))
    else:
        return {above: value}
    found: dict[str, Any] = {}
    for name, each in pairs:
        found |= flat(each, f"{above}.{name}" if above else str(name))
    return found


def _first_cell(published: Rows, right: Rows, who: str) -> str | None:
    both = min(len(published), len(right))
    differing = np.flatnonzero(published[:both] != right[:both])
    if not len(differing):
        return None
    at = int(differing[0])
    stated, found = (cells(table, at) for table in (published, right))
    name = next(each for each in stated if stated[each] != found[each])
    return f"row {at + 1}, {name}: {stated[name] or 'nothing'}, but {who} gives {found[name] or 'nothing'}"


def cells(table: Rows, row: int) -> dict[str, str]:
    """A row's values by their columns, as its file has them."""
    names, values = b"".join(tables.encode(table[row : row + 1])).decode().splitlines()
    return dict(zip(names.split(","), values.split(","), strict=True))
