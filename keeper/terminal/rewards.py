"""What ``ionet rewards show`` says of a block, from its published files."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from keeper.economy.calendar import emission_hour
from keeper.economy.classes import Pool
from keeper.economy.supply import io
from keeper.rewards.publication import Manifest
from keeper.rewards.rule import POINT_PARTS, DeviceStatus, Reason
from keeper.tables import Rows, text
from keeper.terminal.answers import earning
from keeper.terminal.tables import plain

TOP = 10
"""Devices that are listed: those that got most."""


def block(manifest: Manifest, devices: Rows) -> list[Table]:
    """What a block paid: its sums, by pool, by reason for what wasn't paid, and who got most."""
    pools = plain("By pool", "pool", "devices", "succeeded", "failed", "missed", "score", "rewards IO")
    for each in _pools(devices):
        counts = (each["devices"], each["succeeded"], each["failed"], each["missed"], each["score"])
        pools.add_row(
            each["pool"].capitalize(), *(f"{count:,}" for count in counts), io(int(each["rewards"]))
        )
    reasons = plain("Not paid", "reason", "devices")
    for reason, count in _reasons(devices).items():
        reasons.add_row(reason.replace("_", " "), f"{count:,}")
    best = plain("Most rewarded", "device", "score", "normalised", "reward IO", "to the co-staker IO")
    for row in _most(devices):
        whole, part = divmod(row["normalised"], POINT_PARTS)
        amounts = io(int(row["reward"])), io(int(row["co_staker"]))
        best.add_row(row["device"], f"{row['score']:,}", f"{whole:,}.{part:03}", *amounts)
    return [_totals(manifest), pools, reasons, best]


def block_json(manifest: Manifest, devices: Rows) -> earning.RewardBlock:
    """The same for programs: base units as text."""
    return {
        "hour": manifest.hour,
        "start": manifest.start,
        "devices": manifest.devices,
        "succeeded": manifest.succeeded,
        "failed": manifest.failed,
        "missed": manifest.missed,
        "pot": str(manifest.pot),
        "paid": str(manifest.paid),
        "carried": str(manifest.carried),
        "total": str(manifest.total),
        "root": manifest.root,
        "sha256": manifest.hash,
        "pools": _pools(devices),
        "not_paid": dict(_reasons(devices)),
        "most_rewarded": _most(devices),
    }


def _pools(devices: Rows) -> list[earning.OfPool]:
    found: list[earning.OfPool] = []
    for pool in Pool:
        mine = devices[devices["pool"] == pool]
        count = {each: int((mine["status"] == each).sum()) for each in DeviceStatus}
        found.append(
            {
                "pool": pool.name.lower(),
                "devices": len(mine),
                "succeeded": count[DeviceStatus.SUCCEEDED],
                "failed": count[DeviceStatus.FAILED],
                "missed": count[DeviceStatus.MISSED],
                "score": int(mine["score"][mine["status"] == DeviceStatus.SUCCEEDED].sum()),
                "rewards": str(int(mine["reward"].sum())),
            }
        )
    return found


def _reasons(devices: Rows) -> Mapping[str, int]:
    counts = {(each.name or "").lower(): int((devices["reasons"] & each.value != 0).sum()) for each in Reason}
    return {reason: count for reason, count in counts.items() if count}


def _most(devices: Rows) -> list[earning.Rewarded]:
    best = devices[(-devices["reward"].astype("i8")).argsort(kind="stable")[:TOP]]
    return [
        {
            "device": device,
            "score": int(row["score"]),
            "normalised": int(row["normalised"]),
            "reward": str(int(row["reward"])),
            "co_staker": str(int(row["co_staker"])),
        }
        for device, row in zip(text(best["device"]), best, strict=True)
    ]


def _totals(manifest: Manifest) -> Table:
    table = plain(f"Reward block of {emission_hour(manifest.hour, manifest.start)}", "", "")
    table.add_row("devices", f"{manifest.devices:,}")
    for name in ("succeeded", "failed", "missed"):
        table.add_row(f"  {name}", f"{getattr(manifest, name):,}")
    for name, amount in (
        ("could be paid, IO", manifest.pot),
        ("paid, IO", manifest.paid),
        ("carried to the next hour, IO", manifest.carried),
        ("all ever paid, IO", manifest.total),
    ):
        table.add_row(name, io(amount))
    table.add_row("root", manifest.root)
    table.add_row("SHA-256", manifest.hash)
    return table
