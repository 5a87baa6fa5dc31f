"""``ionet``: what users, operators and auditors type."""

from __future__ import annotations

import asyncio
import csv
import signal
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
from pydantic import ValidationError
from rich.console import Console

from keeper import deploy
from keeper.chain import ChainError, ChainUnreachable
from keeper.cli import tables
from keeper.clients import tokenomics
from keeper.demo.checks import DemoFailed
from keeper.economy import emission
from keeper.economy.calendar import parse_month
from keeper.economy.genesis import read_start_month
from keeper.services import logs, loop
from keeper.services.connect import connect
from keeper.settings import Settings

app = typer.Typer(
    help="An open, auditable economy for a compute network.", no_args_is_help=True, add_completion=False
)
keeper = typer.Typer(help="The bot that does what is due on chain.", no_args_is_help=True)
app.add_typer(keeper, name="keeper")

console = Console()

ChainOption = Annotated[
    str | None,
    typer.Option("--chain", help="RPC node's URL or a saved chain's file [default: IONET_CHAIN]"),
]


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="folder for the files")] = Path("out/demo"),
) -> None:
    """Run the whole economy on an embedded chain: genesis, airdrops, 20 years of emission."""
    from keeper.demo import run  # noqa: PLC0415 - loads the charts' library, which the others don't need

    asyncio.run(run.run(out, console))
    console.print(f"In {out}: supply.png, supply.csv, the seasons' points, and the chain itself. Next:")
    console.print(f"  {sys.argv[0]} supply --chain {out}/network.chain")


@app.command()
def supply(chain: ChainOption = None) -> None:
    """Where all IO is, and whether it adds up."""

    async def read() -> tuple[tokenomics.Supply, tokenomics.Config | None]:
        async with connect(chain or Settings().chain) as connected:
            return await tokenomics.read_supply(connected), await tokenomics.read_config(connected)

    found, config = asyncio.run(read())
    assert config is not None  # read_supply raised if there is none
    console.print(tables.supply(found, config))


@app.command("emission")
def emission_(
    start: Annotated[str | None, typer.Option(help="first month, such as 2024-07")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="all 240 months as CSV, in base units")] = False,
) -> None:
    """The emission's calendar, from its formula alone."""
    first = parse_month(start) if start else read_start_month()
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("month", "hours", "emitted", "first_block", "cumulative"))
        writer.writerows(emission.calendar(first))
    else:
        console.print(tables.emission(first))


@keeper.command("run")
def keeper_run(
    chain: ChainOption = None,
    keypair: Annotated[
        Path | None, typer.Option(help="the keeper's key file [default: IONET_KEYPAIR]")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="run every job once and stop")] = False,
) -> None:
    """Do what is due, now and from now on: emission, vesting, ended seasons."""
    settings = Settings()
    logs.configure(settings.log)
    payer = deploy.read_keypair((keypair or settings.keypair).expanduser())
    log = structlog.get_logger()

    async def work() -> bool:
        async with connect(chain or settings.chain, live=True) as connected:
            if once:
                return all([await loop.run_once(name, connected, payer, log) for name in settings.jobs])
            stop = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            await loop.run(
                connected, payer, jobs=settings.jobs, every=settings.check_seconds, log=log, stop=stop
            )
            return True

    if not asyncio.run(work()):
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; whatever a user can cause ends in one line that says what to do."""
    try:
        app()
    except ChainUnreachable as error:
        _fail(f"{error}\nIs the node running, and is --chain (or IONET_CHAIN) right?")
    except ValidationError as error:
        problems = [
            f"IONET_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()
        ]
        _fail("\n".join(problems))
    except (ChainError, DemoFailed, ValueError) as error:
        _fail(str(error))


def _fail(message: str) -> None:
    Console(stderr=True).print(f"[bold red]error:[/] {message}", highlight=False)
    sys.exit(1)
