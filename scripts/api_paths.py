"""Write the table of paths in docs/api.md from the API's own description, or check it with --check."""

from __future__ import annotations

from pathlib import Path

from keeper.api.service import PREFIX, application
from keeper.db.visitors import Visitors
from scripts.pages import rewritten, write

PAGE = Path(__file__).parents[1] / "docs/api.md"
BEGIN, END = "<!-- paths: begin -->", "<!-- paths: end -->"
OF_LISTS = ("limit", "after", "order", "format")


def table() -> str:
    """A row for each path: what it answers, and what it can be asked beside what all lists can."""
    described = application(Visitors("sqlite:///nowhere.db")).openapi()["paths"]
    rows = []
    for path, methods in described.items():
        asked = methods["get"]
        names = [each["name"] for each in asked.get("parameters", []) if each["in"] == "query"]
        is_list = "after" in names
        filters = ", ".join(f"`{name}`" for name in names if name not in OF_LISTS)
        answers = asked["description"] + (" In pages." if is_list else "")
        rows.append(f"| `{path.removeprefix(PREFIX)}` | {answers} | {filters} |")
    head = f"| under `{PREFIX}` | answers | by |"
    return "\n".join([head, "| :-- | :-- | :-- |", *rows])


def text() -> str:
    """The page with the table as it is now."""
    return rewritten(PAGE.read_text(), BEGIN, END, f"\n{table()}\n")


if __name__ == "__main__":
    write(PAGE, text(), "docs/api.md isn't what the API answers")
