"""What an operator needs in an hour, computed from docs/benchmarks.md into docs/operations.md.

``python -m scripts.operator_hour`` renews the section between the marks; with --check it only says whether
it is as it must be. Parts are measured where the tables say, each on one core; what is multiplied by what
stands beside each row here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from keeper.chain.landing import LAMPORTS_PER_SIGNATURE
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import TICK
from keeper.operator.service import POLL_SECONDS
from keeper.operator.store import DAYS_FAILED, DAYS_PASSED
from keeper.pow.messages import Commit, Pong, size
from scripts import pages

ROOT = Path(__file__).parents[1]
PAGE, MEASURED = ROOT / "docs/operations.md", ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- operator_hour: begin -->\n", "<!-- operator_hour: end -->\n"
SIZES = 10_000, 100_000, 1_000_000
"""Devices, each of one processor, an agent for each."""
OPERATORS, PINGS = 5, 6
"""As in the table of what an hour weighs."""
CARD = "RTX 4090"
POSTS = 1 + 1 + HOUR // TICK + 1
"""Of an hour: its wave, its evidence, its ticks, its attestation."""

Row = Mapping[str, str]


def main() -> None:
    """Renew the section, or check it."""
    pages.write(PAGE, text(PAGE.read_text()), f"{PAGE} doesn't follow from {MEASURED}")


def text(page: str) -> str:
    """A page with the section as it follows from what was measured."""
    return pages.rewritten(page, BEGIN, END, f"{section(MEASURED.read_text())}\n")


def section(measured: str) -> str:
    """The table, from a page of measured ones."""
    polls = _row(measured, "polls.py", "10,000")
    message_us = _figure(_row(measured, "pongs.py", "5")["one by one, us"])
    checked = _row(measured, "day.py", "10,000 devices, 2 hours")
    merged = _figure(checked["part `hours`, s"]) / 2 / 10_000
    verified_ms = _figure(_row(measured, "pow.py", CARD, "of 200, ms each")["of 200, ms each"])
    weights = {count: _row(measured, "waves.py", f"{count:,}") for count in SIZES}
    blocks = {count: _row(measured, "reward_block.py", f"{count:,}") for count in SIZES}

    def openings(count: int) -> float:
        return count * _figure(weights[count]["opened"]) / 100

    def files(count: int) -> float:
        return _figure(weights[count][f"{OPERATORS} operators' files, MB"])

    def opened(count: int) -> float:
        return _figure(weights[count]["openings, MB"])

    work: dict[str, Callable[[int], float]] = {
        "devices that wait for news, core-s": lambda n: (
            n * HOUR / POLL_SECONDS * _figure(polls["a poll, ms"].partition("(")[0]) / 1e3
        ),
        f"commits, answers to {PINGS} pings, core-s": lambda n: n * (1 + PINGS) * message_us / 1e6,
        "openings verified, core-s": lambda n: openings(n) * verified_ms / 1e3,
        "the hour merged and judged, core-s": lambda n: n * merged,
        "the reward block, core-s": lambda n: _figure(blocks[n]["ours, s"]),
    }
    rows: dict[str, Callable[[int], float]] = {
        **work,
        "**cores in use**": lambda n: sum(each(n) for each in work.values()) / HOUR,
        "memory for devices that wait, MB": lambda n: (
            n * _figure(re.findall(r"\((.*) kB each", polls["memory, MiB"])[0]) / 1e3
        ),
        "memory for the reward block, MB": lambda n: _figure(blocks[n]["peak, MB"]),
        "bytes in from devices, MB": lambda n: n * (size(Commit) + PINGS * size(Pong)) / 1e6 + opened(n),
        "bytes in from other operators, and out to them, MB": lambda n: (
            files(n) * (OPERATORS - 1) / OPERATORS
        ),
        "on the disk, MB an hour": lambda n: files(n) + opened(n),
        "kept, GB": lambda n: (files(n) * DAYS_FAILED + opened(n) * DAYS_PASSED) * (DAY // HOUR) / 1e3,
        "fees, SOL": lambda n: POSTS * LAMPORTS_PER_SIGNATURE / 1e9,
    }
    head = ("an hour of", *(f"{count:,} devices" for count in SIZES))
    return pages.table(head, ((what, *(_shown(row(count)) for count in SIZES)) for what, row in rows.items()))


def _row(page: str, name: str, first: str, column: str = "") -> Row:
    """The row of a section's tables that begins with a cell, of those that have a ``column`` if one is named;
    raises ValueError unless there is one."""
    _, _, rest = page.partition(f"<!-- {name}: begin -->\n")
    inside, _, _ = rest.partition(f"<!-- {name}: end -->\n")
    found = [
        row for row in _rows(inside) if next(iter(row.values())) == first and (not column or column in row)
    ]
    if len(found) != 1:
        raise ValueError(f"{len(found)} rows of {name} begin with {first}")
    return found[0]


def _rows(section: str) -> Iterator[Row]:
    head: list[str] = []
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            head = []
        elif not head:
            head = cells
        elif not set(line) <= set("|:- "):
            yield dict(zip(head, cells, strict=True))


def _figure(cell: str) -> float:
    """The first figure of a cell; raises ValueError where there is none."""
    found = re.search(r"\d[\d,]*(\.\d+)?", cell)
    if not found:
        raise ValueError(f"{cell!r} has no figure")
    return float(found[0].replace(",", ""))


def _shown(value: float) -> str:
    """Two digits that count, and no more before the point than are known."""
    return f"{float(f'{value:.2g}'):,.10g}"


if __name__ == "__main__":
    main()
