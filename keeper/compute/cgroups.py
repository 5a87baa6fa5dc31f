"""The kernel's own limits for a sandbox, where a worker's cgroup is its user's: systemd's Delegate=yes.

They are beside those that :mod:`keeper.compute.nsinit` looks after each second: also what the kernel keeps
for a sandbox, such as buffers of sockets, counts here. Where there is no such cgroup, there are none of them,
and a worker accepts no lease unless its supplier says that it may.
"""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from pathlib import Path

from keeper.compute.sandbox import Limits

ROOT, SELF = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
MISSING = (
    "LIMITS_MISSING: the kernel limits no sandbox here, as this worker has no cgroup of version 2 of its own"
)
DO = (
    "run it by ops/ionet-worker.service, whose Delegate=yes hands it one; IONET_UNCONFINED=true serves "
    "leases without, by limits that are looked at each second"
)
"""What it takes for limits, and what there is without them."""
CONTROLLERS = "memory", "pids"
PROCESSORS = "cpu"
"""Not every system hands this one to users; what is limited without it is limited."""
WEIGHT = 20
"""The worker has 100: a renter's processes, however many, have a sixth of what both want all of."""
AGENT = "agent"
"""The group that the worker itself moves to: only one without processes has limits for those below it."""
LEASE = "lease-"
"""What sandboxes' groups begin with."""
_NUMBERS = itertools.count()
"""Of the sandboxes of this process, which may have several."""
KERNEL = 256 << 20
"""Bytes beyond a sandbox's own, for what the kernel keeps and for WireGuard."""


def delegated(root: Path = ROOT, own: Path = SELF) -> Path | None:
    """The folder of this process's cgroup of version 2, if it may be divided; None elsewhere.

    Changes nothing.
    """
    try:
        lines = own.read_text().splitlines()
        path = next(line[3:] for line in lines if line.startswith("0::"))
        folder = root / path.removeprefix("/")
        if folder.name == AGENT:
            folder = folder.parent  # This process has moved there before.
        has = (folder / "cgroup.controllers").read_text().split()
    except (OSError, StopIteration):
        return None
    files = (folder / each for each in ("cgroup.procs", "cgroup.subtree_control"))
    may = folder != root and all(os.access(each, os.W_OK) for each in files)
    return folder if may and set(CONTROLLERS) <= set(has) else None


def shares(folder: Path) -> bool:
    """Whether a :func:`delegated` cgroup shares out processors, too."""
    return PROCESSORS in (folder / "cgroup.controllers").read_text().split()


def _leave(parent: Path) -> None:
    """Have nothing in a group itself: the kernel limits none below one that has processes. Raises OSError."""
    agent = parent / AGENT
    agent.mkdir(exist_ok=True)
    own = str(os.getpid())
    # The first ones of the sandbox, and what this process runs beside, began in there.
    for each in (own, *(parent / "cgroup.procs").read_text().split()):
        with suppress(ProcessLookupError):  # It has ended meanwhile.
            (agent / "cgroup.procs").write_text(each)


class Cgroup:
    """One sandbox's; :meth:`remove` is the last call."""

    def __init__(self, folder: Path) -> None:
        """Of :meth:`make` alone."""
        self._folder = folder

    @classmethod
    def make(cls, parent: Path, limits: Limits) -> Cgroup:
        """Make it below a :func:`delegated` cgroup, whose processes go to a group beside it.

        Raises OSError.
        """
        _leave(parent)
        shared = [PROCESSORS] if shares(parent) else []
        said = " ".join(f"+{each}" for each in [*CONTROLLERS, *shared])
        (parent / "cgroup.subtree_control").write_text(said)
        for left in parent.glob(f"{LEASE}*"):
            cls(left).remove()  # Of a process that was killed.
        made = cls(parent / f"{LEASE}{os.getpid()}-{next(_NUMBERS)}")
        made._folder.mkdir()
        most = limits.memory + limits.shared + limits.scratch + KERNEL
        bounds = {"memory.max": most, "memory.oom.group": 1, "pids.max": 2 * limits.processes}
        if shared:
            bounds["cpu.weight"] = WEIGHT
        for file, value in bounds.items():
            (made._folder / file).write_text(str(value))
        with suppress(FileNotFoundError):  # A kernel without swap.
            (made._folder / "memory.swap.max").write_text("0")
        return made

    def take(self, processes: list[int]) -> None:
        """Take processes in, and so whatever they start; raises OSError."""
        for each in processes:
            (self._folder / "cgroup.procs").write_text(str(each))

    def remove(self) -> None:
        """Remove it, once its processes are gone."""
        with suppress(OSError):
            self._folder.rmdir()
