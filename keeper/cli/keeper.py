"""``ionet keeper``: run it or one of its jobs, see its status, check what it needs, resume it."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Annotated

import structlog
import typer
from solders.pubkey import Pubkey

from keeper.chain.connect import connect
from keeper.cli import keeping, options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption, KeypairOption
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.errors import UserError
from keeper.indexer.ledger import Comparison
from keeper.jobs import names as job_names
from keeper.runtime import logs, operation, wiring
from keeper.runtime.doctor import Doctor
from keeper.runtime.keeper import JobOutcome
from keeper.runtime.operation import operating
from keeper.runtime.rehearsal import Rehearsal
from keeper.runtime.status import read_status
from keeper.sender.store import unpark
from keeper.settings import Settings
from keeper.settings.findings import CheckState, Finding
from keeper.settings.keys import KeyRefused
from keeper.terminal.answers import working
from keeper.terminal.findings import checks
from keeper.terminal.findings import findings as findings_table
from keeper.terminal.tables import console, show

app = typer.Typer(help="The bot that does what is due on chain.", no_args_is_help=True)


@app.command("run")
def run(
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    once_: Annotated[bool, typer.Option("--once", help="run every job once and stop")] = False,
) -> None:
    """Do what is due, now and from now on: emission, vesting, seasons, reward blocks, leases, buyback.

    Meanwhile everything that the programs do is indexed, and every hour the accounts that follow from it
    are compared with the chain's. Only one of several keepers on a database acts; the others stand by.
    SIGTERM lets the transaction under way land, for three seconds; a second one doesn't wait for it.
    """
    settings = options.settings(chain, keypair)
    run_jobs(settings, settings.jobs, once=once_)


def run_jobs(settings: Settings, names: list[str], *, once: bool) -> None:
    """Run the jobs of these names, and the keeper's own, once or until a signal.

    Exits with 1 if one fails when they run once.
    """
    logs.configure(settings.log)
    if not once:
        asyncio.run(wiring.run_until_stopped(settings, names))
        return

    async def work() -> bool:
        async with wiring.assembled(settings, names) as (keeper, _):
            await keeper.settle()
            done = [await keeper.run_job(name) for name in keeper.jobs]
            return all(outcome in (None, JobOutcome.OK) for outcome in done)

    if not asyncio.run(work()):
        raise typer.Exit(1)


@app.command("once")
@answers(working.JobRuns)
def once(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="such as vesting", show_default="all")
    ] = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what would be sent and what would come of it")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run jobs once; exits with 1 when one failed or sent nothing although it should have."""
    settings = options.settings(chain, keypair)
    known = (*job_names.NAMES, *operation.OWN)
    if unknown := [name for name in names or () if name not in known]:
        raise UserError(f"no job is called {', '.join(unknown)}; there are {', '.join(known)}")
    of_operators = [name for name in (job_names.ATTEST, job_names.FAULTS) if name in (names or ())]
    if of_operators and settings.pow is None:
        raise UserError(f"the job {of_operators[0]} needs an operator's proofs of work: set IONET_POW")
    of_market = (job_names.MATCHING, job_names.STEPS, operation.REPLAYS)
    market = [name for name in of_market if name in (names or ())]
    if market and settings.market is None:
        raise UserError(f"the job {market[0]} needs an operator's folder of the market: set IONET_MARKET")
    if dry_run:
        logs.configure(settings.log, logging.WARNING)

        async def rehearse() -> list[working.JobRun]:
            shown = []
            async for name, found in wiring.rehearsed(settings, names or settings.jobs):
                shown.append(keeping.rehearsal_json(name, found))
                if not as_json:
                    _show(name, found)
            return shown

        rehearsed = asyncio.run(rehearse())
        if as_json:
            write({"jobs": rehearsed})
        return
    logs.configure(settings.log)

    async def work() -> dict[str, JobOutcome | None]:
        async with wiring.assembled(settings, names or settings.jobs) as (keeper, _):
            if not await keeper.settle():
                raise UserError(keeper.lease_error or "another keeper leads on this database: stop it first")
            chosen = [name for name in keeper.jobs if not names or name in names]
            return {name: await keeper.run_job(name) for name in chosen}

    outcomes = asyncio.run(work())
    if as_json:
        write({"jobs": [keeping.run_json(name, outcome) for name, outcome in outcomes.items()]})
    if any(outcome is not JobOutcome.OK for outcome in outcomes.values()):
        raise typer.Exit(1)


