"""What ``ionet pow`` shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rich.table import Table

from keeper.economy.staking import MULTIPLIER_UNIT
from keeper.pow.classes import Pair
from keeper.pow.profiles import Profile, deadline_ms, hired_deadline_ms
from keeper.rewards.audit import Audit
from keeper.terminal.tables import plain


def work(profiles: Iterable[Profile], names: Mapping[int, str]) -> Table:
    """A line for each class that has a profile."""
    table = plain(
        "What a class computes in a wave",
        "class",
        "profile",
        "m x n x K",
        "time s",
        "deadline s",
        "hired s",
        "kept free MiB",
        "measured",
    )
    for each in profiles:
        size = f"{each.m:,} x {each.n:,} x {each.K:,}"
        milliseconds = each.T_ms, deadline_ms(each.T_ms), hired_deadline_ms(each.T_ms)
        seconds = [f"{ms / 1000:.1f}" for ms in milliseconds]
        memory, measured = f"{-(-each.memory >> 20):,}", "yes" if each.measured else "no: not paid yet"
        for number in each.classes:
            table.add_row(names.get(number, str(number)), str(each.id), size, *seconds, memory, measured)
    return table


def lies(found: Sequence[Pair]) -> Table:
    """A line for each card that may register as a class that pays more: the best of them first."""
    table = plain(
        "Cards that earn more under another name", "card", "multiplier", "best as", "multiplier", "others"
    )
    for card, its in groupby(found, key=lambda each: each.card):
        best, *others = sorted(its, key=lambda each: (each.by_pool, -each.other))
        table.add_row(
            card,
            multiplier(best.multiplier),
            f"{best.passes_for} (richer pool)" if best.by_pool else best.passes_for,
            multiplier(best.other),
            str(len(others)),
        )
    return table


def multiplier(hundredths: int) -> str:
    """A multiplier as io.net writes it."""
    return f"{hundredths / MULTIPLIER_UNIT:.2f}"


def words(found: Sequence[Pair]) -> str:
    """What the pairs come to, in a sentence."""
    if not found:
        return "No class pays more than one that is harder to pass for."
    cards = len({each.card for each in found})
    return f"{len(found)} pairs of classes, of {cards} cards."


NO_BLOCKS = (
    "[bold yellow]Blocks are not checked:[/] pow.json says which blocks started waves and drew picks, and "
    "the node wasn't asked. Whoever made it may have chosen them."
)


OTHER_PROFILES = (
    "[bold yellow]Profiles are not ionet's:[/] the hour was proven with the table that lies in the folder of "
    "files, profiles.json. Who made it may have made the work as easy as they liked."
)


def outcome(hour: int, result: Audit) -> str:
    """What an audit came to."""
    finding = result.finding
    if finding is None:
        count = f"{result.verified:,} openings verified"
        return f"emission hour {hour}: {count}; all follows from the chain and the files"
    names = {"device": finding.device, "wave": finding.wave, "operator": finding.operator}
    about = [f"{name} {value}" for name, value in names.items() if value is not None]
    where = ", ".join([f"emission hour {hour}", *about])
    words = f"{finding.what} is stated as {finding.stated}, but it is {finding.found}"
    return f"[bold red]{finding.check}[/], {where}: {words}"
