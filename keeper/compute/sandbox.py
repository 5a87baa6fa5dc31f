"""A renter's code on a device: bubblewrap in namespaces of its own, with a list of what it can see and do.

Root, privileges and other users there are none; its files are the machine's programs, the runtime and its
own folder; its only interface is WireGuard's. What it may use has limits: of the kernel where it has them,
else of :mod:`keeper.compute.nsinit`, which looks each second.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from keeper.compute import probe, seccomp
from keeper.compute.namespace import Namespaces, SandboxFailed

HOME = "/data"
"""The renter's folder, on the device's disk, until the lease ends."""
USER = 1_000
PROCESSES = 2_048
"""With their threads, of which each of Ray's has some dozens."""
PROBE_SECONDS = 30.0
"""For an answer, which takes a tenth of a second where processors are free."""
PROBE = Path(probe.__file__)
_FILES = {
    "passwd": f"renter:x:{USER}:{USER}::{HOME}:/bin/sh\n",
    "group": f"renter:x:{USER}:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sandbox may use, in bytes."""

    memory: int
    """Of its processes for themselves."""
    shared: int
    """Of /dev/shm, where Ray keeps objects: it is memory."""
    scratch: int
    """Of /tmp: memory, too."""
    data: int
    """Of /data, on the disk; no file is larger either."""
    processes: int = PROCESSES


@dataclass(frozen=True, slots=True)
class Job:
    """What is run; ``command`` as seen inside, ``hosts`` are names there and their addresses."""

    command: Sequence[str]
    environment: Mapping[str, str]
    programs: Sequence[Path]
    """Folders that are there under their own names, to be read: a runtime, and a Python outside of /usr."""
    limits: Limits
    hostname: str = "node"
    hosts: Mapping[str, str] | None = None


def options(job: Job, folder: Path) -> list[str]:
    """Of bubblewrap; ``folder`` has etc/ and data/. Later mounts lie over earlier ones."""
    limits = job.limits
    made = ["--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    made += ["--unshare-cgroup-try", "--uid", str(USER), "--gid", str(USER), "--hostname", job.hostname]
    made += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    made += ["--ro-bind", "/usr", "/usr", "--tmpfs", "/usr/local"]
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            made += ["--symlink", f"usr/{name}", f"/{name}"]
        elif Path("/", name).is_dir():
            made += ["--ro-bind", f"/{name}", f"/{name}"]
    made += ["--ro-bind", str(folder / "etc"), "/etc", "--proc", "/proc", "--dev", "/dev"]
    made += ["--perms", "1777", "--size", str(limits.shared), "--tmpfs", "/dev/shm"]
    made += ["--perms", "1777", "--size", str(limits.scratch), "--tmpfs", "/tmp"]
    for each in job.programs:
        made += ["--ro-bind", str(each), str(each)]
    made += ["--bind", str(folder / "data"), HOME]
    # Written to, /proc would let a process have itself spared when the machine has no memory left.
    made += ["--remount-ro", "/proc"]
    # What is left are tmpfs without a size, such as bubblewrap's own root.
    made += ["--remount-ro", "/dev", "--remount-ro", "/usr/local", "--remount-ro", "/"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": HOME, "LANG": "C.UTF-8", **job.environment}
    for name, value in environment.items():
        made += ["--setenv", name, value]
    made += ["--add-seccomp-fd", "@0", "--add-seccomp-fd", "@1", "--json-status-fd", "@status"]
    return [*made, "--chdir", HOME]


class Sandbox:
    """One, in namespaces that were opened for it; ``folder`` is a lease's own, and is deleted with it."""

    def __init__(self, spaces: Namespaces, folder: Path, user: int | None = None) -> None:
        """``user`` is whom the folder's files are to belong to, where this is root."""
        self.spaces = spaces
        self.folder = folder
        self._user = user

    async def run(self, job: Job) -> None:
        """Start the command; raises SandboxFailed, SeccompMissing."""
        try:
            self._prepare(job)
        except OSError as error:
            raise SandboxFailed(f"{self.folder} can't be written ({error.strerror}): make room") from error
        limits, data = job.limits, self.folder / "data"
        said = {"memory": limits.memory, "data": limits.data, "processes": limits.processes}
        said["shared"] = limits.shared + limits.scratch
        with tempfile.TemporaryFile() as allowed, tempfile.TemporaryFile() as refused:
            seccomp.write(allowed, refused)
            for each in (allowed, refused):
                os.lseek(each.fileno(), 0, os.SEEK_SET)
            await self.spaces.ask(
                "run",
                [allowed.fileno(), refused.fileno()],
                options=options(job, self.folder),
                command=list(job.command),
                limits={**said, "folder": str(data)},
            )

    async def freeze(self) -> None:
        """Stop all of the renter's processes, and nothing else; raises SandboxFailed."""
        await self.spaces.ask("stop")

    async def thaw(self) -> None:
        """Let them go on; what the renter had stopped itself goes on, too. Raises SandboxFailed."""
        await self.spaces.ask("continue")

    async def probe(self, python: Path, seed: bytes) -> bytes:
        """What a seed comes to, computed inside (:mod:`keeper.compute.probe`); raises SandboxFailed.

        ``python`` is one that is there inside.
        """
        read, write = os.pipe()
        with os.fdopen(read, "rb", buffering=0) as answer:
            try:
                with PROBE.open("rb") as program:  # noqa: ASYNC230 - a file of a few lines
                    command = [str(python), "-I", "-S", "-B", "-", seed.hex()]
                    await self.spaces.ask("probe", [program.fileno(), write], command=command)
            finally:
                os.close(write)
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    found = bytes.fromhex((await _line(answer)).decode())
            except (OSError, TimeoutError, ValueError) as error:
                raise SandboxFailed("a probe in the sandbox gave no answer") from error
        if len(found) != probe.SEED:
            raise SandboxFailed("a probe in the sandbox gave no answer")
        return found

    async def end(self) -> None:
        """Kill everything inside and delete the renter's files; raises SandboxFailed when files stay."""
        await self.spaces.end()
        clear(self.folder)

    def _prepare(self, job: Job) -> None:
        etc, data = self.folder / "etc", self.folder / "data"
        for each in (self.folder, etc, data):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        hosts = {"localhost": "127.0.0.1", job.hostname: "127.0.0.1", **(job.hosts or {})}
        files = {**_FILES, "hosts": "".join(f"{address} {name}\n" for name, address in hosts.items())}
        for name, text in files.items():
            (etc / name).write_text(text)
        shutil.copyfile("/etc/ld.so.cache", etc / "ld.so.cache")
        if self._user:
            for each in (self.folder, etc, data, *etc.iterdir()):
                os.chown(each, self._user, self._user)


async def _line(pipe: FileIO) -> bytes:
    """What comes through a pipe until it ends, a line at most."""
    reader = asyncio.StreamReader(limit=1_024)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        return await reader.readline()
    finally:
        transport.close()


def clear(folder: Path) -> None:
    """Delete a lease's folder, whatever its code has made of it; raises SandboxFailed when something stays.

    By coreutils, which follow no link and go down as deep as folders do.
    """
    if not folder.exists():
        return
    for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf", "--one-file-system"]):
        done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    if folder.exists():
        said = (done.stderr.splitlines() or ["no reason was given"])[0]
        raise SandboxFailed(f"{folder} has a renter's files and can't be deleted ({said}): do it by hand")
