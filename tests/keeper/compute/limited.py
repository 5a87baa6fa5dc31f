"""What a kernel that hands out cgroups holds a sandbox to: measured by a worker's user, in its own cgroup.

Prints one JSON object. As root, with a number of a user and nothing else running, it first makes of this
machine what systemd's Delegate=yes makes of one: that is for a machine which is there for nothing else.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import structlog
from nacl.public import PrivateKey
from solders.keypair import Keypair

from keeper.compute import cgroups, runtime
from keeper.compute.runtime import Runtime
from keeper.compute.sandbox import Job
from keeper.worker.serving.machine import Machine
from tests.keeper.compute.sandboxing import ADDRESS, LIMITS, PYTHON

FILLS = """
import os, socket
os.fork()
held = []
while True:
    one, other = socket.socketpair()
    one.setblocking(False)
    held.append((one, other))
    try:
        while True:
            one.send(bytes(65536))
    except BlockingIOError:
        pass
"""
"""Takes memory of the kernel's, which no look at processes finds, by more sockets than one may have open."""
BUSY = """
import os
for _ in range(8):
    if not os.fork():
        while True: pass
os.wait()
"""
BUSY_SECONDS, MOST_SECONDS = 5.0, 120.0
TUN = 313
"""The number of finit_module on x86-64."""


def delegate(root: Path, user: int) -> None:
    """Have a cgroup of the user's, with this process in it."""
    for each in (root, root / "user.slice"):
        each.mkdir(exist_ok=True)
        (each / "cgroup.subtree_control").write_text("+memory +pids +cpu")
    unit = root / "user.slice/ionet-worker.service"
    unit.mkdir()
    (unit / "cgroup.procs").write_text(str(os.getpid()))
    for each in (unit, *(unit / f"cgroup.{name}" for name in ("procs", "subtree_control", "threads"))):
        os.chown(each, user, user)


def load(module: Path) -> None:
    """Load a module of the kernel's."""
    with module.open("rb") as file:
        assert ctypes.CDLL(None).syscall(TUN, file.fileno(), b"", 0) == 0
    Path("/dev/net/tun").chmod(0o666)


async def run(machine: Machine, code: str) -> Path:
    """Run code in a new sandbox; gives the folder of its cgroup."""
    await machine.open("lease", Keypair().pubkey(), Keypair(), bytes(PrivateKey.generate()), ADDRESS)
    assert machine._sandbox is not None and machine._cgroup is not None
    await machine._sandbox.run(Job([PYTHON, "-I", "-S", "-c", code], {}, (), LIMITS))
    return machine._cgroup._folder


def figures(file: Path) -> dict[str, int]:
    """A file of names and numbers."""
    return {name: int(value) for name, value in (line.split() for line in file.read_text().splitlines())}


async def measure() -> dict[str, object]:
    """All that the test looks at."""
    runtime.find = lambda place: Runtime(Path("/usr"), Path("/usr"))
    found: dict[str, object] = {"user": os.geteuid(), "parent": str(cgroups.delegated())}
    with tempfile.TemporaryDirectory() as name:
        machine = Machine(Path(name), Path(name), lambda: LIMITS, [], structlog.get_logger())
        found["lacks"] = str(await machine.lacks())
        group = await run(machine, BUSY)
        found["bounds"] = {
            each: (group / each).read_text().strip() for each in ("memory.max", "pids.max", "cpu.weight")
        }
        own = subprocess.Popen([PYTHON, "-c", "while True: pass"])
        groups = {"worker": group.parent / cgroups.AGENT, "renter": group}
        before = {each: figures(at / "cpu.stat")["usage_usec"] for each, at in groups.items()}
        await asyncio.sleep(BUSY_SECONDS)
        found["usec"] = {
            each: figures(at / "cpu.stat")["usage_usec"] - before[each] for each, at in groups.items()
        }
        own.kill()
        own.wait()
        found["processes"] = int((group / "pids.current").read_text())
        await machine.close()
        found["left"] = [each.name for each in group.parent.glob(f"{cgroups.LEASE}*")]
        group = await run(machine, FILLS)
        async with asyncio.timeout(MOST_SECONDS):
            while not machine.ended:
                await asyncio.sleep(0.05)
        found["ended"], found["events"] = machine.ended, figures(group / "memory.events")
        found["peak"] = int((group / "memory.peak").read_text())
        await machine.end()
        found["left_later"] = [each.name for each in group.parent.glob(f"{cgroups.LEASE}*")]
    return found


def main(user: int, module: str) -> None:
    """Be the worker, or make the machine and then be it."""
    if os.geteuid() == 0:
        delegate(cgroups.ROOT, user)
        load(Path(module))
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    # The kernel prints to the same terminal.
    print(f"\n{json.dumps(asyncio.run(measure()))}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