@app.command("status")
@answers(working.KeeperStatus)
def status(chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """How far everything is indexed, whether accounts agree, what is under way, and who leads."""
    settings = options.settings(chain)

    async def read() -> bool:
        async with connect(settings.chain) as connected:
            programs = list(PROGRAMS.values())
            found = await read_status(connected, settings.chain, settings.database, programs)
        if as_json:
            write(keeping.status_json(found))
            return not found.halts
        if not found.exists:
            console.print(
                f"Nothing is indexed yet, as there is no {found.database}: ionet keeper run creates it, "
                "and so does ionet index, without acting.",
                soft_wrap=True,
            )
        for table in keeping.status(found):
            show(table)
        return not found.halts

    if not asyncio.run(read()):
        raise typer.Exit(1)


@app.command("resume")
@answers(working.Indexed)
def resume(chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """After a difference: compare again, and let jobs act again if all accounts agree now."""
    settings = options.settings(chain)
    logs.configure(settings.log)

    async def work() -> list[Comparison]:
        if await _nothing_in(settings, "halted", quiet=as_json):
            return []
        async with (
            connect(settings.chain) as connected,
            operating(connected, settings.chain, settings.database, wiring.holder(settings)) as keeper,
        ):
            return await keeper.resume(structlog.get_logger())

    results = asyncio.run(work())
    if as_json:
        write({"programs": [keeping.compared(each) for each in results]})
    if any(result.differences for result in results):
        raise typer.Exit(1)


@app.command("retry")
@answers(working.Retried)
def retry(
    key: Annotated[str | None, typer.Argument(help="a parked action's key", show_default="all")] = None,
    as_json: JsonOption = False,
) -> None:
    """Let parked actions be tried again, once what was wrong is fixed."""

    settings = options.settings()

    async def work() -> None:
        count = 0
        if not await _nothing_in(settings, "parked", quiet=as_json):
            database = Database(settings.database)
            try:
                count = await unpark(database, key)
            finally:
                await database.close()
            if not as_json:
                console.print(f"{count} actions are tried again")
        if as_json:
            write({"actions": count})

    asyncio.run(work())


@app.command("doctor")
@answers(working.Checks)
def doctor(chain: ChainOption = None, keypair: KeypairOption = None, as_json: JsonOption = False) -> None:
    """Check everything that a keeper needs, and say what to do; exits with 1 when something must be done."""
    settings = options.settings(chain, keypair)

    async def work() -> list[Finding]:
        key: Pubkey | KeyRefused
        try:
            key = settings.signer().pubkey()
        except KeyRefused as error:
            key = error
        async with connect(settings.chain) as connected:
            return await Doctor(settings, connected, os.environ, key).examine()

    findings = asyncio.run(work())
    if as_json:
        write({"checks": checks(findings)})
    else:
        show(findings_table(findings))
    if any(each.state is CheckState.WRONG for each in findings):
        raise typer.Exit(1)


async def _nothing_in(settings: Settings, what: str, *, quiet: bool) -> bool:
    """Return whether there is no database at all, and say so if there is none."""
    database = Database(settings.database)
    try:
        if await database.exists():
            return False
    finally:
        await database.close()
    if not quiet:
        console.print(f"Nothing is {what}: there is no {database.name} yet.", soft_wrap=True)
    return True


def _show(name: str, found: Rehearsal) -> None:
    console.print(f"[bold]{name}[/]:" + ("" if found.transactions else " sends nothing"))
    for number, transaction in enumerate(found.transactions, start=1):
        outcome = transaction.refusal or f"goes through with {transaction.compute_units:,} compute units"
        console.print(f"  transaction {number}: {outcome}", highlight=False, soft_wrap=True)
        for call in transaction.calls:
            console.print(f"    {call.program}.{call.name}", highlight=False, soft_wrap=True)
            rows = [*((key, str(value)) for key, value in call.arguments.items()), *call.accounts]
            for key, value in rows:
                console.print(f"      {key}: {value}", highlight=False, soft_wrap=True, markup=False)
    if found.stopped:
        console.print(f"  ends here: {found.stopped}", highlight=False, soft_wrap=True, markup=False)
