"""What the demo shows, once for the terminal, the page and programs: sections of text, tables and figures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup
from rich.table import Table

from keeper.terminal.tables import plain


@dataclass(slots=True)
class Sheet:
    """A table, its cells as people read them: words to the left, figures to the right."""

    title: str
    columns: Sequence[str]
    left: Collection[int] = (0,)
    """The columns of words."""
    rows: list[list[str]] = field(default_factory=list)
    ends: set[int] = field(default_factory=set)
    """The rows after which something else begins."""

    def add_row(self, *cells: str, end_section: bool = False) -> None:
        """One row more; cells that are left out are empty."""
        if end_section:
            self.ends.add(len(self.rows))
        self.rows.append([*cells, *[""] * (len(self.columns) - len(cells))])

    def rich(self) -> Table:
        """For the terminal."""
        table = plain(self.title, *self.columns)
        table.title = self.title or None
        for number, column in enumerate(table.columns):
            column.justify = "left" if number in self.left else "right"
        for number, row in enumerate(self.rows):
            table.add_row(*row, end_section=number in self.ends)
        return table


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn in the page, with the table of its numbers."""

    svg: Markup
    legend: Sequence[str]
    """The names of its series, in the order of their colours."""
    unit: str
    """What its values are in."""
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Section:
    """A part of what is shown: what it is about, in plain words, and then tables and sentences."""

    name: str
    title: str
    about: str
    parts: Sequence[Sheet | str]
    figures: Sequence[Picture] = ()
    """In the page alone."""
    check: Sequence[str] = ()
    """Commands that show or compute it again, without ``ionet``, and with ``OUT/`` for the demo's folder."""
