"""What ``ionet cluster`` shows of jobs; all of it is a stranger's text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rich.table import Table
from solders.pubkey import Pubkey

from keeper.economy.calendar import duration, moment
from keeper.renter.figures import Figures, FiguresWrong, WayOut
from keeper.renter.jobs import Job, printable
from keeper.terminal.answers import renting
from keeper.terminal.tables import plain

_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}m")
_KEPT = "\n\t\r"


def jobs(order: Pubkey, found: list[Job]) -> Table:
    """A line for each job, the newest first."""
    table = plain(f"Jobs of order {order}", "job", "state", "started", "took", "command")
    for each in found:
        started, ended = _second(each.start_time), _second(each.end_time)
        took = duration(ended - started) if ended > started > 0 else "-"
        row = (each.name or "-", str(each.status), moment(started) if started else "-", took)
        table.add_row(*row, printable(each.entrypoint, 60))
    table.columns[-1].justify = "left"
    return table


def job_as_json(found: Job) -> renting.ClusterJob:
    """The same for programs."""
    return {
        "job": found.name,
        "state": str(found.status),
        "command": found.entrypoint,
        "message": found.message or "",
        "started": _second(found.start_time),
        "ended": _second(found.end_time),
        "exit_code": found.driver_exit_code,
    }


def figures(order: Pubkey, found: Mapping[str, Figures | FiguresWrong]) -> Table:
    """A line for each node, the head first."""
    names = ("node", "CPUs", "busy", "memory", "objects", "disk free", "way out")
    table = plain(f"Figures of order {order}", *names)
    for address, each in found.items():
        if isinstance(each, Figures):
            table.add_row(
                address,
                str(each.cpus),
                f"{each.cpu_percent:.0f} %",
                f"{_mib(each.memory_used)} of {_mib(each.memory_total)}",
                f"{_mib(each.objects_used)} of {_mib(each.objects_used + each.objects_free)}",
                _mib(each.disk_free),
                _way_out(each.way_out),
            )
        else:
            table.add_row(address, *["-"] * 6)
    return table


def figures_as_json(address: str, found: Figures | FiguresWrong) -> renting.NodeFigures:
    """The same of a node for programs."""
    wrong = "" if isinstance(found, Figures) else str(found)
    each = found if isinstance(found, Figures) else Figures()
    return {
        "address": address,
        "wrong": wrong,
        "cpu_percent": each.cpu_percent,
        "cpus": each.cpus,
        "memory_used": each.memory_used,
        "memory_total": each.memory_total,
        "objects_used": each.objects_used,
        "objects_free": each.objects_free,
        "disk_free": each.disk_free,
        "way_out": _way_out_as_json(each.way_out) if each.way_out else None,
    }


def on_terminal(text: str) -> str:
    """A log as a terminal may have it: colours stay, and nothing else moves it or writes to it."""
    parts = []
    at = 0
    for colour in _COLOUR.finditer(text):
        parts += [_plain(text[at : colour.start()]), colour.group()]
        at = colour.end()
    return "".join([*parts, _plain(text[at:])])


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() or each in _KEPT else "?" for each in text)


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def _way_out(found: WayOut | None) -> str:
    return f"{_mib(found.sent + found.received)} of {_mib(found.limit)}" if found else "-"


def _way_out_as_json(found: WayOut) -> renting.WayOut:
    return {
        "allowed": list(found.allowed),
        "limit": found.limit,
        "sent": found.sent,
        "received": found.received,
        "connections": found.connections,
        "refused": found.refused,
    }


def _second(ms: int | None) -> int:
    return (ms or 0) // 1_000
