"""What a worker does, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.table import Table

from keeper.economy.calendar import moment
from keeper.economy.money import show
from keeper.economy.orders import ENDED, EndReason, LeaseStatus
from keeper.pow.messages import Commit
from keeper.pow.profiles import Profile, deadline_ms, hired_deadline_ms
from keeper.terminal.answers import working
from keeper.terminal.tables import plain
from keeper.worker.lease_book import KeptLease
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


def leases(found: Sequence[KeptLease], now: int) -> Table:
    """A line for each lease, newest first, as of ``now`` by this machine's clock."""
    table = plain("Leases", "order", "state", "price", "since", "ends", "earned", "")
    for column in (1, 6):
        table.columns[column].justify = "left"
    for kept in found:
        unit = kept.currency.name
        table.add_row(
            str(kept.order),
            lease_state(kept),
            f"{show(kept.price, kept.currency)} {unit}",
            moment(kept.start) if kept.start else "-",
            moment(kept.stop) if kept.stop else "-",
            f"{show(kept.earned(now), kept.currency)} {unit}",
            kept.hindrance.reason if kept.hindrance and kept.status == LeaseStatus.MATCHED else "",
        )
    return table


def lease_state(kept: KeptLease) -> str:
    """How a lease stands, in words."""
    match kept.status:
        case LeaseStatus.MATCHED:
            return f"to be accepted by {moment(kept.accept_until)}"
        case LeaseStatus.ACCEPTED:
            return "waits for the rest of its gang"
        case LeaseStatus.RUNNING:
            return "runs"
    return ENDED.get(EndReason(kept.reason), "ended while nobody looked")


def lease_line(kept: KeptLease | None, now: int) -> str:
    """A device's last lease in a line."""
    if kept is None or kept.status == LeaseStatus.ENDED:
        return "not leased"
    unit = kept.currency.name
    price = f"{show(kept.price, kept.currency)} {unit} for a processor and hour"
    to = f"leased to {kept.order} at {price}"
    if kept.status == LeaseStatus.RUNNING:
        earned = f"{show(kept.earned(now), kept.currency)} {unit}"
        return f"{to} since {moment(kept.start)}, earned so far {earned}, ends {moment(kept.stop)}"
    if kept.hindrance is not None and kept.status == LeaseStatus.MATCHED:
        return f"{to}, not accepted: {kept.hindrance.reason}"
    return f"{to}, {lease_state(kept)}"


def wave_row(kept: Kept, receipts: Sequence[Received]) -> working.Wave:
    """A wave for programs, its receipts with their bytes."""
    return {
        "slot": kept.slot,
        "seed": kept.seed.hex(),
        "kind": kept.kind.name.lower(),
        "spot": kept.spot,
        "state": kept.state.value,
        "ended": kept.ended,
        "commit": (kept.body or b"").hex() + (kept.signature or b"").hex(),
        "receipts": [
            {"operator": str(each.operator), "ms": each.ms, "receipt": each.receipt.hex()}
            for each in receipts
        ],
    }


def lease_row(kept: KeptLease, now: int) -> working.KeptLease:
    """A lease for programs: amounts in base units, times unix seconds, 0 for never."""
    hindrance = None
    if kept.hindrance:
        hindrance = working.Hindrance(code=kept.hindrance.code, reason=kept.hindrance.reason)
    return {
        "order": str(kept.order),
        "lease": str(kept.address),
        "number": kept.key.number,
        "status": kept.status.name.lower(),
        "reason": kept.reason.name.lower(),
        "currency": kept.currency.name,
        "price": str(kept.price),
        "rate": str(kept.rate),
        "hours": kept.hours,
        "matched_at": kept.matched_at,
        "accept_until": kept.accept_until,
        "start": kept.start,
        "stop": kept.stop,
        "earned": str(kept.earned(now)),
        "hindrance": hindrance,
    }


def trial_json(found: Trial) -> working.Trial:
    """How a wave went here, for programs: milliseconds."""
    return {
        "profile": found.profile.id,
        "product_ms": found.product_ms,
        "open_ms": found.open_ms,
        "verify_ms": found.verify_ms,
        "deadline_ms": deadline_ms(found.profile.T_ms),
        "in_time": found.is_in_time,
        "blob": found.blob,
        "code": found.code.name,
    }


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
