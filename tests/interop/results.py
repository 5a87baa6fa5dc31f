"""The table of results in docs/clients.md."""

from __future__ import annotations

from pathlib import Path

from tests.interop.answers import Answers
from tests.interop.cases import cases
from tests.interop.resolution import counts
from tests.interop.values import alike

PAGE = Path(__file__).parents[2] / "docs/clients.md"
BEGIN, END = "<!-- results: begin -->\n", "<!-- results: end -->\n"
KINDS = {
    "instructions": "instructions built",
    "parsed": "instructions read",
    "accounts": "accounts read",
    "events": "events read",
}


def page(text: str, answers: dict[str, Answers]) -> str:
    """The page with the table as it should be; raises ValueError when its marks are gone."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE}: the marks of its results are gone")
    return before + begin + table(answers) + end + after


def table(answers: dict[str, Answers]) -> str:
    """What each client did of all that it was asked."""
    asked = cases().answers
    found = counts(answers)
    lines = [f"| client | {' | '.join(KINDS.values())} | needs signers and arguments alone |"]
    lines.append("| :--- " + "| ---: " * (len(KINDS) + 1) + "|")
    for client, said in answers.items():
        cells = [client]
        for kind in KINDS:
            right = sum(alike(wanted) == alike(said[kind][name]) for name, wanted in asked[kind].items())
            cells.append(f"{right:,} of {len(asked[kind]):,}")
        cells.append(f"{found[client]} of {len(asked['scenes'])}")
        lines.append(f"| {' | '.join(cells)} |")
    kinds = {kind: len({each.rpartition("/")[0] for each in names}) for kind, names in asked.items()}
    real = {kind: _real(asked[kind]) for kind in ("accounts", "events")}
    lines.append("")
    lines.append(
        f"{kinds['instructions']} instructions with three sets of arguments each; {kinds['accounts']} kinds "
        f"of accounts and {kinds['events']} of events with three sets of values each, and beside them "
        f"{real['accounts'][0]} accounts of {real['accounts'][1]} kinds and {real['events'][0]} events of "
        f"{real['events'][1]} kinds out of real chains."
    )
    return "\n".join(lines) + "\n"


def _real(names: dict[str, object]) -> tuple[int, int]:
    found = [each for each in names if "/real " in each]
    return len(found), len({each.rpartition("/")[0] for each in found})
