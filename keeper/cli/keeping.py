"""What ``ionet keeper``'s commands show: how a keeper stands, and what its jobs come to."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.table import Table

from keeper.indexer.ledger import Comparison
from keeper.runtime.keeper import JobOutcome
from keeper.runtime.rehearsal import Rehearsal
from keeper.runtime.status import KeeperStatus, ProgramStatus
from keeper.terminal.answers import working
from keeper.terminal.tables import plain


def status(found: KeeperStatus) -> list[Table]:
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


def status_json(found: KeeperStatus) -> working.KeeperStatus:
    """The same for programs: slots, unix seconds."""
    return {
        "database": found.database,
        "exists": found.exists,
        "leader": found.leader,
        "epoch": found.epoch,
        "renewed_at": found.renewed_at,
        "programs": [_program(each) for each in found.programs],
        "actions": dict(found.intents),
        "halts": dict(found.halts),
        "parked": [{"key": key, "reason": reason} for key, reason in found.parked],
    }


def _program(found: ProgramStatus) -> working.ProgramStatus:
    return {
        "name": found.name,
        "final_slot": found.final_slot,
        "confirmed_slot": found.confirmed_slot,
        "behind": found.behind,
        "transactions": found.transactions,
        "backlog": found.backlog,
        "compared_slot": found.compared_slot,
        "compared_at": found.compared_at,
        "compared_accounts": found.compared_accounts,
        "differences": found.differences,
        "mismatch": found.mismatch,
    }


def compared(found: Comparison) -> working.Compared:
    """A comparison, for programs."""
    return {
        "program": found.program,
        "slot": found.slot,
        "accounts": found.accounts,
        "differences": [str(each) for each in found.differences],
        "views": [str(each) for each in found.views],
    }


def run_json(name: str, outcome: JobOutcome | None) -> working.JobRun:
    """A job that ran, for programs."""
    return {"job": name, "outcome": outcome and outcome.value, "transactions": [], "stopped": None}


def rehearsal_json(name: str, found: Rehearsal) -> working.JobRun:
    """What a job would send, for programs."""
    return {
        "job": name,
        "outcome": None,
        "transactions": [
            {
                "calls": [
                    {
                        "program": call.program,
                        "name": call.name,
                        "arguments": call.arguments,
                        "accounts": {key: str(address) for key, address in call.accounts},
                    }
                    for call in each.calls
                ],
                "compute_units": each.compute_units,
                "refusal": each.refusal,
            }
            for each in found.transactions
        ],
        "stopped": found.stopped,
    }
