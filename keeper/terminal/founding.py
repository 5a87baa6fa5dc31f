"""What ``ionet deploy`` and ``genesis`` would write, for whoever is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from rich.table import Table
from solders.pubkey import Pubkey

from keeper.chain.framework import sol
from keeper.deploy import Answers, Forecast
from keeper.economy.calendar import moment, month_start
from keeper.economy.genesis import read_table
from keeper.economy.supply import io
from keeper.terminal.answers import signed
from keeper.terminal.tables import plain


def forecast(found: Sequence[Forecast], authority: Pubkey, contacts: str) -> Table:
    """A line for each program: what is done, and what it takes; ``contacts`` as they are in the binaries."""
    table = plain("Programs", "", "", "bytes", "stays SOL", "buffer SOL", "sent", "fees SOL")
    table.columns[1].justify = "left"
    for each in found:
        money = (sol(each.stays), sol(each.buffer), f"{each.transactions:,}", sol(each.fee))
        table.add_row(each.name, str(each.change), f"{each.size:,}", *money)
    cost = sum(each.cost for each in found)
    costs = f"It costs {sol(cost)} SOL in all" if cost >= 0 else f"It gives back {sol(-cost)} SOL in all"
    table.caption = "\n".join(
        [
            f"{costs}, with more for fees where the network is busy;",
            f"{sol(needed(found))} SOL are needed meanwhile: a buffer's SOL come back at once.",
            f"Upgrade authority: {authority}",
            "Whoever has that key can replace the programs, and so take all that they hold.",
            f"Whom their bytes say to tell of a hole: {contacts}",
        ]
    )
    table.caption_justify = "left"
    return table


def needed(found: Sequence[Forecast]) -> int:
    """Lamports that whoever deploys has to have at first."""
    spent = accumulate((each.cost for each in found), initial=0)
    return max(before + each.peak for before, each in zip(spent, found, strict=False))


def forecast_json(found: Sequence[Forecast], authority: Pubkey, *, sent: bool) -> signed.Deployment:
    """The same for programs: lamports as text."""
    return {
        "authority": str(authority),
        "sent": sent,
        "needed": str(needed(found)),
        "programs": [
            {
                "name": each.name,
                "program": str(each.address),
                "change": each.change.name.lower(),
                "bytes": each.size,
                "stays": str(each.stays),
                "buffer": str(each.buffer),
                "transactions": each.transactions,
                "fee": str(each.fee),
            }
            for each in found
        ],
    }


def genesis(admin: Pubkey, told: Answers, owners: Mapping[str, Pubkey]) -> Table:
    """What a genesis would write: who governs, who attests, and who owns the genesis supply."""
    assert told.start_month is not None  # whoever writes has chosen one
    table = plain("Genesis", "", "")
    table.columns[1].justify = "left"
    table.add_row("admin: proposes changes, which hold after a notice", str(admin))
    table.add_row("guardian: may pause and veto", str(told.guardian))
    threshold = len(told.operators) // 2 + 1
    table.add_row(
        f"operators: {threshold} of {len(told.operators)} must agree", "\n".join(map(str, told.operators))
    )
    mint = f"a test mint of your own key\n{told.usdc_mint}" if told.makes_usdc else str(told.usdc_mint)
    table.add_row("USDC's mint", mint)
    table.add_row("emission begins", moment(month_start(told.start_month)))
    for row in read_table():
        plan = row.schedule
        later = f", {plan.tranches} months from month {plan.cliff_months} on" if plan.tranches else ""
        words = f"{row.label}: {io(plan.amount, 0)} IO, {plan.tge_bps / 100:g} % at once{later}"
        table.add_row(words, str(owners.get(row.label, "nobody")))
    return table


def genesis_json(told: Answers, month: int, *, sent: bool) -> signed.Founded:
    """The answers for programs, and whether they are on chain."""
    return {
        "sent": sent,
        "guardian": str(told.guardian),
        "operators": [str(each) for each in told.operators],
        "usdc_mint": str(told.usdc_mint),
        "emission_begins": month_start(month),
    }
