"""What a plan moves, for whoever is asked to sign it."""

from __future__ import annotations

from rich.table import Table

from keeper.economy.money import show
from keeper.terminal.tables import plain
from keeper.wallet.plans import Plan


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
