"""Take the pictures of pages in docs/web_*.png, of the demo's network in the middle of its life, in Chromium.

``python -m scripts.web_pictures`` after ``make demo`` and ``make web``; needs node and Chromium (apt has it).
The network's clock stands still meanwhile, so that the same demo gives the same pages.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from PIL import Image

from tests.keeper.cli.running import pages

ROOT = Path(__file__).parents[1]
DOCS, DRIVER = ROOT / "docs", ROOT / "tests/browser/browse.mjs"
CHAIN = ROOT / "out/demo/mid.chain"
COLOURS = 96
"""Of text and figures on paper: more isn't seen."""
MOST = 200_000
"""Bytes of a picture."""
WIDTH, HEIGHT = 1_180, 860
TALL = 1_480
"""Of a device, whose conditions are further down."""
RPC = "127.0.0.1:8899"
"""Where the node is, as a picture shows it."""


def steps(web: str, node: str, folder: Path) -> list[Sequence[Any]]:
    """What is done in the browser: each picture is a file in ``folder``."""
    (device, *_) = data(web, "/devices?state=leased&limit=1")
    (hour, *_) = data(web, "/blocks?limit=1")
    shots: list[Sequence[Any]] = []
    of_device = f"/devices/{device['address']}"
    for name, path, high in (
        ("network", "/", HEIGHT),
        ("market", "/market", HEIGHT),
        ("device", of_device, TALL),
    ):
        shots += [["size", WIDTH, high], ["open", path], ["view", str(folder / f"web_{name}.png")]]
    checked = [
        ["open", f"/blocks/{hour['hour']}"],
        ["fill", "Node of your own choice (RPC address)", node],
        ["click", "The rule, computed again"],
        ["see", "All of it holds."],
        ["screenshot_of", "[data-check]", str(folder / "web_check.png")],
    ]
    return [*shots, *checked]


def data(web: str, path: str) -> list[dict[str, Any]]:
    """What the API answers."""
    with urlopen(f"{web}/api/v1{path}") as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]
        return found


def take(web: str, node: str, folder: Path) -> None:
    """Have all pictures taken; raises SystemExit with what the browser says is wrong."""
    wanted = {
        "web": web,
        "chromium": shutil.which("chromium"),
        "context": {
            "viewport": {"width": WIDTH, "height": HEIGHT},
            "colorScheme": "light",
            "reducedMotion": "reduce",
        },
        "steps": steps(web, node, folder),
    }
    done = subprocess.run(
        ["node", DRIVER], input=json.dumps(wanted), stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(done.stdout)
    if found["failed"] or found["wrong"]:
        raise SystemExit(f"{found['failed']}\n{found['wrong']}")


def pack(file: Path, to: Path) -> None:
    """Write a picture with a palette of few colours; raises SystemExit for one that is large all the same."""
    with Image.open(file) as picture:
        few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(to, optimize=True)
    if to.stat().st_size > MOST:
        raise SystemExit(f"{to} has {to.stat().st_size} bytes of at most {MOST}")


def main() -> None:
    """Take them, and write them into docs/."""
    if not CHAIN.exists():
        raise SystemExit(f"{CHAIN} is missing: make demo")
    with tempfile.TemporaryDirectory() as folder:
        with pages(CHAIN, Path(folder) / "network", rpc=RPC) as (web, node):
            take(web, node, Path(folder))
        for file in sorted(Path(folder).glob("*.png")):
            pack(file, DOCS / file.name)
            print(f"{file.name}: {(DOCS / file.name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
