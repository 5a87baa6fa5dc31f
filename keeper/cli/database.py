"""``ionet db`` and ``ionet index``: the keeper's database, and filling it without acting."""

from __future__ import annotations

import asyncio
from typing import Annotated

import structlog
import typer

from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.options import ChainOption
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.db.events import EventTables
from keeper.errors import UserError
from keeper.runtime import logs, wiring
from keeper.runtime.operation import operating
from keeper.terminal.tables import console

app = typer.Typer(help="The keeper's database.", no_args_is_help=True)


@app.command("upgrade")
def upgrade() -> None:
    """Upgrade the tables to this version's; every keeper does so when it starts."""

    async def work() -> None:
        database = Database(options.settings().database)
        await database.upgrade()
        await database.close()

    asyncio.run(work())
    console.print("the database is up to date")


@app.command("rebuild")
def rebuild(
    names: Annotated[list[str], typer.Argument(metavar="PROGRAM...", help="such as staking")],
) -> None:
    """Forget programs' events and accounts, so that the next run reads them from the chain again."""
    for name in names:
        if name not in PROGRAMS:
            raise UserError(f"no program is called {name}; there are {', '.join(PROGRAMS)}")

    async def work() -> None:
        database = Database(options.settings().database)
        try:
            if await database.exists():
                async with database.changing_schema() as connection:
                    for name in names:
                        await EventTables(PROGRAMS[name]).drop(connection)
        finally:
            await database.close()

    asyncio.run(work())
    for name in names:
        console.print(f"{name} is indexed anew by the next ionet index or ionet keeper run")


def index(
    chain: ChainOption = None,
    compare: Annotated[bool, typer.Option(help="compare the accounts with the chain's afterwards")] = True,
) -> None:
    """Index every program's events up to now, and check that accounts on chain follow from them alone."""
    settings = options.settings(chain)
    logs.configure(settings.log)
    log = structlog.get_logger()

    async def work() -> bool:
        async with (
            connect(settings.chain) as connected,
            operating(connected, settings.chain, settings.database, wiring.holder(settings)) as keeper,
        ):
            await keeper.index(log)
            results = await keeper.compare(log) if compare else []
        return not any(result.differences for result in results)

    if not asyncio.run(work()):
        raise typer.Exit(1)
