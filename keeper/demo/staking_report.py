"""The demo's tables about devices, reward blocks, stakes."""

from __future__ import annotations

import numpy as np
from rich.table import Table

from keeper.clients.staking import SMALL_CLAIM
from keeper.demo import proofs_report
from keeper.demo.fleet import CLASSES, CO_STAKED, SHORT_STAKES
from keeper.demo.staking import APPEALED, GUILTY, LIAR, LIE_HOUR, SLASH_BPS, Stakers
from keeper.economy.classes import Pool
from keeper.economy.supply import io
from keeper.rewards.rule import DeviceStatus, Reason
from keeper.tables import Rows, keys
from keeper.terminal.tables import plain


def tables(stakers: Stakers) -> list[Table | str]:
    """Everything that people should see of the stakers."""
    hours = stakers.results()
    return [
        _classes(stakers, hours),
        _reasons(hours),
        *proofs_report.tables(stakers, hours),
        _sums(stakers),
        _summary(stakers),
    ]


def _classes(stakers: Stakers, hours: list[Rows]) -> Table:
    machines = stakers.fleet.machines
    columns = ("class", "devices", "staked IO", "paid", "failed", "missed", "rewards IO")
    table = plain(f"{len(machines)} devices, their hours in {len(hours)} reward blocks", *columns)
    results = np.concatenate(hours)
    for pool in Pool:
        kinds = [name for name in CLASSES if stakers.fleet.kinds[name].pool == pool]
        for name in kinds:
            mine = [each for each in machines if each.kind.name == name]
            rows = results[np.isin(results["device"], keys([each.address for each in mine]))]
            counts = (int((rows["status"] == each).sum()) for each in reversed(DeviceStatus))
            table.add_row(
                name,
                str(len(mine)),
                io(sum(each.own + each.co_amount for each in mine), 0),
                *(f"{count:,}" for count in counts),
                io(int(rows["reward"].sum()), 2),
            )
        paid = io(int(results["reward"][results["pool"] == pool].sum()), 2)
        table.add_row(pool.name.capitalize(), "", "", "", "", "", paid, style="bold", end_section=True)
    return table


def _reasons(hours: list[Rows]) -> Table:
    table = plain("Hours of devices that weren't paid, by reason", "reason", "hours")
    results = np.concatenate(hours)
    for reason in Reason:
        if count := int((results["reasons"] & reason.value != 0).sum()):
            table.add_row((reason.name or "").lower().replace("_", " "), f"{count:,}")
    return table


def _sums(stakers: Stakers) -> Table:
    """Every base unit of stakes and rewards, where it came from and where it went."""
    table = plain("Stakes and rewards add up", "", "IO")
    last = stakers.manifests[-1]
    staked, paid = sum(stakers.fleet.stakes.values()), sum(stakers.claimed.values())
    table.add_row(f"emitted in {len(stakers.manifests)} hours", io(last.emitted))
    table.add_row(f"- claimed by {len(stakers.claimed)} wallets", io(paid))
    table.add_row("- rounding, carried to the next hour", io(last.carried), end_section=True)
    table.add_row("left over", io(last.emitted - paid - last.carried))
    table.add_row("staked and co-staked", io(staked))
    table.add_row("+ claimed", io(paid))
    table.add_row("+ paid for leases", io(stakers.leased))
    table.add_row("- burned by the slash", io(stakers.burned))
    table.add_row("- in the stakers' wallets at the end", io(stakers.back), end_section=True)
    table.add_row("left over", io(staked + paid + stakers.leased - stakers.burned - stakers.back))
    return table


def _summary(stakers: Stakers) -> str:
    return (
        f"{CO_STAKED} devices are co-staked, {SHORT_STAKES} one base unit short: those earn nothing. "
        f"All claims together took {len(stakers.claimed_in)} hours: of the 100,000 IO that an "
        f"hour pays at most, half is kept for wallets that sign for {io(SMALL_CLAIM, 0)} IO or less, which "
        f"took {io(stakers.reserved, 2)}. "
        f"Operator {LIAR + 1} attested a root of its own in hour {LIE_HOUR}: {stakers.conflicts} conflicting "
        f"attestations on chain, and the block that the other two agreed on. Slashes of "
        f"{SLASH_BPS / 100:.0f} %: worker {APPEALED} appealed and the guardian vetoed, worker {GUILTY}'s was "
        "burned."
    )
