"""What ``ionet network`` shows: who governs each program, what is in force, and what waits until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from solders.pubkey import Pubkey

from keeper.deploy import Answers
from keeper.economy.calendar import duration, moment, month_start
from keeper.economy.genesis import read_table
from keeper.economy.supply import io
from keeper.terminal.tables import plain
from keeper.wallet.roles import NOBODY, Governed, shown


def governed(at: Governed) -> Table:
    """One program."""
    config = at.config
    table = plain(f"{at.name}: {at.program.address}", "", "in force", "proposed")
    table.columns[1].justify = table.columns[2].justify = "left"
    table.add_row("admin", str(config.admin), _offered(config.pending_admin))
    guardian = _offered(config.pending_guardian)
    if guardian:
        guardian += f", from {moment(config.guardian_at)} on"
    table.add_row("guardian", str(config.guardian), guardian)
    stopped = ", ".join(at.paused)
    table.add_row("stopped", f"{stopped} until {moment(config.pause_until)}" if stopped else "nothing", "")
    table.add_row("can be stopped", ", ".join(at.operations), "")
    for name, value in at.params.items():
        text = at.proposed.get(name)
        table.add_row(name, _words(name, value), "" if text is None else _words(name, text))
    if at.proposed:
        table.caption = (
            f"proposed: can be applied from {moment(config.pending_at)} on (ionet admin apply {at.name})"
        )
        table.caption_justify = "left"
    return table


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
    mint = "a test mint of your own key" if told.usdc_mint is None else str(told.usdc_mint)
    table.add_row("USDC's mint", mint)
    table.add_row("emission begins", moment(month_start(told.start_month)))
    for row in read_table():
        plan = row.schedule
        later = f", {plan.tranches} months from month {plan.cliff_months} on" if plan.tranches else ""
        words = f"{row.label}: {io(plan.amount, 0)} IO, {plan.tge_bps / 100:g} % at once{later}"
        table.add_row(words, str(owners.get(row.label, "nobody")))
    return table


def as_json(found: Sequence[Governed]) -> dict[str, Any]:
    """All programs, for programs: addresses and figures as they are on chain, times unix seconds."""
    return {
        at.name: {
            "program": str(at.program.address),
            "admin": str(at.config.admin),
            "pending_admin": _known(at.config.pending_admin),
            "guardian": str(at.config.guardian),
            "pending_guardian": _known(at.config.pending_guardian),
            "guardian_at": at.config.guardian_at,
            "paused": at.paused,
            "pause_until": at.config.pause_until,
            "params": {name: shown(value) for name, value in at.params.items()},
            "proposed": {name: shown(value) for name, value in at.proposed.items()},
            "proposed_from": at.config.pending_at if at.proposed else None,
        }
        for at in found
    }


def _known(address: object) -> str | None:
    return None if address == NOBODY else str(address)


def _offered(address: object) -> str:
    return "" if address == NOBODY else str(address)


_SECONDS = {
    "cooldown",
    "co_stake_wait",
    "challenge_window",
    "appeal",
    "notice",
    "match_window",
    "accept_window",
    "settlement_lag",
    "exclusive",
    "duration",
}
"""The parameters that are seconds."""


def _words(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return "\n".join(map(str, value))
    if name in _SECONDS:
        return f"{value} ({duration(int(str(value)))})"
    return f"{value} ({int(str(value)) / 100:g} %)" if name.endswith("_bps") else str(value)
