"""``ionet worker run`` as it is, in a process of its own: this module, with two folders.

What differs is what a test needs: a tiny product in its waves, little memory for two nodes on one machine,
sandboxes of another user where this is root, whom a worker refuses to be, and, with a port in TESTS_SITE, a
name of a page that is there on this machine, as no test reaches the internet.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial

from keeper.cli import main
from keeper.compute import proxy
from keeper.compute.egress import Address
from keeper.worker import assemble
from keeper.worker.serving import capacity
from keeper.worker.serving.machine import Machine
from tests.keeper.compute.booting import LIMITS
from tests.keeper.compute.sandboxing import PYTHON, USER

NAME, PUBLIC = "models.example", "93.184.216.34"


def lead(port: int) -> None:
    """Have that name lead to a port of this machine, though the agent takes it for a public address."""

    def look_up(name: str) -> list[str]:
        return {f"{NAME}.": [PUBLIC]}[name]

    async def dial(address: Address, wanted: int) -> proxy.Streams:
        assert (str(address), wanted) == (PUBLIC, 443)
        return await asyncio.open_connection("127.0.0.1", port)

    proxy.look_up, proxy._dial = look_up, dial


def run(hours: str, files: str) -> None:
    """Be a worker whose tables are in ``hours``, and whose leases' files go to ``files``."""
    os.environ["IONET_PROFILES"] = hours
    # Machines of tests hand no cgroup to anybody: test_kernel_limits.py has a kernel that does.
    os.environ["IONET_UNCONFINED"] = "true"
    if port := os.environ.get("TESTS_SITE"):
        lead(int(port))
    assemble.Machine = partial(Machine, user=USER, python=PYTHON)  # type: ignore[assignment,misc]
    assemble.LEASES = files
    assemble.is_processor = lambda class_id: True
    capacity.limits = lambda memory, wave, disk: LIMITS
    sys.argv = ["ionet", "worker", "run"]
    main.main()


if __name__ == "__main__":
    run(*sys.argv[1:])
