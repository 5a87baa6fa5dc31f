"""How the commands print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

console = Console()
"""Where all commands print."""
errors = Console(stderr=True)
"""Where they tell people what isn't the output itself."""
_ANY_WIDTH = 1_000


class _Plain(Table):
    """A table whose cells are text: a name on a chain may look like markup, or move the cursor."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """See :class:`rich.table.Table`."""
        super().add_row(*(_text(each) if isinstance(each, str) else each for each in cells), **options)


def _text(cell: str) -> Text:
    return Text("".join(each if each.isprintable() or each == "\n" else "?" for each in cell))


def plain(title: str, *columns: str) -> Table:
    """A table without lines: the first column to the left, figures to the right."""
    table = _Plain(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    return table


def show(table: Table, place: Console = console) -> None:
    """Print a table as wide as it is, so that addresses stay whole for copying and for pipes."""
    needed = place.measure(table, options=place.options.update(max_width=_ANY_WIDTH)).maximum
    Console(file=place.file, width=max(place.width, needed)).print(table)


def progress_of(progress: Progress, name: str) -> Callable[[int, int], None]:
    """A bar called ``name``, as a function that takes (done, all)."""
    task = progress.add_task(name)

    def show(done: int, all_: int) -> None:
        progress.update(task, completed=done, total=all_)

    return show
