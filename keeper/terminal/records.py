"""A device's reputation with its terms: what its leases came to, and what its waiting weighs by that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from keeper.economy.calendar import HOUR, moment
from keeper.market.reputation import FAIL, MILLI, LeaseEnd, Reputation
from keeper.terminal.answers import leasing
from keeper.terminal.tables import plain

NEWEST = 10
"""So many leases are shown to people."""


@dataclass(frozen=True, slots=True)
class Record:
    """A device's reputation, and what became of its leases that ran, by their numbers."""

    reputation: Reputation
    ends: Mapping[int, LeaseEnd]


def in_words(found: Reputation) -> str:
    """What a reputation follows from, and what follows from it."""
    good, bad = found.good / MILLI, found.bad / MILLI
    return (
        f"Its record: {good:.3f} days of leases whose fees were paid, and {bad:.3f} failures, each of which "
        f"weighs {FAIL} days; of both half is left after 30 days. So it serves {found.bound / 100:.2f} % of "
        f"leases well at least, with a confidence of 95 %, and its waiting weighs {found.weight / 100:.2f} %."
    )


def leases(found: Record) -> Table:
    """A line for each of the newest leases that ran: what it counted for at its end."""
    count = len(found.ends)
    shown = dict(list(found.ends.items())[-NEWEST:])
    title = f"Its last {len(shown)} of {count:,} leases" if count > NEWEST else "Its leases"
    table = plain(
        f"{title}, as they counted at their end", "", "ended", "hours", "paid for", "good", "bad", ""
    )
    table.columns[1].justify = table.columns[6].justify = "left"
    for number, each in reversed(shown.items()):
        table.add_row(
            f"{number:,}",
            moment(each.at),
            f"{each.served / HOUR:,.1f}",
            f"{each.fee_seconds / HOUR:,.1f}",
            f"{each.good / MILLI:.3f}",
            f"{each.bad / MILLI:.3f}",
            _became(each),
        )
    return table


def _became(end: LeaseEnd) -> str:
    words = {"failed": end.failed, "disputed": end.disputed, "served": not (end.failed or end.disputed)}
    return ", ".join(word for word, holds in words.items() if holds)


def row(found: Reputation) -> leasing.Reputation:
    """A reputation for programs: thousandths of days and of failures; bound and weight in basis points."""
    return {"good": found.good, "bad": found.bad, "bound": found.bound, "weight": found.weight}


def as_json(found: Record | None) -> leasing.Record | None:
    """The same with all leases, the oldest first; times are unix seconds."""
    if found is None:
        return None
    ended: list[leasing.LeaseEnd] = [
        {
            "number": number,
            "ended_at": each.at,
            "served": each.served,
            "fee_seconds": each.fee_seconds,
            "failed": each.failed,
            "disputed": each.disputed,
            "good": each.good,
            "bad": each.bad,
        }
        for number, each in found.ends.items()
    ]
    return {**row(found.reputation), "leases": ended}
