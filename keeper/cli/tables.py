"""What the commands print."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from keeper.clients import tokenomics
from keeper.economy import emission as rules
from keeper.economy.calendar import MONTHS
from keeper.economy.supply import GENESIS_SUPPLY, io

console = Console()
"""Where all commands print."""


def plain(title: str, *columns: str) -> Table:
    """A table without lines: the first column to the left, figures to the right."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    return table


def progress_of(progress: Progress, name: str) -> Callable[[int, int], None]:
    """A bar called ``name``, as a function that takes (done, all)."""
    task = progress.add_task(name)

    def show(done: int, all_: int) -> None:
        progress.update(task, completed=done, total=all_)

    return show


def supply(found: tokenomics.Supply, config: tokenomics.Config) -> Table:
    """Where all IO is, with the sum that an auditor makes first."""
    at = datetime.fromtimestamp(found.time, UTC)
    table = plain(f"IO supply at {at:%Y-%m-%d %H:%M:%S} UTC", "", "IO")
    table.add_row("circulating", io(found.circulating))
    table.add_row("in airdrop seasons, not claimed yet", io(found.seasons))
    table.add_row("emitted, in the reward vault", io(found.rewards))
    table.add_row("locked: vesting", io(found.locked), end_section=True)
    table.add_row("supply of the mint", io(found.supply))
    minted = GENESIS_SUPPLY if config.launched else 0
    difference = minted + found.emitted - found.burned - found.supply
    table.add_row("genesis", io(minted))
    table.add_row("+ emitted", io(found.emitted))
    table.add_row("- burned", io(found.burned), end_section=True)
    table.add_row("genesis + emitted - burned - supply", io(difference) if difference else "0, as it must be")
    if config.launched:
        waiting = rules.hours_ended(config.start_month, found.time) - config.emitted_hours
        table.add_row("ended hours that nobody called emit for yet", f"{waiting:,}")
    return table


def emission(start: int) -> Table:
    """The emission by years."""
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
