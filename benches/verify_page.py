"""An hour checked in a browser, against a library's hashes and the command line on the same files.

``python benches/verify_page.py`` publishes hours with 10,000 devices and 100,000 wallets, has them checked in
Chromium and by ``ionet rewards verify``'s own function, and renews the table in docs/benchmarks.md. It needs
node 20 and npm. CHROMIUM names another browser than /usr/bin/chromium.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from reward_block import inputs  # noqa: E402

from keeper.economy import calendar, emission  # noqa: E402
from keeper.economy.calendar import HOUR  # noqa: E402
from keeper.rewards import publication, publishing, recomputed  # noqa: E402
from keeper.rewards.rows import Hour  # noqa: E402
from keeper.rewards.rule import WALLET, reward  # noqa: E402
from keeper.tables import Rows  # noqa: E402
from tests.keeper.rewards.seen import publish_rows  # noqa: E402
from toolchain.web import install  # noqa: E402

DOCUMENT = REPOSITORY / "docs/benchmarks.md"
BEGIN, END = "<!-- verify_page.py: begin -->\n", "<!-- verify_page.py: end -->\n"
PAGE = REPOSITORY / "benches/verify_page"
DEVICES, WALLETS = 10_000, 100_000
NUMBER = 743
MONTH = calendar.month_number(2024, 7)
ROUNDS = 5
BUDGETS = {"way": 0.2, "level 2": 3.0}
"""Seconds of the middle round."""


def others(earning: int) -> Rows:
    """Wallets that earned before: with the ``earning`` of the hours, so many as are to be checked."""
    rng = np.random.default_rng(1)
    table = np.zeros(WALLETS - earning, WALLET)
    table["wallet"] = np.sort(np.frombuffer(rng.bytes(32 * len(table)), "S32"))
    table["lifetime"] = rng.integers(1, 3_000_000_000, len(table))
    return table


def publish(folder: Path) -> publication.Manifest:
    """Two hours, of which the first follows one that nobody has."""
    made = inputs(DEVICES, folder.with_name("accounts"))
    rows, classes = made.rows(), made.classes
    first, second = (
        Hour(number, calendar.month_start(MONTH) + number * HOUR, emission.cumulative(MONTH, number + 1))
        for number in (NUMBER - 1, NUMBER)
    )
    earning = len(reward(first, rows, classes, np.zeros(0, WALLET)).wallets)
    with mock.patch.object(publishing, "hour_before", lambda *_: (others(earning), "ab" * 32)):
        publish_rows(folder, first, rows, classes)
    return publish_rows(folder, second, rows, classes)


def measured(folder: Path) -> tuple[dict[str, list[float]], str]:
    """Seconds of each round by what was measured, and the browser's version."""
    install(PAGE)
    command = ["node", str(PAGE / "run.mjs"), str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    seconds: dict[str, list[float]] = found["seconds"]
    seconds["command line"] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        recomputed.verify(folder / "rewards", NUMBER)
        seconds["command line"].append(time.perf_counter() - begun)
    return seconds, found["browser"]


def table(seconds: dict[str, list[float]], browser: str) -> str:
    """What the document shows."""
    middle = {name: statistics.median(each) for name, each in seconds.items()}

    def row(title: str, name: str, other: str = "", title_of_other: str = "") -> str:
        compared = "| - | - | - |"
        if other:
            ratios = [b / a for a, b in zip(seconds[name], seconds[other], strict=True)]
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            times = middle[other] / middle[name]
            compared = f"| {title_of_other}: {middle[other]:.3g} | **{times:.2f}** | {spread} |"
        return f"| {title} | {middle[name]:.3g} | {min(seconds[name]):.3g} {compared}"

    lines = [
        "| in the browser | ours, s | fastest round, s | compared with, s | times as fast "
        "| lowest to highest round |",
        "| :--- | ---: | ---: | ---: | ---: | ---: |",
        row(f"the tree over {WALLETS:,} wallets (WebCrypto)", "tree", "tree by noble", "@noble/hashes 2.4.0"),
        row(f"{WALLETS:,} addresses read", "addresses", "addresses by kit", "@solana/kit"),
        row("level 1: a leaf's way up that tree", "way"),
        row(f"level 2: {WALLETS:,} wallets, files fetched, read, hashed", "level 2"),
        row(
            f"level 3: all that, and {DEVICES:,} devices by the rule",
            "level 3",
            "command line",
            "ionet rewards verify",
        ),
        "",
        f"Median of {ROUNDS} rounds, by turns in one page; 2 cores, Chromium {browser}, "
        f"Python {platform.python_version()}. The cores were shared with other work: compare within a line.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, and write the table; fails above the design's budgets."""
    install(REPOSITORY / "web")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        manifest = publish(folder / "rewards")
        said = manifest.attestation
        about = {
            "hour": NUMBER,
            "program": manifest.program,
            "mint": manifest.mint,
            "root": manifest.root,
            "data_hash": said.data_hash.hex(),
            "total": str(said.total),
            "devices": said.devices,
        }
        assert manifest.files["wallets.csv"].rows == WALLETS
        (folder / "hour.json").write_text(json.dumps(about))
        seconds, browser = measured(folder)
    text = DOCUMENT.read_text()
    head, rest = text.split(BEGIN)
    shown = table(seconds, browser)
    DOCUMENT.write_text(head + BEGIN + shown + END + rest.split(END)[1])
    print(shown)
    late = [name for name, most in BUDGETS.items() if statistics.median(seconds[name]) > most]
    if late:
        print(f"over the budget: {', '.join(late)}", file=sys.stderr)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
