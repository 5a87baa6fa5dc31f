"""The demo's tables about devices, reward blocks, stakes."""

from __future__ import annotations

import numpy as np

from keeper.clients.staking import SMALL_CLAIM
from keeper.demo.fleet import CLASSES, CO_STAKED, SHORT_STAKES
from keeper.demo.sheet import Picture, Section, Sheet
from keeper.demo.staking import APPEALED, GUILTY, LIAR, LIARS_FILES, LIE_HOUR, SLASH_BPS, Stakers
from keeper.demo.words import REASONS, begin_of, hours_axis
from keeper.economy.classes import Pool
from keeper.economy.supply import IO, io
from keeper.rewards.rule import DeviceStatus, Reason
from keeper.tables import Rows, keys
from keeper.web import figures

CHECK = (
    "rewards show --dir OUT/rewards/operator-1",
    "rewards verify --dir OUT/rewards/operator-1 --chain OUT/network.chain",
    f"audit hour {LIE_HOUR} --rewards OUT/rewards/operator-1 --rewards OUT/rewards/{LIARS_FILES} "
    "--pow OUT/pow/operator-1 --chain OUT/network.chain",
)


def rewards(stakers: Stakers, hours: list[Rows]) -> Section:
    """What devices earned, hour by hour, and why others earned nothing."""
    about = (
        "Each hour the network mints IO. It goes to devices that were up, proved their work, and have "
        "enough staked on them, in proportion to their class and stake. Three operators say which those "
        f"were: their list of an hour is its reward block. These are the first {len(hours)}. An hour of a "
        "device is paid; failed, if something went wrong in it; or missed, if the device couldn't take "
        "part."
    )
    parts: list[Sheet | str] = [_classes(stakers, hours), _reasons(hours)]
    return Section("rewards", "What devices earned", about, parts, [_paid(stakers)], CHECK)


def sums(stakers: Stakers) -> Section:
    """What was staked, claimed and burned."""
    about = (
        "Whoever earned claims it with a proof that their wallet is in the last reward block's list. All "
        "that was staked comes back two weeks after its owner asks for it, but for what was slashed: "
        "burned because operators agreed on evidence of a cheat, and nobody vetoed it in 30 days."
    )
    return Section("stakes", "Stakes and claims", about, [_sums(stakers), _summary(stakers)])


def _paid(stakers: Stakers) -> Picture:
    """What each hour paid, and what was left for the next."""
    title = "IO paid in each hour"
    table = Sheet(title, ("hour", "begins, UTC", "could be paid", "was paid"), left=(0, 1))
    for each in stakers.manifests:
        table.add_row(str(each.hour), begin_of(each.hour), io(each.pot), io(each.paid))
    names = ("could be paid", "was paid")
    series = [
        figures.Series(name, [(each.hour, getattr(each, key) / IO) for each in stakers.manifests], steps=True)
        for name, key in zip(names, ("pot", "paid"), strict=True)
    ]
    return Picture(figures.lines(title, series, hours_axis(len(stakers.manifests))), names, "IO", table)


def _classes(stakers: Stakers, hours: list[Rows]) -> Sheet:
    machines = stakers.fleet.machines
    columns = ("class", "devices", "staked IO", "paid", "failed", "missed", "rewards IO")
    table = Sheet(f"{len(machines)} devices, their hours in {len(hours)} reward blocks", columns)
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
        table.add_row(pool.name.capitalize(), "", "", "", "", "", paid, end_section=True)
    return table


def _reasons(hours: list[Rows]) -> Sheet:
    title = "Hours of devices that weren't paid, by reason; some have several"
    table = Sheet(title, ("reason", "hours", "means"), left=(0, 2))
    results = np.concatenate(hours)
    for reason in Reason:
        if count := int((results["reasons"] & reason.value != 0).sum()):
            table.add_row((reason.name or "").lower().replace("_", " "), f"{count:,}", REASONS[reason])
    return table


def _sums(stakers: Stakers) -> Sheet:
    """Every base unit of stakes and rewards, where it came from and where it went."""
    table = Sheet("Stakes and rewards add up", ("", "IO"))
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
        f"{CO_STAKED} devices are co-staked, {SHORT_STAKES} one base unit short: those earn nothing. All "
        f"claims together took {len(stakers.claimed_in)} hours: of the 100,000 IO that an hour pays at "
        f"most, half is kept for wallets that sign for {io(SMALL_CLAIM, 0)} IO or less, which took "
        f"{io(stakers.reserved, 2)}. Operator {LIAR + 1} attested files of its own in hour {LIE_HOUR} "
        f"({begin_of(LIE_HOUR)}), in which the best-paid device pays it, and published them: "
        f"{stakers.conflicts} conflicting attestations on chain, and the block that the other two agreed on. "
        f"Slashes of {SLASH_BPS / 100:.0f} %: worker {APPEALED} appealed and the guardian vetoed, "
        f"worker {GUILTY}'s was burned."
    )
