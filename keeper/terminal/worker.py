"""What a worker does, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.table import Table

from keeper.pow.messages import Commit
from keeper.pow.profiles import Profile, deadline_ms, hired_deadline_ms
from keeper.terminal.tables import plain
from keeper.worker.state import Kept, Received
from keeper.worker.trial import Trial


def summary(facts: Mapping[str, str]) -> Table:
    """What a device is and does at present."""
    table = plain("Worker", "", "")
    table.show_header = False
    table.columns[1].justify = "left"
    for name, fact in facts.items():
        table.add_row(name, fact)
    return table


def waves(found: Sequence[tuple[Kept, Sequence[Received]]], operators: int) -> Table:
    """A line for each wave, newest first; when it was in is the middle one of the receipts' times."""
    table = plain("Waves", "slot", "UTC", "work", "state", "made in", "receipts", "in at", "")
    for column in (2, 3, 7):
        table.columns[column].justify = "left"
    for kept, receipts in found:
        commit = Commit.of_body(kept.body) if kept.body else None
        kind = (commit.kind if commit else kept.kind).name.lower()
        times = sorted(each.ms for each in receipts)
        table.add_row(
            f"{kept.slot:,}",
            f"{datetime.fromtimestamp(kept.began_at, UTC):%m-%d %H:%M:%S}",
            f"{kind}, spot" if kept.spot else kind,
            kept.state,
            f"{commit.device_ms:,} ms" if commit else "",
            f"{len(receipts)} of {operators}" if operators else f"{len(receipts)}",
            f"{times[(len(times) - 1) // 2]:,} ms" if times else "",
            kept.ended,
        )
    return table


def trial(found: Trial) -> Table:
    """How a wave went here, and what the network asks for."""
    profile = found.profile
    table = plain(f"A wave of profile {profile.id}, {size(profile)}", "", "")
    table.show_header = False
    for name, value in {
        "product": f"{found.product_ms:,} ms",
        "deadline": f"{deadline_ms(profile.T_ms):,} ms",
        "deadline while hired, without pay": f"{hired_deadline_ms(profile.T_ms):,} ms",
        "opening": f"{found.open_ms:,} ms",
        "opening's size": f"{found.blob:,} bytes",
        "verification": f"{found.verify_ms:,} ms",
        "verdict": found.code.name,
    }.items():
        table.add_row(name, value)
    return table


def size(profile: Profile) -> str:
    """A profile's product."""
    return f"{profile.m:,} x {profile.K:,} x {profile.n:,}"
