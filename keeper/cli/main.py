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
from rich.progress import Progress
from solders.pubkey import Pubkey

from keeper import deploy
from keeper.chain import ChainError, ChainUnreachable, TransactionFailed
from keeper.cli import rewards, tables
from keeper.cli.options import ChainOption, KeypairOption
from keeper.cli.tables import console
from keeper.clients import tokenomics
from keeper.clients.errors import explain
from keeper.demo.checks import DemoFailed
from keeper.economy import emission
from keeper.economy.calendar import parse_month
from keeper.economy.classes import read_classes
from keeper.economy.genesis import read_start_month, read_table
from keeper.rewards.publication import PublicationError
from keeper.services import jobs, logs, loop
from keeper.services.connect import connect
from keeper.settings import Settings

app = typer.Typer(
    help="An open, auditable economy for a compute network.", no_args_is_help=True, add_completion=False
)
keeper = typer.Typer(help="The bot that does what is due on chain.", no_args_is_help=True)
app.add_typer(keeper, name="keeper")
app.add_typer(rewards.app, name="rewards")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="folder for the files")] = Path("out/demo"),
) -> None:
    """Run the whole economy on an embedded chain: genesis, airdrops, 20 years of emission."""
    from keeper.demo import run  # noqa: PLC0415 - loads the charts' library, which the others don't need

    asyncio.run(run.run(out, console))
    console.print(
        f"In {out}: supply.png, supply.csv, the seasons' points, each operator's reward blocks, "
        "and the chain itself. Next:"
    )
    blocks = out / "rewards/operator-1"
    for command in (
        f"supply --chain {out}/network.chain",
        f"rewards show --dir {blocks}",
        f"rewards verify --dir {blocks} --chain {out}/network.chain",
    ):
        console.print(f"  {sys.argv[0]} {command}", soft_wrap=True)


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


@app.command("deploy")
def deploy_(
    keypair: Annotated[Path, typer.Option(help="upgrade authority's key file; it pays")],
    chain: ChainOption = None,
    keys: Annotated[Path, typer.Option(help="folder of the programs' keypairs")] = deploy.KEYS,
) -> None:
    """Put the programs on a chain, or upgrade those whose bytes differ."""

    async def work() -> None:
        authority = deploy.read_keypair(keypair)
        async with connect(chain or Settings().chain, live=True) as connected:
            for name in deploy.PROGRAMS:
                with Progress(console=console, transient=True) as progress:
                    show = tables.progress_of(progress, name)
                    changed = await deploy.deploy_program(connected, name, authority, keys, show)
                console.print(f"{name}: {'deployed' if changed else 'is on chain already'}")

    asyncio.run(work())


@app.command("genesis")
def genesis_(
    keypair: Annotated[Path, typer.Option(help="upgrade authority's key file; becomes the admin and pays")],
    guardian: Annotated[str, typer.Option(help="address that may pause and veto")],
    beneficiaries: Annotated[Path, typer.Option(help="JSON: allocations' labels and owners' addresses")],
    chain: ChainOption = None,
    start: Annotated[str | None, typer.Option(help="first month of emission, such as 2027-01")] = None,
    operator: Annotated[
        list[str] | None,
        typer.Option(help="address that attests reward blocks, repeat for each [default: the key's]"),
    ] = None,
    keys: Annotated[Path, typer.Option(help="folder of the programs' keypairs")] = deploy.KEYS,
) -> None:
    """Create the mint, write the tables of genesis and classes, launch; takes up what was interrupted."""

    async def work() -> tuple[tokenomics.Supply, tokenomics.Config | None]:
        async with connect(chain or Settings().chain, live=True) as connected:
            admin, veto = deploy.read_keypair(keypair), Pubkey.from_string(guardian)
            operators = [Pubkey.from_string(each) for each in operator or ()]
            await deploy.genesis(
                connected,
                admin,
                table=read_table(),
                beneficiaries=deploy.read_beneficiaries(beneficiaries),
                guardian=veto,
                staking_program=deploy.staking_program(keys),
                start_month=parse_month(start) if start else read_start_month(),
            )
            await deploy.staking_genesis(
                connected,
                admin,
                guardian=veto,
                operators=operators or [admin.pubkey()],
                classes=read_classes(),
            )
            return await tokenomics.read_supply(connected), await tokenomics.read_config(connected)

    found, config = asyncio.run(work())
    assert config is not None  # genesis raised otherwise
    console.print(tables.supply(found, config))


@keeper.command("run")
def keeper_run(
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    once: Annotated[bool, typer.Option("--once", help="run every job once and stop")] = False,
) -> None:
    """Do what is due, now and from now on: emission, vesting, ended seasons, reward blocks."""
    settings = Settings()
    logs.configure(settings.log)
    payer = deploy.read_keypair((keypair or settings.keypair).expanduser())
    log = structlog.get_logger()
    chosen = jobs.configured(settings.jobs, rewards=settings.rewards, observations=settings.observations)

    async def work() -> bool:
        async with connect(chain or settings.chain, live=True) as connected:
            if once:
                return all(
                    [await loop.run_once(name, job, connected, payer, log) for name, job in chosen.items()]
                )
            stop = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            await loop.run(connected, payer, jobs=chosen, every=settings.check_seconds, log=log, stop=stop)
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
    except TransactionFailed as error:
        _fail(explain(error))
    except (ChainError, DemoFailed, PublicationError, ValueError) as error:
        _fail(str(error))


def _fail(message: str) -> None:
    Console(stderr=True).print(f"[bold red]error:[/] {message}", highlight=False)
    sys.exit(1)
