"""What ``ionet market replay`` and ``ionet market why`` say."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from solders.pubkey import Pubkey

from keeper.economy.calendar import duration, unix_hour
from keeper.economy.money import show
from keeper.market.findings import Replayed, Verdict
from keeper.market.reputation import Reputation
from keeper.market.snapshot import Out
from keeper.market.why import Chance, Unfit, Why
from keeper.terminal import records
from keeper.terminal.answers import trading
from keeper.terminal.tables import plain

OUT = {
    Out.HIRED: "a lease of it ran",
    Out.LEASED: "it had a lease that didn't run (yet)",
    Out.TERMINATED: "it was terminated",
    Out.SLASH_PENDING: "a slash of it was pending",
    Out.INSUFFICIENT_STAKE: "its stake was too small",
    Out.BARRED: "it was barred",
    Out.NOT_LET: "it wasn't for lease: both its asks were 0",
    Out.WORK: "it hadn't passed its proof of work in the newest hour that operators agreed on",
    Out.CLASS_CLOSED: "its class wasn't open yet",
    Out.GONE: "it was gone",
}
UNFIT = {
    Unfit.CLASS: "another class",
    Unfit.PROCESSORS: "another number of processors",
    Unfit.TIER: "a higher tier",
    Unfit.COUNTRY: "another country",
    Unfit.NO_PRICE: "no price of its class in that currency binds",
    Unfit.LIMIT: "the price is above what it pays, or has money for",
    Unfit.NOT_LET: "not for lease in its currency",
    Unfit.ASK: "the ask is above the price",
    Unfit.YOUNG: "the terms changed after the order was opened",
    Unfit.OWN: "the renter's own",
    Unfit.AGAIN: "it had this device before",
}
OTHER = Unfit.CLASS | Unfit.PROCESSORS
"""What an order of quite other devices lacks: nobody wants to read why each of those isn't the one."""
VERDICTS = {Verdict.SAME: "The same", Verdict.DIFFERENT: "Different", Verdict.MISSING: "Open"}


def replayed(found: Replayed) -> list[str]:
    """What was computed again, and what came of it."""
    if found.steps:
        moved = sum(any(steps) for steps in found.steps.steps.values())
        classes = f"{len(found.steps.steps):,} classes, {moved:,} of them not 0"
        of = f"{unix_hour(found.hour or 0)}: steps of {classes}"
        said = [f"{of}; root {found.steps.root.hex()}."]
        if found.announced is not None:
            said.append(f"{found.announced:,} were announced.")
    else:
        rows = f"{found.devices:,} devices, {found.orders:,} orders, {found.matches:,} matches"
        said = [f"tick {found.tick}: {rows}."]
    if found.on_chain is not None:
        skipped = f", {found.skipped:,} were skipped" if found.skipped else ""
        said.append(
            f"On chain: {found.posted:,} posted a batch, {found.on_chain:,} matches were made{skipped}."
        )
    words, what = VERDICTS[found.finding.verdict], found.finding.what
    if not what:
        return [*said, f"{words}, to the last byte."]
    culprit = found.finding.culprit
    if culprit and culprit.file:
        what = f"{culprit.operator}'s {what}"
        if culprit.vouched is False:
            what = f"{what}. It didn't post these files' hash: anybody may have written them in its name"
    return [*said, f"{words}: {what}."]


def replayed_all(found: Sequence[Replayed]) -> list[str]:
    """All that isn't the same, and how much is."""
    said = [" ".join(replayed(each)) for each in found if each.finding.verdict is not Verdict.SAME]
    ticks, hours = ([each for each in found if (each.hour is None) == of_ticks] for of_ticks in (True, False))
    made = {each.tick: each.on_chain or 0 for each in ticks}
    if ticks:
        said.append(
            f"{len(ticks):,} batches of {len(made):,} ticks, {sum(made.values()):,} matches on chain: "
            f"{_same(ticks):,} batches are the same, to the last byte."
        )
    if hours:
        announced = sum(each.announced or 0 for each in hours)
        said.append(
            f"{len(hours):,} hours' steps, {announced:,} prices on chain: {_same(hours):,} are the same, "
            "to the last byte."
        )
    return said or ["The chain has no batch, and no vote for steps."]


