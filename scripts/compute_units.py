"""Write docs/compute_units.md from a run on the embedded chain, or compare it with --check.

Keys, clock and binaries are fixed, so that the figures are the same everywhere, to the unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from keeper.clients.programs import PROGRAMS
from keeper.resources import manifest
from scripts.costs import buyback, orders, staking, tokenomics
from scripts.costs.meter import Row
from scripts.pages import rewritten, span, write

DOCUMENT = Path(__file__).parents[1] / "docs/compute_units.md"
BEGIN, END = "<!-- compute_units.py: begin -->", "<!-- compute_units.py: end -->"
COSTS = {"tokenomics": tokenomics, "staking": staking, "buyback": buyback, "orders": orders}
BINARY_LIMITS = {"tokenomics": 122_880, "staking": 256_000, "buyback": 81_920, "orders": 199_680}
"""Bytes that a program may have at most."""
ALL_BINARIES = 665_600
"""Bytes that all of them together may have at most."""

Measured = dict[str, dict[str, Row]]
"""By program, by row."""


def measure() -> Measured:
    """Run every case of every program."""
    return {name: costs.measure() for name, costs in COSTS.items()}


def tables(measured: Measured) -> str:
    """All tables as Markdown."""
    lines: list[str] = []
    for program, rows in measured.items():
        lines += [f"## {program}", "", *table(rows, COSTS[program].TARGETS), ""]
    lines += ["## Binaries", "", "| program | bytes | limit |", "| :-- | --: | --: |"]
    lines += [f"| `{name}` | {size:,} | {BINARY_LIMITS[name]:,} |" for name, size in binaries().items()]
    return "\n".join(lines)


def table(rows: dict[str, Row], targets: Mapping[str, int]) -> list[str]:
    """The lines of a program's table."""
    lines = [
        "| instruction | compute units | target | transaction, bytes | cases |",
        "| :-- | --: | --: | --: | :-- |",
    ]
    for name, row in rows.items():
        instruction, comma, part = name.partition(",")
        target = f"{targets[name]:,}" if name in targets else ""
        cells = (f"`{instruction}`{comma}{part}", span(row.units), target, span(row.bytes), _cases(row))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def binaries() -> dict[str, int]:
    """Bytes of each program of the economy, by the manifest."""
    built = manifest()
    return {name: built[name]["bytes"] for name in PROGRAMS}


def document(text: str, measured: Measured) -> str:
    """The document with its tables renewed."""
    return rewritten(text, BEGIN, END, f"\n{tables(measured)}\n")


def _cases(row: Row) -> str:
    """How many cases there were, and which were the cheapest and the dearest."""
    low = row.cases[row.units.index(min(row.units))]
    high = row.cases[row.units.index(max(row.units))]
    if len(row.cases) == 1:
        return low
    ends = f": {low} to {high}" if min(row.units) < max(row.units) else ""
    return f"{len(row.cases)}{ends}"


if __name__ == "__main__":
    stale = "docs/compute_units.md isn't what the programs cost"
    write(DOCUMENT, document(DOCUMENT.read_text(), measure()), stale)
