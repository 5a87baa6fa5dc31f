"""What scripts that write a page of docs/, or a part of one, have in common."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from pathlib import Path


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple(":--" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def span(values: Collection[int]) -> str:
    """The least and the most of some figures, or the one that all are."""
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def rewritten(page: str, begin: str, end: str, inside: str) -> str:
    """A page with another text between its marks; raises ValueError unless each of them is there once."""
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return before + begin + inside + end + after


def write(page: Path, text: str, stale: str) -> None:
    """Write a page; with --check only end with 1, saying that it is ``stale``, if it isn't as it must be."""
    if "--check" in sys.argv:
        sys.exit(page.read_text() != text and f"{stale}; run this script")
    page.write_text(text)
