"""The kernel's own limits for a sandbox, where a worker's cgroup is its user's: systemd's Delegate=yes.

They are beside those that :mod:`keeper.compute.nsinit` looks after each second: also what the kernel keeps
for a sandbox, such as buffers of sockets, counts here. Where there is no such cgroup, there are none of them.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from keeper.compute.sandbox import Limits

ROOT, SELF = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
CONTROLLERS = "memory", "pids"
PROCESSORS = "cpu"
"""Not every system hands this one to users; what is limited without it is limited."""
WEIGHT = 20
"""The worker has 100: a renter's processes, however many, have a sixth of what both want all of."""
AGENT = "agent"
"""The group that the worker itself moves to: only one without processes has limits for those below it."""
LEASE = "lease-"
"""What sandboxes' groups begin with."""
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


class Cgroup:
    """One sandbox's; :meth:`remove` is the last call."""

    def __init__(self, folder: Path) -> None:
        """Of :meth:`make` alone."""
        self._folder = folder

    @classmethod
    def make(cls, parent: Path, limits: Limits) -> Cgroup:
        """Make it below a :func:`delegated` cgroup, which this process leaves for a group beside it.

        Raises OSError.
        """
        agent = parent / AGENT
        agent.mkdir(exist_ok=True)
        (agent / "cgroup.procs").write_text(str(os.getpid()))
        has = (parent / "cgroup.controllers").read_text().split()
        shared = [PROCESSORS] if PROCESSORS in has else []
        said = " ".join(f"+{each}" for each in [*CONTROLLERS, *shared])
        (parent / "cgroup.subtree_control").write_text(said)
        for left in parent.glob(f"{LEASE}*"):
            cls(left).remove()  # Of a process that was killed.
        made = cls(parent / f"{LEASE}{os.getpid()}")
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
