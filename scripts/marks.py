"""The part of a page between two marks that a script writes; the rest of the page is written by hand."""

from __future__ import annotations


def rewritten(page: str, begin: str, end: str, inside: str) -> str:
    """A page with another text between its marks; raises ValueError unless each of them is there once."""
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return before + begin + inside + end + after
