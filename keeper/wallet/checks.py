"""What must hold before anybody is asked to sign a plan; the same for commands, pages and devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.chain.framework import sol
from keeper.chain.packing import MAX_TRANSACTION_BYTES, size
from keeper.chain.token import balance
from keeper.economy.money import show
from keeper.errors import UserError
from keeper.wallet.lamports import Payments
from keeper.wallet.plan import Plan


def require_keys(plan: Plan, signers: Collection[Pubkey]) -> None:
    """Refuse a plan that somebody else must sign; raises UserError naming who."""
    metas = (meta for instruction in plan.instructions for meta in instruction.accounts)
    for meta in metas:
        if meta.is_signer and meta.pubkey not in signers:
            raise UserError(f"{meta.pubkey} must sign this: pass its key file with --keypair")


async def require_funds(chain: ChainReader, plan: Plan) -> None:
    """Refuse a plan that an account can't pay; what came in by an earlier movement counts.

    Raises UserError with the amounts.
    """
    balances: dict[Pubkey, int] = {}
    sources = [each.source.address for each in plan.movements]
    for source, account in zip(sources, await chain.accounts(sources), strict=True):
        balances[source] = balance(account)
    for each in plan.movements:
        held = balances.get(each.source.address, 0)
        if held < each.amount:
            raise UserError(
                f"{each.source.name} {each.source.address} holds {show(held, each.currency)} "
                f"{each.currency.name}, but {show(each.amount, each.currency)} are needed"
            )
        balances[each.source.address] = held - each.amount
        balances[each.to.address] = balances.get(each.to.address, 0) + each.amount


async def require_sol(chain: ChainReader, paid: Payments) -> None:
    """Refuse a plan whose fee or rents somebody can't pay; raises UserError with the amounts."""
    needed = Counter({paid.payer: paid.fee})
    for opening, lamports in paid.rents:
        needed[opening.payer] += lamports
    payers = list(needed)
    for payer, account in zip(payers, await chain.accounts(payers), strict=True):
        has = account.lamports if account else 0
        if has < needed[payer]:
            raise UserError(
                f"{payer} has {sol(has)} SOL, but {sol(needed[payer])} are needed for the fee and for "
                "accounts that are made: send it some"
            )


def fitting(plan_of: Callable[[int], Plan], most: int, payer: Pubkey) -> tuple[Plan, int]:
    """The plan for as many things, up to ``most``, as fit into a transaction, and how many they are.

    ``plan_of`` makes the plan for the first so many; the plan for one is taken in any case.
    """
    chosen, count = plan_of(1), 1
    while count < most:
        longer = plan_of(count + 1)
        if size(longer.instructions, payer) > MAX_TRANSACTION_BYTES:
            break
        chosen, count = longer, count + 1
    return chosen, count
