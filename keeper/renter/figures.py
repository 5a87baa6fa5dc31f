"""A cluster's figures, as each node's Ray has them; nothing of it leaves the cluster but to its renter."""

from __future__ import annotations

import http.client
import math
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from prometheus_client.parser import text_string_to_metric_families

from keeper.compute.node import PORTS
from keeper.errors import UserError, why

PORT = PORTS["--metrics-export-port"]
SECONDS = 15.0
MOST_BYTES = 4 << 20
"""Of a node's answer: it has 100 KB."""
NAMES = {
    "ray_node_cpu_utilization": "cpu_percent",
    "ray_node_cpu_count": "cpus",
    "ray_node_mem_used": "memory_used",
    "ray_node_mem_total": "memory_total",
    "ray_object_store_used_memory": "objects_used",
    "ray_object_store_available_memory": "objects_free",
    "ray_node_disk_free": "disk_free",
}


class FiguresWrong(UserError):
    """A node that gives no figures, or none that make sense."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One node's: percent of processors, bytes of the rest, 0 for what it doesn't tell.

    Processors, memory and disk are the whole machine's, which does other work, too.
    """

    cpu_percent: float = 0.0
    cpus: int = 0
    memory_used: int = 0
    memory_total: int = 0
    objects_used: int = 0
    objects_free: int = 0
    disk_free: int = 0


def scrape(opens: Callable[[IPv4Address, int], socket.socket], node: IPv4Address) -> Figures:
    """Ask a node; ``opens`` connects to a member's port. Raises FiguresWrong, and what ``opens`` does."""
    made = opens(node, PORT)
    connection = http.client.HTTPConnection(str(node), PORT)
    connection.sock = made
    ends = time.monotonic() + SECONDS
    body = bytearray()
    try:
        made.settimeout(SECONDS)
        connection.request("GET", "/metrics", headers={"accept-encoding": "identity"})
        answer = connection.getresponse()
        while piece := answer.read1(1 << 16):
            body += piece
            if len(body) > MOST_BYTES or time.monotonic() > ends:
                raise FiguresWrong(f"{node} gives figures without an end")
    except (OSError, http.client.HTTPException) as error:
        raise FiguresWrong(f"{node} gives no figures: {why(error)}") from error
    finally:
        connection.close()
    return read(bytes(body), node)


def read(body: bytes, node: IPv4Address) -> Figures:
    """The figures of a Prometheus text; what is there several times is summed. Raises FiguresWrong."""
    found: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(body.decode()):
            for sample in family.samples:
                name = NAMES.get(sample.name)
                if name is not None and math.isfinite(sample.value) and 0 <= sample.value < 1 << 62:
                    found[name] = found.get(name, 0.0) + sample.value
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise FiguresWrong(f"{node} gives figures that make no sense: {why(error)[:100]}") from error
    percent = found.pop("cpu_percent", 0.0)
    return Figures(cpu_percent=round(percent, 1), **{name: int(value) for name, value in found.items()})
