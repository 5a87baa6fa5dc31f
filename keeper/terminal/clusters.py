"""What ``ionet cluster`` shows: the state, what it waits for, and each node."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from keeper.compute.liveness import Verdict
from keeper.compute.verdicts import About
from keeper.compute.view import Cluster, NodeSeen
from keeper.economy.calendar import duration, moment
from keeper.terminal.answers import leasing
from keeper.terminal.tables import plain


def nodes(found: Cluster) -> Table:
    """A line for each node, the head first."""
    title = f"Cluster of order {found.order} at {moment(found.now)}: {found.state}"
    table = plain(title, "device", "address", "role", "phase", "heard", "CPUs", "GPUs", "memory", "way out")
    for index, each in enumerate(found.nodes):
        what = (
            [str(each.cpus), str(each.gpus), f"{each.memory / 2**30:.1f} GiB"] if each.joined else ["-"] * 3
        )
        role = "head" if index == 0 else "node"
        out = "offered" if each.lets_out else "-"
        heard = f"{duration(found.now - each.heard)} ago" if each.heard else "-"
        table.add_row(str(each.node.device), str(each.node.address), role, each.phase, heard, *what, out)
    return table


def as_json(found: Cluster, away: Mapping[str, str], jobs: int | None) -> leasing.Cluster:
    """The same for programs; seconds are unix time, 0 for never."""
    return {
        "order": str(found.order),
        "now": found.now,
        "state": str(found.state),
        "why": found.why,
        "epoch": found.epoch,
        "ticketed": found.ticketed,
        "waiting_for_worker": found.for_worker,
        "waiting_for_gang": found.for_gang,
        "takes_devices": found.takes_devices,
        "nodes": [_node(each) for each in found.nodes],
        "boards_away": dict(away),
        "jobs_running": jobs,
    }


def verdict(about: About, found: Verdict) -> Table:
    """What operators' observations show of a lease."""
    table = plain(f"Verdict {found.hash().hex()}", "", "")
    table.columns[1].justify = "left"
    rows = {
        "device": found.device,
        "order": about.order,
        "its worker": about.worker,
        "judged at": moment(about.at),
        "served well": f"{found.good_hours} whole hours from {moment(about.lease.start)}",
        "reason": found.reason,
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def verdict_as_json(about: About, found: Verdict) -> leasing.FaultVerdict:
    """The same for programs."""
    return {
        "evidence": found.hash().hex(),
        "device": found.device,
        "registered_at": found.registered_at,
        "number": found.number,
        "order": about.order,
        "worker": about.worker,
        "at": about.at,
        "good_hours": found.good_hours,
        "reason": str(found.reason),
        "rule": found.rule,
    }


def _node(each: NodeSeen) -> leasing.Node:
    node = each.node
    return {
        "device": str(node.device),
        "worker": str(node.worker),
        "address": str(node.address),
        "phase": str(each.phase),
        "start": node.start,
        "joined": each.joined,
        "heard": each.heard,
        "cpus": each.cpus,
        "gpus": each.gpus,
        "memory": each.memory,
        "lets_out": each.lets_out,
    }
