"""A node of Ray's in a sandbox: its command line, and what its head says of nodes.

Ports are the same in every sandbox, as each has a network of its own. Ray's token is always asked for: it is
the second lock, as who isn't in the overlay comes near no port.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from keeper.compute.bodies import NODE_ID
from keeper.compute.overlay import Overlay
from keeper.compute.runtime import Runtime
from keeper.compute.sandbox import HOME, Job, Limits
from keeper.errors import UserError, why

GCS, JOBS = 6_379, 8_265
"""Where a head is found by nodes, and by whoever has jobs for it."""
PORTS = {
    "--node-manager-port": 6_380,
    "--object-manager-port": 6_381,
    "--dashboard-agent-grpc-port": 6_382,
    "--dashboard-agent-listen-port": 6_383,
    "--metrics-export-port": 6_384,
    "--runtime-env-agent-port": 6_385,
    "--min-worker-port": 20_000,
    "--max-worker-port": 20_255,
}
ANSWER_SECONDS = 10.0
MOST_ANSWER = 8 << 20
"""Bytes of a head's answer: its processes are a renter's, and may say anything."""


class HeadSilent(UserError):
    """A head that doesn't answer yet, or not as Ray does."""


class TokenRefused(UserError):
    """A head that doesn't know our token."""


@dataclass(frozen=True, slots=True)
class Alive:
    """A node in the head's list that is alive."""

    node: bytes
    """Its id, 28 bytes."""
    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Node:
    """What a device runs of Ray: the head, or what joins it."""

    address: IPv4Address
    head: IPv4Address
    """The same as ``address`` on the head."""
    token: bytes = field(repr=False)
    """32 bytes."""
    processors: int
    objects: int
    """Bytes of the store of objects, in /dev/shm."""

    @property
    def is_head(self) -> bool:
        """Whether it is the head itself."""
        return self.address == self.head

    def job(self, runtime: Runtime, limits: Limits) -> Job:
        """What the sandbox runs; the token is in the environment alone, where a renter's code has it, too."""
        line = ["--block", "--disable-usage-stats", "--node-ip-address", str(self.address)]
        line += ["--num-cpus", str(self.processors), "--num-gpus", "0"]
        line += ["--memory", str(limits.memory - self.objects), "--object-store-memory", str(self.objects)]
        for name, port in PORTS.items():
            line += [name, str(port)]
        if self.is_head:
            # Every node takes the head's folder: logs, and objects that memory has no room for, are in /data.
            line += ["--head", "--port", str(GCS), "--temp-dir", f"{HOME}/ray"]
            line += ["--include-dashboard", "true", "--dashboard-port", str(JOBS)]
            line += ["--dashboard-host", str(self.address)]
        else:
            line += ["--address", f"{self.head}:{GCS}"]
        command = [str(runtime.python), "-m", "ray.scripts.scripts", "start", *line]
        return Job(command, self.environment(runtime), runtime.folders, limits)

    def environment(self, runtime: Runtime) -> Mapping[str, str]:
        """Of every process of Ray's, and so of the renter's."""
        return {
            "PATH": f"{runtime.folder / 'bin'}:/usr/bin:/bin",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.token.hex(),
            "RAY_USAGE_STATS_ENABLED": "0",
            "PYTHONUNBUFFERED": "1",
        }


async def alive(overlay: Overlay, node: Node) -> list[Alive]:
    """The nodes that the head has alive; raises HeadSilent, TokenRefused."""
    answer = await ask(overlay, node, "GET", "/nodes?view=summary")
    try:
        found = json.loads(answer)["data"]["summary"]
        rows = [each["raylet"] for each in found]
        return [
            Alive(_node(each["nodeId"]), IPv4Address(each["nodeManagerAddress"]))
            for each in rows
            if each.get("state") == "ALIVE"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise HeadSilent(f"the head's list of nodes can't be read: {why(error)}") from error


async def ask(overlay: Overlay, node: Node, method: str, path: str, body: Any = None) -> bytes:
    """One question to the head's HTTP, through the overlay; raises HeadSilent, TokenRefused."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            made = await overlay.connect(node.head, JOBS)
    except (OSError, TimeoutError) as error:
        raise HeadSilent(f"the head at {node.head} doesn't answer: {why(error)}") from error
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            status, answer = await asyncio.to_thread(_ask, made, node, method, path, body)
    except (OSError, TimeoutError, http.client.HTTPException) as error:
        raise HeadSilent(f"the head at {node.head} doesn't answer: {why(error)}") from error
    finally:
        _close(made)
    if status in (401, 403):
        raise TokenRefused(f"the head at {node.head} doesn't know this device's token")
    if status != 200:  # noqa: PLR2004 - OK
        raise HeadSilent(f"the head at {node.head} answers {status}")
    return answer


def _ask(made: socket.socket, node: Node, method: str, path: str, body: Any) -> tuple[int, bytes]:
    made.settimeout(ANSWER_SECONDS)
    connection = http.client.HTTPConnection(str(node.head), JOBS)
    connection.sock = made
    headers = {"Authorization": f"Bearer {node.token.hex()}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, answer.read(MOST_ANSWER)


def _close(made: socket.socket) -> None:
    """Close a connection, and end the thread that may still wait at it: an answer may come byte by byte."""
    with suppress(OSError):
        made.shutdown(socket.SHUT_RDWR)
    made.close()


def _node(text: str) -> bytes:
    found = bytes.fromhex(text)
    if len(found) != NODE_ID:
        raise ValueError(f"a node's id has {NODE_ID} bytes")
    return found
