"""When a page's first text is there, on this machine and as on a slow phone.

``python benches/first_paint.py`` serves a network in life, has Chromium visit its pages for the first time,
and renews the table in docs/benchmarks.md. It needs node 20 and npm. CHROMIUM names another browser than
/usr/bin/chromium.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.clients import staking  # noqa: E402
from tests.keeper.api.life import Life  # noqa: E402
from tests.keeper.cli.running import pages  # noqa: E402
from tests.programs.world import key  # noqa: E402
from toolchain.web import install  # noqa: E402

DOCUMENT = REPOSITORY / "docs/benchmarks.md"
BEGIN, END = "<!-- first_paint.py: begin -->\n", "<!-- first_paint.py: end -->\n"
DRIVER = REPOSITORY / "benches/first_paint.mjs"
ROUNDS = 5
BUDGETS = {False: 0.5, True: 1.2}
"""Seconds of the fastest round, here and on a slow phone: what else the machine does only adds to it."""


def measured(web: str, paths: list[str]) -> tuple[dict[tuple[str, bool], list[float]], str]:
    """Seconds of each round by page, and whether as on a slow phone; and the browser's version."""
    browser = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    wanted = {"web": web, "pages": paths, "chromium": browser, "rounds": ROUNDS}
    done = subprocess.run(
        ["node", DRIVER], input=json.dumps(wanted), check=True, stdout=subprocess.PIPE, text=True
    )
    said = json.loads(done.stdout)
    seconds: dict[tuple[str, bool], list[float]] = {}
    for each in said["found"]:
        seconds.setdefault((each["page"], each["isSlow"]), []).append(each["seconds"])
    return seconds, said["browser"]


def table(seconds: dict[tuple[str, bool], list[float]], titles: dict[str, str], browser: str) -> str:
    """What the document shows."""

    def told(of: list[float]) -> str:
        return f"{min(of):.2f} | {statistics.median(of):.2f}"

    lines = [
        "| first visit of | here, s | middle round | slow phone, s | middle round |",
        "| :--- | ---: | ---: | ---: | ---: |",
        *(
            f"| {title} | {told(seconds[path, False])} | {told(seconds[path, True])} |"
            for path, title in titles.items()
        ),
        "",
        f"Fastest of {ROUNDS} rounds, by turns; 2 cores, Chromium {browser}, Python "
        f"{platform.python_version()}. The cores were shared with other work, as the middle rounds show.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, and write the table; fails above the design's budgets."""
    install(REPOSITORY / "web")
    titles = {
        "/": "the network",
        "/devices": "devices, a list",
        "/blocks/1": "an hour, with its check",
        f"/devices/{staking.device_address(key('a3').pubkey())}": "a device, with a wallet's part",
    }
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        world = Life.lived(folder / "rewards/operator-1")
        world.chain.save(folder / "life.chain")  # type: ignore[attr-defined]  # it is the embedded one
        (folder / "keys").mkdir()
        with pages(folder / "life.chain", folder) as (web, _):
            seconds, browser = measured(web, list(titles))
    text = DOCUMENT.read_text()
    head, rest = text.split(BEGIN)
    shown = table(seconds, titles, browser)
    DOCUMENT.write_text(head + BEGIN + shown + END + rest.split(END)[1])
    print(shown)
    late = [titles[page] for (page, slow), each in seconds.items() if min(each) > BUDGETS[slow]]
    if late:
        print(f"over the budget: {', '.join(late)}", file=sys.stderr)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
