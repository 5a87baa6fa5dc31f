"""Draw docs/layers.svg from the import contract in pyproject.toml, or compare it with --check.

A room stands where the contract puts it, with the first sentence of its own docstring; one that the contract
only makes room for is dashed. ``python -m scripts.architecture`` writes the picture.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from textwrap import wrap

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs/layers.svg"

TOUCHES = {
    "cli": "Shows: what people type and read",
    "runtime": "Puts all of it together",
    "jobs": "Acts: what is signed and sent",
    "rewards": "Decides: what is due, who earns what",
    "indexer": "Reads: chain and database",
    "economy": "Rules: numbers alone",
}
"""What lines of a layer do, and of those under it down to the next, by the layer's first room."""
PLANNED: dict[str, str] = {}
"""Rooms that the contract has and the keeper hasn't yet, with what will be said of them; none just now."""

WIDTH, MARGIN, SIDE, GAP, NAME = 1000, 20, 150, 8, 90
"""Of the picture, around it, of the column at the left, between boxes, of a name before its text; pixels."""
LINE, CHARACTER = 16, 6.1
"""Height of a line of text and width of a character in it, about, pixels."""
STYLE = """
text { font-family: system-ui, "DejaVu Sans", sans-serif; font-size: 12px; fill: #24292f }
.name { font-weight: bold; font-size: 14px }
.side { font-size: 13px; font-weight: bold; fill: #57606a }
.back { fill: #ffffff }
.band { fill: #f0f3f6 }
.room { fill: #ffffff; stroke: #2f6f8f; stroke-width: 1.5 }
.planned { stroke: #8c959f; stroke-dasharray: 5 4 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.side { fill: #9da7b1 }
.back { fill: #0d1117 }
.band { fill: #161b22 }
.room { fill: #0d1117; stroke: #6cb6d9 }
.planned { stroke: #6e7681 }
}
"""


@dataclass(frozen=True)
class Room:
    """A package or module of the keeper, and what its docstring says of it in a sentence."""

    name: str
    text: str
    planned: bool


def layers(root: Path = ROOT) -> list[list[Room]]:
    """The contract's layers, the highest first; rooms of a layer may not import each other."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = [each for each in contracts if each["type"] == "layers"]
    return [[_room(root, name) for name in re.findall(r"[a-z_0-9]+", layer)] for layer in contract["layers"]]


def _room(root: Path, name: str) -> Room:
    folder = root / "keeper" / name
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    if not path.exists():
        return Room(name, PLANNED[name], planned=True)
    said = ast.get_docstring(ast.parse(path.read_text()))
    assert said, f"{path} has no docstring"
    sentence = re.split(r"(?<=\.)\s", said, maxsplit=1)[0]
    return Room(name, " ".join(sentence.replace("`", "").split()), planned=False)


def draw(rooms: list[list[Room]]) -> str:
    """The picture as SVG, by layers."""
    parts: list[str] = []
    top: float = MARGIN
    for layer in rooms:
        inside = (WIDTH - 2 * MARGIN - SIDE - GAP * (len(layer) + 1)) / len(layer)
        alone = len(layer) == 1
        # A room that has a layer to itself has its text beside its name.
        room_for_text = inside - 2 * GAP - (NAME if alone else 0)
        texts = [wrap(room.text, int(room_for_text / CHARACTER)) for room in layer]
        height = LINE * (max(map(len, texts)) + (not alone)) + GAP
        if layer[0].name in TOUCHES:
            top += GAP
            parts += _text(wrap(TOUCHES[layer[0].name], SIDE // 9), MARGIN, top + GAP, "side")
        left = MARGIN + SIDE
        parts.append(_box("band", left, top, WIDTH - MARGIN - left, height + 2 * GAP))
        for number, (room, text) in enumerate(zip(layer, texts, strict=True)):
            x, y = left + GAP + number * (inside + GAP), top + GAP
            parts.append(_box("room planned" if room.planned else "room", x, y, inside, height))
            parts += _text([room.name], x + GAP, y, "name")
            parts += _text(text, x + GAP + (NAME if alone else 0), y + (0 if alone else LINE), "text")
        top += height + 2 * GAP + GAP / 2
    legend = "A room may import those below it, none beside or above it. Dashed: planned, not built."
    parts += _text([legend], MARGIN + SIDE, top, "text")
    bottom = top + LINE + MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom:.0f}" role="img">',
            "<title>The keeper's rooms, by what a line in them may touch</title>",
            f"<style>{STYLE}</style>",
            _box("back", 0, 0, WIDTH, bottom),
            *parts,
            "</svg>\n",
        ]
    )


def _box(kind: str, x: float, y: float, width: float, height: float) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {place} rx="6"/>'


def _text(lines: list[str], x: float, y: float, kind: str) -> list[str]:
    """Lines of text under a point."""
    return [
        f'<text class="{kind}" x="{x:.1f}" y="{y + LINE * (number + 1):.1f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]


if __name__ == "__main__":
    drawn = draw(layers())
    if "--check" in sys.argv:
        sys.exit(
            PICTURE.read_text() != drawn
            and "docs/layers.svg is not what the contract says; run python -m scripts.architecture"
        )
    PICTURE.write_text(drawn)
