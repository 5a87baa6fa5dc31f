"""How the commands print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

console = Console()
"""Where all commands print."""
errors = Console(stderr=True)
"""Where they tell people what isn't the output itself."""
_ANY_WIDTH = 1_000
_WIDTH = 80
_INDENT = "  "
_GAP = "   "
"""Between two values on a line."""


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
    """Print a table in the width that there is, 80 columns at least; no figure and no address is broken.

    Where its columns don't fit, words are wrapped; where that isn't enough, each row becomes a few lines,
    with a name before each value.
    """
    width = max(place.width, _WIDTH)
    title, table.title = table.title, None
    caption, table.caption = table.caption, None
    wide = Console(file=place.file, width=max(width, _longest(title), _longest(caption)))
    if title:
        wide.print(title, style=table.title_style, markup=False, highlight=False)
    natural, least = _widths(table, place)
    options = place.options.update(max_width=_ANY_WIDTH)
    between = place.measure(table, options=options).maximum - sum(natural)
    if sum(natural) + between <= width:
        wide.print(table)
    elif sum(least) + between <= width:
        spare = width - between - sum(least)
        for column, most, few in zip(table.columns, natural, least, strict=True):
            column.width = few + min(most - few, spare)
            spare -= column.width - few
        wide.print(table)
    else:
        for line in _rows(table, width):
            wide.print(Text(line), soft_wrap=True)
    if caption:
        wide.print(caption, style="dim", markup=False, highlight=False)


def _longest(text: object) -> int:
    """The longest word, such as an address: a line is at least that long."""
    return max(map(len, str(text or "").split()), default=0)


def _widths(table: Table, place: Console) -> tuple[list[int], list[int]]:
    """What each column would take, and the least that breaks no word of it."""
    found = []
    for column in table.columns:
        cells = [column.header, *column.cells] if table.show_header else list(column.cells)
        found.append(
            [Measurement.get(place, place.options.update(max_width=_ANY_WIDTH), each) for each in cells]
        )
    return (
        [max(each.maximum for each in cells) for cells in found],
        [max(each.minimum for each in cells) for cells in found],
    )


def _rows(table: Table, width: int) -> Iterator[str]:
    """A table's rows as blocks of ``name value``, the first value alone on its line."""
    names = [str(column.header) for column in table.columns]
    for row in zip(*(column.cells for column in table.columns), strict=True):
        first, *values = map(str, row)
        yield ""
        yield from _wrapped(first, width) or [""]
        line = ""
        for name, value in zip(names[1:], values, strict=True):
            if not value:
                continue
            for part in value.splitlines():
                words = f"{name} {part}".strip()
                if line and len(line) + len(_GAP) + len(words) <= width:
                    line += _GAP + words
                    continue
                if line:
                    yield line
                *whole, line = _wrapped(words, width, _INDENT)
                yield from whole
        if line:
            yield line
    yield ""


def _wrapped(words: str, width: int, indent: str = "") -> list[str]:
    return wrap(
        words,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def progress_of(progress: Progress, name: str) -> Callable[[int, int], None]:
    """A bar called ``name``, as a function that takes (done, all)."""
    task = progress.add_task(name)

    def show(done: int, all_: int) -> None:
        progress.update(task, completed=done, total=all_)

    return show
