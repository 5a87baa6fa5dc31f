"""What doctors find, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from keeper.settings.findings import CheckState, Finding
from keeper.terminal.answers import working
from keeper.terminal.tables import plain

STYLES = {CheckState.OK: "green", CheckState.NOTE: "yellow", CheckState.WRONG: "bold red"}


def checks(found: Sequence[Finding]) -> list[working.Check]:
    """The same for programs."""
    return [{"check": e.check, "state": e.state.value, "found": e.found, "do": e.do} for e in found]


def findings(found: Sequence[Finding]) -> Table:
    """A line for each check."""
    table = plain("Doctor", "check", "state", "found", "what to do")
    for column in table.columns[1:]:
        column.justify = "left"
    for each in found:
        table.add_row(each.check, Text(str(each.state), STYLES[each.state]), each.found, each.do)
    return table
