"""Write ops/prometheus/alerts.yml, the rules that Prometheus reads, from the handbook's table of alerts."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HANDBOOK = ROOT / "docs/operations.md"
RULES = ROOT / "ops/prometheus/alerts.yml"
ROW = re.compile(r"^\| (?P<name>[^|]+) \| (?P<when>.+) \| (?P<urgent>yes|no) \|$")
MINUTES = {"minute": 1, "minutes": 1, "hour": 60}


def rules(handbook: str) -> list[tuple[str, str, int, bool]]:
    """Each alert's name, expression, minutes before it counts, and whether somebody is to be woken.

    Raises ValueError for a row that can't be read as one.
    """
    chapter = handbook.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    found = []
    for line in chapter.splitlines():
        if (row := ROW.match(line.replace(r"\|", "\0"))) is None:
            continue
        name, when = row["name"].strip(), row["when"].replace("\0", "|")
        length = re.search(r" for (\d+) (\w+)$", when)
        minutes = int(length[1]) * MINUTES[length[2]] if length else 0
        words = when[: length.start()] if length else when
        if not re.fullmatch(r"`[^`]+`( (and|or) `[^`]+`)*", words):
            raise ValueError(f"{name}: {when} is no expression with a time")
        found.append((name, words.replace("`", ""), minutes, row["urgent"] == "yes"))
    return found


def write(handbook: str) -> str:
    """The rules' file."""
    lines = [
        "# Written by `python -m scripts.alerts` from docs/operations.md, which says what to do about each.",
        "groups:",
        "  - name: ionet",
        "    rules:",
    ]
    for name, expression, minutes, urgent in rules(handbook):
        lines += [
            f"      - alert: {json.dumps(name[0].upper() + name[1:])}",
            f"        expr: {json.dumps(expression)}",
            *([f"        for: {minutes}m"] if minutes else []),
            f"        labels: {{severity: {'page' if urgent else 'ticket'}}}",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    RULES.write_text(write(HANDBOOK.read_text()))
    sys.stdout.write(f"{RULES.relative_to(ROOT)}\n")
