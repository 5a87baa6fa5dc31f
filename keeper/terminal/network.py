"""What ``ionet network`` shows: who governs each program, what is in force, and what waits until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from keeper.clients import tokenomics
from keeper.clients.published import Published, State
from keeper.clients.vaults import Vault
from keeper.economy import emission
from keeper.economy.calendar import duration, moment
from keeper.economy.money import show
from keeper.economy.orders import Currency
from keeper.economy.supply import GENESIS_SUPPLY, io
from keeper.terminal.answers import looking
from keeper.terminal.tables import plain
from keeper.wallet.roles import NOBODY, Governed, shown

TOLD = "project_url", "contacts", "policy"
"""What is shown of a program's contact."""
_INTERFACE = {
    State.NONE: "not published on chain",
    State.SAME: "published on chain, this version's",
    State.OTHER: "published on chain, and another one than this version's",
}


def governed(at: Governed, contact: Mapping[str, str], interface: Published) -> Table:
    """One program, with whom its binary says to tell of a hole, and whether its interface is on chain."""
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
    for name in TOLD:
        if name in contact:
            table.add_row(name, escape(contact[name]), "")
    table.add_row("interface", _INTERFACE[interface.state], "")
    for name, value in at.params.items():
        text = at.proposed.get(name)
        table.add_row(name, _words(at.name, name, value), "" if text is None else _words(at.name, name, text))
    if at.proposed:
        table.caption = (
            f"proposed: can be applied from {moment(config.pending_at)} on (ionet admin apply {at.name})"
        )
        table.caption_justify = "left"
    return table


def totals(found: tokenomics.Supply, config: tokenomics.Config) -> Table:
    """Where all IO is, with the sum that an auditor checks first."""
    at = datetime.fromtimestamp(found.time, UTC)
    table = plain(f"IO supply at {at:%Y-%m-%d %H:%M:%S} UTC", "", "IO")
    table.add_row("circulating", io(found.circulating))
    table.add_row("in airdrop seasons, not claimed yet", io(found.seasons))
    table.add_row("emitted, in the reward vault", io(found.rewards))
    table.add_row("locked: vesting", io(found.locked), end_section=True)
    table.add_row("supply of the mint", io(found.supply))
    minted = GENESIS_SUPPLY if config.launched else 0
    difference = minted + found.emitted - found.burned - found.supply
    table.add_row("genesis", io(minted))
    table.add_row("+ emitted", io(found.emitted))
    table.add_row("- burned", io(found.burned), end_section=True)
    table.add_row("genesis + emitted - burned - supply", io(difference) if difference else "0, as it must be")
    if config.launched:
        table.add_row("ended hours that are not emitted yet", f"{_to_emit(found, config):,}")
    return table


def vaults(found: Sequence[Vault]) -> Table:
    """What vaults owe and hold; orders' are one line for each currency, but those that are short."""
    table = plain("Vaults: what they owe, and what is in them", "", "owed", "held", "")
    table.columns[3].justify = "left"
    whole = [each for each in found if each.owed.of_order and not each.missing]
    for each in found:
        if each not in whole:
            _vault_row(table, each.owed.name, each.owed.currency, each.owed.amount, each.held)
    for currency in Currency:
        mine = [each for each in whole if each.owed.currency is currency]
        if mine:
            owed, held = sum(each.owed.amount for each in mine), sum(each.held for each in mine)
            _vault_row(table, f"{len(mine):,} orders in {currency.name}", currency, owed, held)
    return table


def _vault_row(table: Table, name: str, currency: Currency, owed: int, held: int) -> None:
    short = f" {show(owed - held, currency)} missing" if held < owed else ""
    table.add_row(name, show(owed, currency), show(held, currency), f"{currency.name}{short}")


def totals_json(
    found: tokenomics.Supply, config: tokenomics.Config, vaults: Sequence[Vault]
) -> looking.Supply:
    """The same for programs: base units as text."""
    minted = GENESIS_SUPPLY if config.launched else 0
    return {
        "at": found.time,
        "supply": str(found.supply),
        "circulating": str(found.circulating),
        "seasons": str(found.seasons),
        "rewards": str(found.rewards),
        "locked": str(found.locked),
        "genesis": str(minted),
        "emitted": str(found.emitted),
        "burned": str(found.burned),
        "difference": str(minted + found.emitted - found.burned - found.supply),
        "hours_to_emit": _to_emit(found, config),
        "vaults": [
            {
                "vault": str(each.owed.vault),
                "name": each.owed.name,
                "currency": each.owed.currency.name,
                "owed": str(each.owed.amount),
                "held": str(each.held),
                "missing": str(each.missing),
            }
            for each in vaults
        ],
    }


def _to_emit(found: tokenomics.Supply, config: tokenomics.Config) -> int:
    if not config.launched:
        return 0
    return emission.hours_ended(config.start_month, found.time) - config.emitted_hours


def as_json(found: Sequence[tuple[Governed, Mapping[str, str], Published]]) -> looking.Network:
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
            "contact": dict(contact),
            "interface": {"address": str(interface.address), "state": interface.state.value},
        }
        for at, contact, interface in found
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
_AMOUNTS = {
    ("staking", "claim_limit"): (Currency.IO, "IO an hour"),
    ("buyback", "max_lot"): (Currency.USDC, "USDC"),
    ("buyback", "min_lot"): (Currency.USDC, "USDC"),
    ("buyback", "min_price"): (Currency.IO, "IO for a USDC"),
}
"""The parameters that are base units, with what they are told in."""


def _words(program: str, name: str, value: object) -> str:
    """A parameter with its unit; ``--json`` and ``ionet admin propose`` have it as it is on chain."""
    if isinstance(value, tuple):
        return "\n".join(map(str, value))
    if known := _AMOUNTS.get((program, name)):
        currency, unit = known
        return f"{show(int(str(value)), currency)} {unit}"
    if name in _SECONDS:
        return f"{duration(int(str(value)))} ({value} s)"
    return f"{int(str(value)) / 100:g} % ({value} bps)" if name.endswith("_bps") else str(value)
