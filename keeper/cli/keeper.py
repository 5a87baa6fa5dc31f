"""``ionet keeper``: run it or one of its jobs, see its status, check what it needs, resume it."""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import UTC, datetime
from typing import Annotated

import structlog
import typer
from rich.table import Table
from solders.pubkey import Pubkey

from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.options import ChainOption, KeypairOption
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.errors import UserError
from keeper.jobs import names as job_names
from keeper.runtime import logs, operation, wiring
from keeper.runtime.doctor import Doctor
from keeper.runtime.keeper import JobOutcome
from keeper.runtime.operation import operating
from keeper.runtime.rehearsal import Rehearsal
from keeper.runtime.status import KeeperStatus, read_status
from keeper.sender.store import unpark
from keeper.settings import Settings
from keeper.settings.findings import CheckState, Finding
from keeper.settings.keys import KeyRefused
from keeper.terminal.findings import findings as findings_table
from keeper.terminal.tables import console, plain, show

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
def once(
    names: Annotated[list[str] | None, typer.Argument(metavar="[JOB]...", show_default="all")] = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what would be sent and what would come of it")
    ] = False,
) -> None:
    """Run jobs once; exits with 1 when one failed or sent nothing although it should have."""
    settings = options.settings(chain, keypair)
    known = (*job_names.NAMES, *operation.OWN)
    if unknown := [name for name in names or () if name not in known]:
        raise UserError(f"no job is called {', '.join(unknown)}; there are {', '.join(known)}")
    if job_names.ATTEST in (names or ()) and settings.pow is None:
        raise UserError(f"the job {job_names.ATTEST} needs an operator's proofs of work: set IONET_POW")
    of_market = (job_names.MATCHING, job_names.STEPS, operation.REPLAYS)
    market = [name for name in of_market if name in (names or ())]
    if market and settings.market is None:
        raise UserError(f"the job {market[0]} needs an operator's folder of the market: set IONET_MARKET")
    if dry_run:
        logs.configure(settings.log, logging.WARNING)

        async def show() -> None:
            async for name, found in wiring.rehearsed(settings, names or settings.jobs):
                _show(name, found)

        asyncio.run(show())
        return
    logs.configure(settings.log)

    async def work() -> bool:
        async with wiring.assembled(settings, names or settings.jobs) as (keeper, _):
            if not await keeper.settle():
                raise UserError(keeper.lease_error or "another keeper leads on this database: stop it first")
            chosen = [name for name in keeper.jobs if not names or name in names]
            return all([await keeper.run_job(name) is JobOutcome.OK for name in chosen])

    if not asyncio.run(work()):
        raise typer.Exit(1)


@app.command("status")
def status(chain: ChainOption = None) -> None:
    """How far everything is indexed, whether accounts agree, what is under way, and who leads."""
    settings = options.settings(chain)

    async def read() -> bool:
        async with connect(settings.chain) as connected:
            programs = list(PROGRAMS.values())
            found = await read_status(connected, settings.chain, settings.database, programs)
        if not found.exists:
            console.print(
                f"Nothing is indexed yet, as there is no {found.database}: ionet keeper run creates it, "
                "and so does ionet index, without acting.",
                soft_wrap=True,
            )
        for table in status_tables(found):
            show(table)
        return not found.halts

    if not asyncio.run(read()):
        raise typer.Exit(1)


@app.command("resume")
def resume(chain: ChainOption = None) -> None:
    """After a difference: compare again, and let jobs act again if all accounts agree now."""
    settings = options.settings(chain)
    logs.configure(settings.log)

    async def work() -> bool:
        if await _nothing_in(settings, "halted"):
            return True
        async with (
            connect(settings.chain) as connected,
            operating(connected, settings.chain, settings.database, wiring.holder(settings)) as keeper,
        ):
            results = await keeper.resume(structlog.get_logger())
        return not any(result.differences for result in results)

    if not asyncio.run(work()):
        raise typer.Exit(1)


@app.command("retry")
def retry(
    key: Annotated[str | None, typer.Argument(help="a parked action's key", show_default="all")] = None,
) -> None:
    """Let parked actions be tried again, once what was wrong is fixed."""

    settings = options.settings()

    async def work() -> None:
        if await _nothing_in(settings, "parked"):
            return
        database = Database(settings.database)
        try:
            console.print(f"{await unpark(database, key)} actions are tried again")
        finally:
            await database.close()

    asyncio.run(work())


@app.command("doctor")
def doctor(chain: ChainOption = None, keypair: KeypairOption = None) -> None:
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
    show(findings_table(findings))
    if any(each.state is CheckState.WRONG for each in findings):
        raise typer.Exit(1)


async def _nothing_in(settings: Settings, what: str) -> bool:
    """Return whether there is no database at all, and say so if there is none."""
    database = Database(settings.database)
    try:
        if await database.exists():
            return False
    finally:
        await database.close()
    console.print(f"Nothing is {what}: there is no {database.name} yet.", soft_wrap=True)
    return True


def status_tables(found: KeeperStatus) -> list[Table]:
    """A keeper's status: programs, what is under way, what needs attention."""
    columns = ("program", "final slot", "behind", "confirmed", "transactions", "backlog")
    programs = plain("Index", *columns)
    accounts = plain("Accounts, from events and on chain", "program", "slot", "compared, UTC", "", "")
    for each in found.programs:
        slots = (each.final_slot, each.behind, each.confirmed_slot)
        cells = ["" if slot is None else f"{slot:,}" for slot in slots]
        programs.add_row(each.name, *cells, f"{each.transactions:,}", f"{each.backlog:,}")
        if each.compared_at is not None:
            at = f"{datetime.fromtimestamp(each.compared_at, UTC):%Y-%m-%d %H:%M}"
            agree = f"{each.differences} differ" if each.differences else "all agree"
            accounts.add_row(each.name, f"{each.compared_slot:,}", at, f"{each.compared_accounts:,}", agree)
    actions = plain("Actions", "state", "count")
    for state, count in sorted(found.intents.items()):
        actions.add_row(state, f"{count:,}")
    leader = plain("Leader", "", "", "renewed, UTC")
    renewed = f"{datetime.fromtimestamp(found.renewed_at, UTC):%Y-%m-%d %H:%M:%S}" if found.renewed_at else ""
    leader.add_row(found.leader or "nobody", f"epoch {found.epoch}", renewed)
    problems = plain("Needs attention", "what", "why")
    for program, reason in found.halts.items():
        problems.add_row(f"nothing is sent: {program}", reason)
    for each in found.programs:
        if each.mismatch and each.name not in found.halts:
            problems.add_row(f"an earlier difference: {each.name}", each.mismatch)
    for key, reason in found.parked:
        problems.add_row(f"parked: {key}", reason)
    return [table for table in (programs, accounts, actions, leader, problems) if table.row_count]


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
