"""``ionet db`` and ``ionet index``: the keeper's database, and filling it without acting."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Annotated

import structlog
import typer
from rich.progress import Progress

from keeper.chain import ChainError
from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.keeping import compared
from keeper.cli.options import ChainOption
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.db.events import EventTables
from keeper.db.views import Views
from keeper.errors import UserError
from keeper.indexer.ledger import Comparison, rebuild_views
from keeper.rewards.hours import take_in
from keeper.runtime import logs, wiring
from keeper.runtime.operation import operating
from keeper.terminal.answers import working
from keeper.terminal.tables import console, errors, progress_of

app = typer.Typer(help="The keeper's database.", no_args_is_help=True)


@app.command("upgrade")
@answers(working.Upgraded)
def upgrade(as_json: JsonOption = False) -> None:
    """Upgrade the tables to this version's; every keeper does so when it starts."""

    async def work() -> str:
        database = Database(options.settings().database)
        await database.upgrade()
        await database.close()
        return database.name

    name = asyncio.run(work())
    if as_json:
        write({"database": name})
    else:
        console.print("the database is up to date")


@app.command("rebuild")
@answers(working.Rebuilt)
def rebuild(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROGRAM]...", help="such as staking", show_default="views alone"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make all views anew from the events; with programs, forget their events, to be read again.

    Views are what is looked up: accounts in columns, an address' history, sums; no chain is asked for them.
    Events of programs that are named are read from the chain again by the next ionet index or keeper run.
    """
    for name in names or ():
        if name not in PROGRAMS:
            raise UserError(f"no program is called {name}; there are {', '.join(PROGRAMS)}")

    async def work() -> tuple[str, bool]:
        chosen = options.settings()
        logs.configure(chosen.log, logging.WARNING)
        database = Database(chosen.database)
        try:
            if not await database.exists():
                return database.name, False
            if names:
                async with database.changing_schema() as connection:
                    for name in names:
                        await EventTables(PROGRAMS[name]).drop(connection)
                        await Views(PROGRAMS[name]).drop(connection)
            else:
                with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
                    for program in PROGRAMS.values():
                        await rebuild_views(database, program, progress_of(progress, program.name))
                    told = progress_of(progress, "hours")
                    log = structlog.get_logger()
                    await take_in(database, chosen.rewards, log, anew=True, told=told)
        finally:
            await database.close()
        return database.name, True

    database, there = asyncio.run(work())
    if as_json:
        rebuilt = (names or list(PROGRAMS)) if there else []
        write({"database": database, "exists": there, "rebuilt": rebuilt})
        return
    for name in names or ():
        console.print(f"{name} is indexed anew by the next ionet index or ionet keeper run")
    if not names:
        console.print("all views are made anew" if there else "there is nothing to make views from yet")


@answers(working.Indexed)
def index(
    chain: ChainOption = None,
    compare: Annotated[bool, typer.Option(help="compare the accounts with the chain's afterwards")] = True,
    follow: Annotated[
        bool, typer.Option("--follow", help="go on every IONET_CHECK_SECONDS, until Ctrl+C")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Index every program's events up to now, and check that the chain's accounts follow from them."""
    settings = options.settings(chain)
    logs.configure(settings.log)
    log = structlog.get_logger()

    async def work() -> list[Comparison]:
        async with (
            connect(settings.chain) as connected,
            operating(
                connected, settings.chain, settings.database, wiring.holder(settings), settings.rewards
            ) as keeper,
        ):
            await keeper.index(log)
            found = await keeper.compare(log) if compare else []
            while follow:
                await asyncio.sleep(settings.check_seconds)
                try:
                    await keeper.index(log)
                except ChainError as error:
                    # The node may be back the next time; what is indexed stays.
                    log.warning("index.failed", error=str(error))
            return found

    results: list[Comparison] = []
    with suppress(KeyboardInterrupt):
        results = asyncio.run(work())
    if as_json:
        write({"programs": [compared(each) for each in results]})
    if any(result.differences or result.views for result in results):
        raise typer.Exit(1)
