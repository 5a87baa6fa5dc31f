"""What a plan moves, for whoever is asked to sign it."""

from __future__ import annotations

from rich.table import Table
from solders.pubkey import Pubkey

from keeper.chain import TransactionRecord
from keeper.chain.framework import sol
from keeper.economy.money import show
from keeper.terminal.answers.signed import Sent
from keeper.terminal.tables import plain
from keeper.wallet.lamports import Payments
from keeper.wallet.plan import Plan


def movements(plan: Plan) -> Table | str:
    """Every token movement of a plan, with the accounts' addresses below; a line where there is none."""
    if not plan.movements:
        return "Tokens that move: none"
    table = plain("Tokens that move", "from", "to", "amount", "", "why")
    table.columns[1].justify = table.columns[4].justify = "left"
    for each in plan.movements:
        amount = show(each.amount, each.currency)
        table.add_row(each.source.name, each.to.name, amount, each.currency.name, each.why)
    places = {place.address: place.name for each in plan.movements for place in (each.source, each.to)}
    table.caption = "\n".join(f"{name}: {address}" for address, name in places.items())
    table.caption_justify = "left"
    return table


def payments(paid: Payments) -> list[Table]:
    """The SOL that a plan takes, a table for each who pays some: the fee, and what new accounts hold."""
    payers = [paid.payer, *(each.payer for each, _ in paid.rents)]
    return [_payments_of(paid, payer) for payer in dict.fromkeys(payers)]


def _payments_of(paid: Payments, payer: Pubkey) -> Table:
    table = plain(f"SOL that {payer} pays", "for", "SOL", "comes back")
    table.columns[2].justify = "left"
    if payer == paid.payer:
        table.add_row("the network's fee", sol(paid.fee), "no; more where the network is busy")
        for closing, lamports in paid.back:
            table.add_row(closing.name, f"-{sol(lamports)}", f"now, to {closing.to}")
    for opening, lamports in paid.rents:
        if opening.payer == payer:
            table.add_row(f"rent: {opening.name}", sol(lamports), opening.back)
    return table


def as_json(plan: Plan, paid: Payments, record: TransactionRecord | None = None) -> Sent:
    """A plan, and what came of it, for programs: amounts in base units and lamports as text."""
    return {
        "signature": str(record.signature) if record else None,
        "slot": record.slot if record else None,
        "tokens": [
            {
                "from": str(each.source.address),
                "to": str(each.to.address),
                "amount": str(each.amount),
                "currency": each.currency.name,
                "why": each.why,
            }
            for each in plan.movements
        ],
        "fee_payer": str(paid.payer),
        "fee": str(record.fee if record else paid.fee),
        "rents": [
            {
                "account": str(each.address),
                "payer": str(each.payer),
                "lamports": str(amount),
                "back": each.back,
            }
            for each, amount in paid.rents
        ],
        "returned": [
            {"account": str(each.address), "to": str(each.to), "lamports": str(amount)}
            for each, amount in paid.back
        ],
        "notes": list(plan.notes),
    }
