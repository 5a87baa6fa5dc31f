"""Run the demo, and write what it prints and draws into docs/demo.md, docs/*.png.

README.md shows some of these lines, too: a test says which are no longer printed.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from pathlib import Path

from rich.console import Console

from keeper.demo import run

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "demo.md"
WIDTH = 100
PICTURES = "supply.png", "buyback.png"
BLOCK = re.compile(r"^```\n(.*?)^```", re.DOTALL | re.MULTILINE)
SECONDS = re.compile(r"[\d.]+ s\.$")
"""What differs from run to run, at the end of the last line."""


def printed(out: Path) -> list[str]:
    """What the demo prints after its progress, line by line."""
    console = Console(record=True, width=WIDTH, quiet=False, file=(out / "printed").open("w"))
    asyncio.run(run.run(out, console))
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    begin = next(at for at, line in enumerate(lines) if line.startswith("Genesis"))
    return [*lines[begin:-1], SECONDS.sub("...", lines[-1])]


def page(text: str, lines: list[str]) -> str:
    """The page with ``lines`` divided among its blocks of output, each from its first line on.

    Raises ValueError when a block's first line is not printed any more: put the new one there.
    """
    blocks = [each[1] for each in BLOCK.finditer(text) if "───" in each[1]]
    begins = [lines.index(block.splitlines()[0]) for block in blocks]
    for block, begin, end in zip(blocks, begins, [*begins[1:], len(lines)], strict=True):
        text = text.replace(block, "\n".join(lines[begin:end]).strip("\n") + "\n")
    return text


def main() -> None:
    """Write them."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        PAGE.write_text(page(PAGE.read_text(), printed(out)))
        for picture in PICTURES:
            shutil.copy(out / picture, DOCS / picture)


if __name__ == "__main__":
    main()
