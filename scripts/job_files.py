"""Write the tables of docs/job_files.md from what translates such files, or check them with --check."""

from __future__ import annotations

from pathlib import Path

from keeper.renter.jobfiles import FORMATS
from scripts.pages import rewritten, write

PAGE = Path(__file__).parents[1] / "docs/job_files.md"
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"


def tables() -> str:
    """A table for each format, a row for each of its keys."""
    found = []
    for each in FORMATS:
        rows = [f"| `{key.path}` | {key.fate} | {key.why} |" for key in each.KEYS]
        found.append(
            "\n".join(
                [
                    f"## {each.NAME}",
                    "",
                    "| key | | what it becomes, or why nothing |",
                    "| :-- | :-- | :-- |",
                    *rows,
                ]
            )
        )
    return "\n\n".join(found)


def text() -> str:
    """The page with the tables as they are now."""
    return rewritten(PAGE.read_text(), BEGIN, END, f"\n{tables()}\n")


if __name__ == "__main__":
    write(PAGE, text(), "docs/job_files.md isn't what is translated")
