"""``ionet emission``: the calendar of the emission, which needs no chain."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer
from rich.table import Table

from keeper.cli.answering import JsonOption, answers, write
from keeper.economy import emission as rules
from keeper.economy.calendar import MONTHS, parse_month
from keeper.economy.genesis import read_start_month
from keeper.economy.supply import io
from keeper.terminal.answers import looking
from keeper.terminal.tables import console, plain


@answers(looking.Emission)
def emission(
    start: Annotated[str | None, typer.Option(help="first month, such as 2024-07")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="all 240 months as CSV, in base units")] = False,
    as_json: JsonOption = False,
) -> None:
    """The emission's calendar, from its formula alone."""
    first = parse_month(start) if start else read_start_month()
    if as_json:
        write({"months": [month_json(each) for each in rules.calendar(first)]})
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("month", "hours", "emitted", "first_block", "cumulative"))
        writer.writerows(rules.calendar(first))
    else:
        console.print(years(first))


def month_json(month: rules.EmissionMonth) -> looking.EmissionMonth:
    """A month for programs: base units as text."""
    return {
        "month": month.month,
        "hours": month.hours,
        "emitted": str(month.emitted),
        "first_block": str(month.first_block),
        "cumulative": str(month.cumulative),
    }


def years(start: int) -> Table:
    """The emission by year."""
    table = plain("Emission, IO", "year", "from", "emitted", "first block", "cumulative")
    rows = list(rules.calendar(start))
    for year, first in enumerate(range(0, len(rows), MONTHS), start=1):
        months = rows[first : first + MONTHS]
        table.add_row(
            str(year),
            months[0].month,
            io(sum(month.emitted for month in months)),
            io(months[0].first_block),
            io(months[-1].cumulative),
        )
    return table
