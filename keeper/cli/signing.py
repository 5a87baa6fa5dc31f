"""Before anything is signed: what it moves, whether the chain would take it, and the question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from solders.signature import Signature

from keeper.chain import Chain, Signer, TransactionFailed, TransactionRecord
from keeper.chain.connect import writing
from keeper.chain.fees import FeePolicy
from keeper.chain.landing import land
from keeper.terminal.plans import movements
from keeper.terminal.tables import console
from keeper.wallet.checks import require_funds, require_keys
from keeper.wallet.plans import Plan

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="show every token that would move, try it, and sign nothing")
]
YesOption = Annotated[bool, typer.Option("--yes", help="don't ask before signing")]


async def carry_out(
    chain: Chain, plan: Plan, signers: Sequence[Signer], *, fees: FeePolicy, dry_run: bool, yes: bool
) -> TransactionRecord | None:
    """Show what a plan moves, try it, ask, and send it; None when it was a dry run.

    Raises TransactionFailed when the trial is refused, UserError when an account holds too little or
    another key must sign, and typer's Abort when the answer is no. The first signer pays; no signer is
    asked before the answer is yes.
    """
    console.print(movements(plan))
    for note in plan.notes:
        console.print(note, soft_wrap=True)
    require_keys(plan, {each.pubkey() for each in signers})
    await require_funds(chain, plan)
    trial = await chain.simulate(plan.instructions, signers)
    if trial.error is not None:
        raise TransactionFailed(trial)
    if dry_run:
        console.print("Dry run: the chain would take this now. Nothing was sent.")
        return None
    if not yes:
        typer.confirm("Sign and send?", abort=True)
    async with writing(chain):
        record = await land(chain, plan.instructions, signers, fees=fees, sending=_tell)
    console.print(f"Done: {record.signature}", soft_wrap=True)
    return record


def _tell(signature: Signature) -> None:
    """Before it is sent: whoever interrupts the command can look it up."""
    console.print(f"Sending {signature}", soft_wrap=True)
