"""The demo's page, which needs nothing but itself, and the same for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keeper.demo.sheet import Section, Sheet
from keeper.web.rendering import render

NAME, RESULTS = "index.html", "results.json"
TEMPLATE, PLACE = "demo.html", "OUT/"


def write(sections: Sequence[Section], summary: str, out: Path) -> None:
    """Write both. Raises OSError."""
    commands = {each.name: [command.replace(PLACE, f"{out}/") for command in each.check] for each in sections}
    html = render(TEMPLATE, sections=sections, summary=summary, commands=commands, is_table=is_table)
    (out / NAME).write_text(html)
    (out / RESULTS).write_text(json.dumps(results(sections, summary), indent=1) + "\n")


def is_table(part: Sheet | str) -> bool:
    """Whether a part of a section is a table."""
    return isinstance(part, Sheet)


def results(sections: Sequence[Section], summary: str) -> dict[str, Any]:
    """All of it as plain values: sections by name, each with its texts and tables, as they are shown."""
    return {"summary": summary, "sections": {each.name: _section(each) for each in sections}}


def _section(section: Section) -> dict[str, Any]:
    tables = [
        *(part for part in section.parts if isinstance(part, Sheet)),
        *(f.sheet for f in section.figures),
    ]
    texts = [section.about, *(part for part in section.parts if isinstance(part, str))]
    return {
        "title": section.title,
        "texts": texts,
        "tables": [{"title": t.title, "columns": list(t.columns), "rows": t.rows} for t in tables],
    }
