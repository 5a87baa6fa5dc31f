"""Our IDL codec against anchorpy 0.21's, on the same bytes, in the same run.

``python benches/idl_codec.py`` makes anchorpy's environment (once: the two can't share one), has
both sides work in turns, compares what they read and wrote, and renews the table in
docs/benchmarks.md. Absolute times are this machine's; the ratios are what to look at.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from environments import python_of
from inputs import digest, pieces, random_pieces, random_proofs, read_claims, write_pieces
from solders.pubkey import Pubkey

from keeper.chain import Program

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
DOCUMENT = REPOSITORY / "docs/benchmarks.md"
SECTION = "idl_codec.py"
ACCOUNTS, EVENTS, INSTRUCTIONS = 100_000, 20_000, 20_000

Task = tuple[str, str, int, Callable[[], Any], Callable[[Any], str]]


@dataclass(frozen=True, slots=True)
class Row:
    """A task's seconds on both sides, a pair for each round."""

    title: str
    items: int
    ours: list[float]
    theirs: list[float]

    def cells(self) -> list[str]:
        """The table's cells: microseconds for an item, and how many times as fast ours is."""
        micro = [f"{statistics.median(times) / self.items * 1e6:.3g}" for times in (self.ours, self.theirs)]
        ratios = sorted(b / a for a, b in zip(self.ours, self.theirs, strict=True))
        middle = statistics.median(ratios)
        return [
            self.title,
            f"{self.items:,}",
            *micro,
            f"**{middle:.3g}**",
            f"{ratios[0]:.3g} to {ratios[-1]:.3g}",
        ]


class Anchorpy:
    """The process that runs anchorpy."""

    def __init__(self, python: Path, folder: Path, script: str = "anchorpy_side.py") -> None:
        """Start ``script`` on the inputs in ``folder``."""
        idl = REPOSITORY / "idl/legacy/tokenomics.json"
        command = [str(python), str(HERE / script), str(idl), str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._line()

    def run(self, task: str) -> tuple[float, str]:
        """Have it do one task; returns the seconds and the digest of what came out."""
        assert self._process.stdin is not None
        self._process.stdin.write(task + "\n")
        self._process.stdin.flush()
        seconds, found = self._line().split()
        return float(seconds), found

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("anchorpy's side ended early; its error is above")
        return line


def our_tasks(folder: Path) -> list[Task]:
    """Title, anchorpy's task, items, what to time, and the digest of its result."""
    program = Program.load("tokenomics")
    allocations, events = pieces(folder / "allocations"), pieces(folder / "events")
    claims = read_claims(folder / "claims")
    names = [account["name"] for account in program.instructions["claim_season"]]
    accounts = {name: Pubkey(bytes([i]) * 32) for i, name in enumerate(names)}

    def table_digest(table: Any) -> str:
        fields = table.dtype.names[1:]
        return digest(
            (cell if isinstance(cell, int) else bytes(cell) for cell in (row[f].tolist() for f in fields))
            for row in table
        )

    return [
        (
            "accounts, all in one call (`decode_accounts`)",
            "accounts",
            ACCOUNTS,
            lambda: program.decode_accounts("Allocation", allocations),
            table_digest,
        ),
        (
            "accounts, one by one (`decode_account`)",
            "accounts",
            ACCOUNTS,
            lambda: [program.decode_account(data) for data in allocations],
            lambda found: digest(fields.values() for _, fields in found),
        ),
        (
            "events (`decode_event`)",
            "events",
            EVENTS,
            lambda: [program.decode_event(data) for data in events],
            lambda found: digest(event.fields.values() for event in found),
        ),
        (
            "instructions (`instruction`; anchorpy: the data alone)",
            "instructions",
            INSTRUCTIONS,
            lambda: [program.instruction("claim_season", claim, **accounts) for claim in claims],
            lambda found: digest([each.data] for each in found),
        ),
    ]


def write_inputs(folder: Path) -> None:
    """The same bytes for both sides."""
    program = Program.load("tokenomics")
    size = program.dtype("Allocation").itemsize
    allocations = random_pieces(program.discriminator("Allocation"), size, ACCOUNTS)
    emitted = hashlib.sha256(b"event:Emitted").digest()[:8]
    write_pieces(folder / "allocations", allocations)
    write_pieces(folder / "events", random_pieces(emitted, len(emitted) + 5 * 8, EVENTS))
    write_pieces(folder / "claims", random_proofs(INSTRUCTIONS))


def measure(folder: Path, repeats: int) -> list[Row]:
    """Run everything in turns; exits when the two sides don't agree on a value."""
    anchorpy = Anchorpy(python_of("anchorpy"), folder)
    rows: list[Row] = []
    for title, theirs, items, work, summarise in our_tasks(folder):
        row = Row(title, items, [], [])
        for _ in range(repeats):
            gc.collect()
            start = time.perf_counter()
            found = work()
            row.ours.append(time.perf_counter() - start)
            seconds, their_digest = anchorpy.run(theirs)
            row.theirs.append(seconds)
            if summarise(found) != their_digest:
                raise SystemExit(f"{title}: the two sides read or wrote different values")
        print(" | ".join(row.cells()), flush=True)
        rows.append(row)
    anchorpy.close()
    return rows


def report(rows: list[Row], repeats: int) -> str:
    """The section of docs/benchmarks.md."""
    head = ["", "items", "ours, us each", "anchorpy, us each", "times as fast", "lowest to highest round"]
    align = [":---", *["---:"] * (len(head) - 1)]
    lines = [head, align, *(row.cells() for row in rows)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    packages = ", ".join(f"{name} {version(name)}" for name in ("construct", "numpy", "solders"))
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()} on both sides; ours: {packages}"
    return f"{table}\n\nMedian of {repeats} rounds, the two sides in turns; {machine}.\n"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown, figures to the right."""
    lines = [head, [":---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write_section(name: str, section: str) -> None:
    """Renew the part of docs/benchmarks.md between a script's marks."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, mark, rest = DOCUMENT.read_text().partition(begin)
    _, last, after = rest.partition(end)
    if not (mark and last):
        raise SystemExit(f"{DOCUMENT}: the marks of {name}'s section are gone")
    DOCUMENT.write_text(before + begin + section + end + after)


def main() -> None:
    """Measure and renew the section between the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="rounds of each task")
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder)
        section = report(measure(folder, repeats), repeats)
    write_section(SECTION, section)


if __name__ == "__main__":
    sys.exit(main())