def _same(found: Sequence[Replayed]) -> int:
    return sum(each.finding.verdict is Verdict.SAME for each in found)


def replayed_row(found: Replayed) -> trading.Replayed:
    """The same for programs."""
    steps = found.steps.steps if found.steps else {}
    return {
        "tick": found.tick,
        "hour": found.hour,
        "verdict": found.finding.verdict.name.lower(),
        "what": found.finding.what,
        "culprit": _culprit(found),
        "files": found.by_files,
        "devices": found.devices,
        "orders": found.orders,
        "matches": found.matches,
        "posted": found.posted,
        "on_chain": found.on_chain,
        "skipped": found.skipped,
        "announced": found.announced,
        "root": found.steps.root.hex() if found.steps else None,
        "steps": [{"class": number, "io": io, "usdc": usdc} for number, (io, usdc) in sorted(steps.items())],
    }


def _culprit(found: Replayed) -> trading.Culprit | None:
    culprit = found.finding.culprit
    if culprit is None:
        return None
    return {
        "operator": str(culprit.operator),
        "tick": found.tick,
        "file": culprit.file,
        "row": culprit.row,
        "expected": culprit.expected,
        "found": culprit.found,
        "vouched": culprit.vouched,
    }


# -- why ---------------------------------------------------------------------------------------


def about(found: Why, tick: int) -> list[str]:
    """A device in a tick, in sentences."""
    if found.out:
        reasons = "; ".join(words for out, words in OUT.items() if out in found.out)
        return [f"It took no part in tick {tick}: {reasons}."]
    place = (
        f"It had waited {duration(found.seconds)}, which weighs {found.weighted:,} s by its record: place "
        f"{found.place:,} of {found.count:,} of its class and number of processors."
    )
    if found.taken_by and found.currency is not None:
        price = f"{show(found.price, found.currency)} {found.currency.name}"
        return [place, f"Order {found.taken_by} took it, at {price} for a processor and hour."]
    could = sum(not each.unfit for each in found.chances)
    count = len(found.chances)
    return [place, f"No order took it: {could:,} of {count:,} open orders could have had it."]


def chances(found: Why) -> Table:
    """A line for each order of such devices, in the tick's sequence."""
    table = plain(
        "Orders of its class and number of processors, in their sequence", "order", "open", "got", ""
    )
    table.columns[3].justify = "left"
    for each in (each for each in found.chances if not each.unfit & OTHER):
        table.add_row(str(each.order), f"{each.open:,}", f"{each.got:,}", _said(each))
    return table


def _said(chance: Chance) -> str:
    if chance.outcome:
        return chance.outcome.value
    return "; ".join(words for unfit, words in UNFIT.items() if unfit in chance.unfit)


def why_row(found: Why, tick: int, record: Reputation | None) -> trading.Why:
    """The same for programs; the record in thousandths, its bound and weight in basis points."""
    return {
        "tick": tick,
        "device": str(found.device),
        "out": _names(found.out),
        "place": found.place,
        "count": found.count,
        "seconds": found.seconds,
        "weight": found.weight,
        "record": records.row(record) if record else None,
        "taken_by": _text(found.taken_by),
        "price": str(found.price) if found.taken_by else None,
        "currency": found.currency.name.lower() if found.currency is not None else None,
        "orders": [
            {
                "order": str(each.order),
                "open": each.open,
                "minimum": each.minimum,
                "got": each.got,
                "unfit": _names(each.unfit),
                "outcome": each.outcome.name.lower() if each.outcome else None,
            }
            for each in found.chances
        ],
    }


def _names(flags: Out | Unfit) -> list[str]:
    return [each.name.lower() for each in flags if each.name]


def _text(address: Pubkey | None) -> str | None:
    return str(address) if address else None
