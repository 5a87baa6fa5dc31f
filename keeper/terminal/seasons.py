"""What ``ionet season`` and ``ionet vesting`` show."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from keeper.clients.tokenomics import Allocation, Season, SeasonStatus
from keeper.economy.calendar import moment
from keeper.economy.supply import io
from keeper.terminal.answers import looking
from keeper.terminal.tables import plain


def state(season: Season, now: int) -> str:
    """Where a season stands, in words."""
    if season.status == SeasonStatus.CANCELLED:
        return "cancelled"
    if season.status == SeasonStatus.CLOSED:
        return "closed"
    if now < season.claim_start:
        return f"claims open {moment(season.claim_start)}"
    return f"claims open until {moment(season.claim_end)}" if now < season.claim_end else "over"


def seasons(found: Sequence[Season], now: int) -> Table:
    """A line for each season."""
    table = plain("Airdrop seasons", "season", "wallets", "IO in it", "claimed IO", "claims", "state")
    table.columns[5].justify = "left"
    for each in found:
        claims = f"{each.claims:,} of {each.leaves:,}"
        row = (str(each.season), f"{each.leaves:,}", io(each.total, 2), io(each.claimed, 2), claims)
        table.add_row(*row, state(each, now))
    return table


def as_json(season: Season) -> looking.Season:
    """A season for programs: amounts in base units as text, times unix seconds."""
    return {
        "season": season.season,
        "status": SeasonStatus(season.status).name.lower(),
        "total": str(season.total),
        "claimed": str(season.claimed),
        "returned": str(season.returned),
        "leaves": season.leaves,
        "claims": season.claims,
        "root": season.root.hex(),
        "points": season.data_hash.hex(),
        "claim_start": season.claim_start,
        "claim_end": season.claim_end,
    }


def vesting(found: Sequence[Allocation], start_month: int, now: int) -> Table:
    """A line for each row of the genesis table: what is free by now, and what was paid of it."""
    table = plain(f"Vesting at {moment(now)}", "allocation", "IO", "free by now IO", "paid IO", "beneficiary")
    table.columns[4].justify = "left"
    for each in found:
        free = each.schedule.vested(start_month, now)
        amounts = (io(amount, 2) for amount in (each.schedule.amount, free, each.released))
        table.add_row(each.label, *amounts, str(each.beneficiary))
    return table


def vesting_json(found: Sequence[Allocation], start_month: int, now: int) -> list[looking.Allocation]:
    """The same for programs: amounts in base units as text."""
    return [
        {
            "allocation": each.label,
            "beneficiary": str(each.beneficiary),
            "amount": str(each.schedule.amount),
            "free": str(each.schedule.vested(start_month, now)),
            "paid": str(each.released),
        }
        for each in found
    ]
