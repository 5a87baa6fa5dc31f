"""A cluster's figures, as each node's Ray has them; nothing of it leaves the cluster but to its renter."""

from __future__ import annotations

import http.client
import math
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Annotated, Any

from prometheus_client.parser import text_string_to_metric_families
from pydantic import Field, TypeAdapter

from keeper.compute.egress import MOST_NAME, MOST_NAMES
from keeper.compute.node import PORTS
from keeper.compute.proxy import SHOWN
from keeper.errors import UserError, why
from keeper.renter.place import NotConnected

PORT = PORTS["--metrics-export-port"]
SECONDS = 15.0
MOST_BYTES = 4 << 20
"""Of a node's answer: it has 100 KB."""
MOST_WAY_OUT = 1 << 16
Size = Annotated[int, Field(strict=True, ge=0, lt=1 << 62)]
Name = Annotated[str, Field(max_length=MOST_NAME + 2, pattern=r"^[a-z0-9.*-]+$")]
Opens = Callable[[IPv4Address, int], socket.socket]
NAMES = {
    "ray_node_cpu_utilization": "cpu_percent",
    "ray_node_cpu_count": "cpus",
    "ray_node_mem_used": "memory_used",
    "ray_node_mem_total": "memory_total",
    "ray_object_store_used_memory": "objects_used",
    "ray_object_store_available_memory": "objects_free",
    "ray_node_disk_free": "disk_free",
}


@dataclass(frozen=True, slots=True)
class WayOut:
    """What a device's supplier lets a renter's code reach, and what of its bytes is used."""

    allowed: Annotated[tuple[Name, ...], Field(max_length=MOST_NAMES)]
    limit: Size
    sent: Size
    received: Size
    connections: Size
    refused: Size


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
    way_out: WayOut | None = None
    """None without one."""


def scrape(opens: Opens, node: IPv4Address) -> Figures:
    """Ask a node; ``opens`` connects to a member's port. Raises FiguresWrong, and what ``opens`` does."""
    return read(_ask(opens, node, PORT, "/metrics", MOST_BYTES), node)


def way_out(opens: Opens, node: IPv4Address) -> WayOut | None:
    """What its agent says of a node's way out; None of one that has none. Raises FiguresWrong."""
    try:
        answer = _ask(opens, node, SHOWN, "/", MOST_WAY_OUT)
    except NotConnected:
        return None
    try:
        return _WAY_OUT.validate_json(answer)
    except ValueError as error:
        raise FiguresWrong(f"{node} says of its way out what makes no sense") from error


def _ask(opens: Opens, node: IPv4Address, port: int, path: str, most: int) -> bytes:
    made = opens(node, port)
    connection = http.client.HTTPConnection(str(node), port)
    connection.sock = made
    ends = time.monotonic() + SECONDS
    body = bytearray()
    try:
        made.settimeout(SECONDS)
        connection.request("GET", path, headers={"accept-encoding": "identity"})
        answer = connection.getresponse()
        while piece := answer.read1(1 << 16):
            body += piece
            if len(body) > most or time.monotonic() > ends:
                raise FiguresWrong(f"{node} gives figures without an end")
    except (OSError, http.client.HTTPException) as error:
        raise FiguresWrong(f"{node} gives no figures: {why(error)}") from error
    finally:
        connection.close()
    return bytes(body)


_WAY_OUT = TypeAdapter(WayOut)


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
    whole: dict[str, Any] = {name: int(value) for name, value in found.items()}
    return Figures(cpu_percent=round(percent, 1), **whole)
