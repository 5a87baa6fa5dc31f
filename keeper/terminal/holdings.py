"""What ``ionet balance`` shows of a wallet."""

from __future__ import annotations

from rich.table import Table

from keeper.chain.framework import sol
from keeper.economy.money import show
from keeper.economy.orders import Currency
from keeper.economy.supply import io
from keeper.terminal.answers import looking
from keeper.terminal.tables import plain
from keeper.wallet.money import Holdings


def holdings(found: Holdings) -> Table:
    """A line for each kind of money."""
    table = plain(f"Wallet {found.wallet}", "", "")
    table.add_row("SOL", sol(found.lamports))
    table.add_row("IO", io(found.io))
    if found.usdc is not None:
        table.add_row("USDC", show(found.usdc, Currency.USDC))
    table.add_row("IO staked", io(found.staked))
    table.add_row("IO in a cooldown", io(found.cooling))
    return table


def as_json(found: Holdings) -> looking.Holdings:
    """The same for programs: lamports and base units as text."""
    return {
        "wallet": str(found.wallet),
        "lamports": str(found.lamports),
        "io": str(found.io),
        "usdc": None if found.usdc is None else str(found.usdc),
        "staked": str(found.staked),
        "cooling": str(found.cooling),
    }
