"""Before anything is signed: what it moves, whether the chain would take it, and the question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from rich.table import Table
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Chain, TransactionFailed, TransactionRecord
from keeper.chain.connect import writing
from keeper.chain.packing import MAX_TRANSACTION_BYTES, size
from keeper.chain.token import read_token_account
from keeper.economy.money import show
from keeper.terminal.tables import console, plain
from keeper.wallet.plans import Plan

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="show every token that would move, try it, and sign nothing")
]
YesOption = Annotated[bool, typer.Option("--yes", help="don't ask before signing")]


def address(text: str) -> Pubkey:
    """Read an address; raises ValueError saying what isn't one."""
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no address: it takes 32 to 44 letters and digits") from error


async def carry_out(
    chain: Chain, plan: Plan, signers: Sequence[Keypair], *, dry_run: bool, yes: bool
) -> TransactionRecord | None:
    """Show what a plan moves, try it, ask, and send it; None when it was a dry run.

    Raises TransactionFailed when the trial is refused, ValueError when an account holds too little or
    somebody else must sign, and typer's Abort when the answer is no. The first signer pays.
    """
    console.print(movements(plan))
    for note in plan.notes:
        console.print(note, soft_wrap=True)
    _require_keys(plan, signers)
    await _require_funds(chain, plan)
    trial = await chain.simulate(plan.instructions, signers)
    if trial.error is not None:
        raise TransactionFailed(trial)
    if dry_run:
        console.print("Dry run: the chain would take this now. Nothing was sent.")
        return None
    if not yes:
        typer.confirm("Sign and send?", abort=True)
    async with writing(chain):
        record = await chain.send(plan.instructions, signers)
    console.print(f"Done: {record.signature}", soft_wrap=True)
    return record


def fitting(plan_of: Callable[[int], Plan], most: int, payer: Pubkey) -> tuple[Plan, int]:
    """The plan of the most things, up to ``most``, that fits into a transaction, and how many they are.

    ``plan_of`` makes the plan of the first so many; that of one is taken in any case.
    """
    chosen, count = plan_of(1), 1
    while count < most:
        longer = plan_of(count + 1)
        if size(longer.instructions, payer) > MAX_TRANSACTION_BYTES:
            break
        chosen, count = longer, count + 1
    return chosen, count


def movements(plan: Plan) -> Table:
    """Every token movement of a plan, with the accounts' addresses below."""
    table = plain("Tokens that move", "from", "to", "amount", "", "why")
    table.columns[1].justify = table.columns[4].justify = "left"
    for each in plan.movements:
        amount = show(each.amount, each.currency)
        table.add_row(each.source.name, each.to.name, amount, each.currency.name, each.why)
    if not plan.movements:
        table.add_row("none", "", "", "", "")
    places = {place.address: place.name for each in plan.movements for place in (each.source, each.to)}
    table.caption = "\n".join(f"{name}: {address}" for address, name in places.items())
    table.caption_justify = "left"
    return table


def _require_keys(plan: Plan, signers: Sequence[Keypair]) -> None:
    """Refuse a plan that somebody else must sign."""
    keys = {signer.pubkey() for signer in signers}
    metas = (meta for instruction in plan.instructions for meta in instruction.accounts)
    for meta in metas:
        if meta.is_signer and meta.pubkey not in keys:
            raise ValueError(f"{meta.pubkey} must sign this: give its key file by --keypair")


async def _require_funds(chain: Chain, plan: Plan) -> None:
    """Refuse, in words, a plan that an account can't pay; what came in by an earlier movement counts."""
    balances: dict[Pubkey, int] = {}
    sources = [each.source.address for each in plan.movements]
    for source, account in zip(sources, await chain.accounts(sources), strict=True):
        balances[source] = read_token_account(account.data).amount if account else 0
    for each in plan.movements:
        held = balances.get(each.source.address, 0)
        if held < each.amount:
            raise ValueError(
                f"{each.source.name} {each.source.address} holds {show(held, each.currency)} "
                f"{each.currency.name}, {show(each.amount, each.currency)} are needed"
            )
        balances[each.source.address] = held - each.amount
        balances[each.to.address] = balances.get(each.to.address, 0) + each.amount
