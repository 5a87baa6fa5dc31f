"""A program of ours on a node, and a connection to it: see :mod:`keeper.renter.inside`."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path

from keeper.errors import UserError
from keeper.renter import inside
from keeper.renter.door import open_way
from keeper.renter.inside import SECRET, SECRET_BYTES, Wire
from keeper.renter.jobs import HeadError, Jobs, JobUnknown
from keeper.renter.packing import Package, pack_files
from keeper.renter.place import Place

START_SECONDS = 90.0
"""For its job to be started: a head under load takes ten."""
PIECE_SECONDS = 120.0
"""Between two pieces of what it sends."""
LOOK_SECONDS = 0.3
SHARE = 0.001
"""Of a node's own resource, so that the job runs there and takes nothing from others."""
_PORT = re.compile(r"^PORT ([0-9]{1,5})$", re.MULTILINE)


class NodeSilent(UserError):
    """A node that didn't start what it was asked to, or stopped answering."""


def program() -> Package:
    """What is sent to the cluster."""
    return pack_files({"inside.py": Path(inside.__file__).read_bytes()})


@contextmanager
def helper(place: Place, jobs: Jobs, node: IPv4Address, name: str) -> Iterator[Wire]:
    """The program on a node meanwhile, under a job's name; raises NodeSilent, HeadError, JobRefused."""
    secret = secrets.token_bytes(SECRET_BYTES)
    jobs.submit(
        name,
        f"python inside.py {node}",
        working_dir=program(),
        variables={SECRET: secret.hex()},
        resources={f"node:{node}": SHARE},
    )
    over = False
    try:
        made = open_way(place, node, _port(jobs, name, node))
        with made:
            made.settimeout(PIECE_SECONDS)
            made.sendall(secret)
            yield Wire(made)
            over = True
    finally:
        if not over:
            with suppress(HeadError, JobUnknown):
                jobs.stop(name)


def _port(jobs: Jobs, name: str, node: IPv4Address) -> int:
    """The port at which it waits, which it prints."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        found = _PORT.search(jobs.logs(name))
        if found and 0 < int(found[1]) < 1 << 16:
            return int(found[1])
        if (job := jobs.get(name)).status.is_over:
            raise NodeSilent(f"{node} doesn't start what it is asked to: ionet cluster logs has {job.name}")
        time.sleep(LOOK_SECONDS)
    raise NodeSilent(f"{node} starts nothing within {START_SECONDS:g} seconds: it may have no room")
