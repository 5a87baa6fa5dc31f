"""``ionet history`` and receipts: what the index knows of an address, of an order."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from solders.pubkey import Pubkey

from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.indexed import views
from keeper.cli.options import ChainOption, address
from keeper.clients.programs import PROGRAMS
from keeper.errors import UserError
from keeper.indexer import lookup
from keeper.indexer.lookup import PAGE, Cursor, Happened, Receipt
from keeper.terminal import history as shown
from keeper.terminal import tables
from keeper.terminal.answers import looking
from keeper.terminal.tables import console

CsvOption = Annotated[bool, typer.Option("--csv", help="all of it, or --limit rows, as CSV")]
PAGE_SHOWN = 20
"""Events on a page, unless --limit says otherwise."""


@answers(looking.History)
def history(
    of: Annotated[str, typer.Argument(metavar="ADDRESS", help="a wallet, device, order, lease, any address")],
    limit: Annotated[
        int | None, typer.Option(min=1, max=PAGE, help="events to show", show_default=str(PAGE_SHOWN))
    ] = None,
    before: Annotated[str | None, typer.Option(help="go on where the page before ended")] = None,
    program: Annotated[str | None, typer.Option(help="only this program's, such as orders")] = None,
    event: Annotated[str | None, typer.Option(help="only events of this name, such as RewardClaimed")] = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    chain: ChainOption = None,
) -> None:
    """Everything that happened around an address, newest first, with amounts and transactions.

    Read from the keeper's database (IONET_DATABASE) where there is one of this chain; otherwise the chain's
    history is indexed for this answer alone.
    """
    who = str(address(of))
    below = Cursor.read(before) if before else None
    if program and program not in PROGRAMS:
        raise UserError(f"no program is called {program}; there are {', '.join(PROGRAMS)}")
    known = {name for each in PROGRAMS.values() for name in each.event_fields}
    if event and event not in known:
        raise UserError(f"no event is called {event}: see docs/protocol.md, or a page without --event")
    programs, events = [program] if program else [], [event] if event else []

    async def read() -> tuple[list[Happened], str]:
        async with views(chain) as (database, age), database.reading() as connection:
            found: list[Happened] = []
            at, left = below, limit or (None if as_csv else PAGE_SHOWN)
            while True:
                size = PAGE if left is None else min(PAGE, left - len(found))
                page = await lookup.history(
                    connection, who, limit=size, below=at, programs=programs, events=events
                )
                found += page
                if len(page) < size or (left is not None and len(found) >= left):
                    return found, age
                at = page[-1].cursor

    found, age = asyncio.run(read())
    asked = limit or PAGE_SHOWN
    more = str(found[-1].cursor) if found and len(found) == asked and not (as_csv and not limit) else None
    if as_json:
        shown_events = [shown.as_json(each) for each in found]
        write({"address": who, "events": shown_events, "before": more})
    elif as_csv:
        _csv(found)
    elif found:
        console.print(f"What happened around {who}, {age}:", soft_wrap=True)
        _say(found, {who: "this address"})
        if more:
            console.print(f"Older ones: ionet history {who} --before {more}", soft_wrap=True)
    else:
        console.print(f"No event names {who}{' that is older' if below else ''} ({age}).", soft_wrap=True)


def _say(found: Sequence[Happened], named: Mapping[str, str]) -> None:
    for line in shown.lines(found, named):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _csv(found: list[Happened]) -> None:
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["time", "slot", "signature", "fee", "program", "event", "currency", "words", "fields"])
    names = ("time", "slot", "signature", "fee", "program", "event", "currency", "words")
    for each in map(shown.as_json, found):
        values = dict(each)
        rows.writerow([*(values[name] for name in names), json.dumps(each["fields"])])


def order_receipt(order: Pubkey, as_json: bool, chain: str | None) -> None:
    """See :func:`keeper.cli.orders.receipt`."""
    at = str(order)

    async def read() -> tuple[list[Receipt], str]:
        async with views(chain) as (database, age), database.reading() as connection:
            return await lookup.receipts(connection, at), age

    found, age = asyncio.run(read())
    if not found:
        raise UserError(f"there never was an order {at} ({age}): see ionet history, or ionet order list")
    if as_json:
        write({"receipts": [shown.order_json(each) for each in found]})
        return
    for each in found:
        for table in shown.receipt(each):
            tables.show(table)
        console.print(f"[bold]Payments[/], {age}", soft_wrap=True)
        _say(each.payments, {at: "this order"})
