"""Run the demo, and write what it prints and draws into docs/demo.md, docs/*.png.

README.md shows some of these lines, too: a test says which are no longer printed.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from keeper.demo import report, run
from keeper.demo.sheet import Section
from scripts.pages import rewritten

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "demo.md"
WIDTH = 80
PICTURES = "supply.png", "buyback.png"
DRAWN = {"supply": "![IO supply over the 20 years of emission](supply.png)"} | {
    "buyback": "![The price of each auction until it was sold, and the IO burned so far](buyback.png)"
}
"""The picture behind a section, by its name."""
BEGIN, END = "<!-- demo_page.py: begin -->\n", "<!-- demo_page.py: end -->\n"


def page(text: str, sections: Sequence[Section], summary: str) -> str:
    """The page with all that is printed between its marks."""
    written = "\n".join(_section(each) for each in sections)
    return rewritten(text, BEGIN, END, f"\n{written}\n{summary}.\n\n")


def _section(section: Section) -> str:
    """A heading, what it is about as text, and the rest as it is printed."""
    text = io.StringIO()
    report.show_parts(section, Console(width=WIDTH, file=text))
    lines = "\n".join(each.rstrip() for each in text.getvalue().strip("\n").splitlines())
    drawn = f"\n{DRAWN[section.name]}\n" if section.name in DRAWN else ""
    return f"## {section.title}\n\n{section.about}\n\n```\n{lines}\n```\n{drawn}"


def main() -> None:
    """Write them."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        done = asyncio.run(run.run(out, Console(width=WIDTH, file=io.StringIO())))
        PAGE.write_text(page(PAGE.read_text(), done.sections, done.summary))
        for picture in PICTURES:
            shutil.copy(out / picture, DOCS / picture)


if __name__ == "__main__":
    main()
