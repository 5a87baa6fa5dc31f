"""The first process of a sandbox's own namespaces: makes its network, runs bubblewrap in it, ends all of it.

Run as a file, by ``unshare``, with nothing but the standard library: it has no privilege but in namespaces
that were made for it, and what it owns isn't the renter's: WireGuard, its key, and the way out, which is
sockets of this network that it hands to the agent. Standard input is the agent's end of a socket pair: a
JSON object in each datagram, answered by one. At its end, or the agent's, whatever it was, this process
ends; and with the first process of a process namespace the kernel ends every other one in it.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

INTERFACE = "wg0"
PORT = 51_820
"""Of WireGuard, on this namespace's loopback."""
MTU = 1_380
LOOK_SECONDS = 1.0
"""From one look at what the sandbox uses to the next."""
MAX_MESSAGE = 256 * 1024
WAIT_SECONDS = 10.0
"""For WireGuard to be there: a loaded machine takes longer than the 0.1 s of an idle one."""
STOP_SECONDS = 2.0
PROBE_SECONDS = 20
"""Of processor time, for a program that takes a hundredth of it."""
STOPPED = frozenset("TtZX")
"""States of processes that do nothing: stopped, or over."""
FREE = 20
"""A twentieth of the disk stays free."""
NICE = 10
"""WireGuard, the agent and its proofs of work come first where processors are short."""
OOM_FIRST = "1000"
"""When the machine has no memory left, the kernel ends what is in a sandbox before anything else."""


class Failed(Exception):
    """A step that couldn't be done; its text goes to the agent."""


class Init:
    """One sandbox's network and, once it is run, its processes."""

    def __init__(self, agent: socket.socket) -> None:
        """``agent`` is our end of the pair."""
        self._agent = agent
        self._wireguard: subprocess.Popen[bytes] | None = None
        self._sandbox: subprocess.Popen[bytes] | None = None
        self._inner = 0
        """That process, by its number here."""
        self._limits: dict[str, Any] = {}
        self._disk: Disk | None = None
        self._probe: subprocess.Popen[bytes] | None = None

    def serve(self) -> None:
        """Do as the agent says until it is gone, or the sandbox is over."""
        operations: dict[str, Callable[[dict[str, Any], list[int]], Any]] = {
            "hello": lambda _, __: None,
            "network": self._network,
            "wg": self._wg,
            "socket": self._socket,
            "run": self._run,
            "probe": self._begin_probe,
            "stop": lambda _, __: self._stop(),
            "continue": lambda _, __: self._signal(signal.SIGCONT),
        }
        while True:
            waiting = [self._agent.fileno()]
            if self._disk is not None and self._disk.out is not None:
                waiting.append(self._disk.out.fileno())
            ready = select.select(waiting, [], [], LOOK_SECONDS)[0]
            if self._disk is not None and ready and ready[-1] != waiting[0]:
                self._disk.take()
            if waiting[0] in ready:
                data, descriptors, _, _ = socket.recv_fds(self._agent, MAX_MESSAGE, 16)
                if not data:
                    return
                said = json.loads(data)
                try:
                    handed = operations[said["do"]](said, descriptors)
                    answer: dict[str, Any] = {"n": said["n"], "ok": True}
                except (Failed, OSError, subprocess.SubprocessError) as error:
                    handed, answer = None, {"n": said["n"], "ok": False, "why": str(error)}
                finally:
                    for each in descriptors:
                        os.close(each)
                socket.send_fds(self._agent, [json.dumps(answer).encode()], [handed] if handed else [])
                if handed:
                    os.close(handed)
            if self._probe is not None and self._probe.poll() is not None:
                self._probe = None
            if over := self._over():
                self._agent.send(json.dumps({"over": over}).encode())
                return

    # -- the network -----------------------------------------------------------------------------

    def _network(self, said: dict[str, Any], _: list[int]) -> None:
        """Make wg0 with the address and key that were said, by the kernel, else by wireguard-go."""
        _call("mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "none", "/run")
        _call("ip", "link", "set", "lo", "up")
        made = subprocess.run(
            ["ip", "link", "add", INTERFACE, "type", "wireguard"], capture_output=True, check=False
        )
        if made.returncode:
            self._wireguard = subprocess.Popen(
                ["wireguard-go", "-f", INTERFACE],
                env={"LOG_LEVEL": "error"},
                stdin=subprocess.DEVNULL,
            )
            begun = time.monotonic()
            while not _listens(f"/run/wireguard/{INTERFACE}.sock"):
                if self._wireguard.poll() is not None or time.monotonic() - begun > WAIT_SECONDS:
                    raise Failed("wireguard-go made no interface: see ionet worker doctor")
                time.sleep(0.01)
        conf = f"[Interface]\nPrivateKey = {said['key']}\nListenPort = {PORT}\n"
        _call("wg", "setconf", INTERFACE, "/dev/stdin", given=conf)
        _call("ip", "addr", "add", f"{said['address']}/8", "dev", INTERFACE)
        _call("ip", "link", "set", INTERFACE, "mtu", str(MTU), "up")

    def _wg(self, said: dict[str, Any], _: list[int]) -> None:
        _call("wg", *said["arguments"])

    def _socket(self, said: dict[str, Any], _: list[int]) -> int:
        """A socket of this network, for the agent to bind and connect as it likes."""
        kind = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}[said["kind"]]
        return socket.socket(socket.AF_INET, kind).detach()

    # -- the sandbox -----------------------------------------------------------------------------

    def _run(self, said: dict[str, Any], handed: list[int]) -> None:
        """Start ``command`` in bubblewrap by its ``options``; @0, @1 and @status in them are descriptors.

        It reads them from a file in memory: everybody on the machine sees a command line, and a token is in
        the renter's environment.
        """
        if self._sandbox is not None:
            raise Failed("there is a sandbox already")
        self._limits = said["limits"]
        self._disk = Disk(said["limits"]["folder"])
        status, end = os.pipe()  # Stays open: bubblewrap writes to it once more, at the end.
        names = {f"@{n}": str(each) for n, each in enumerate(handed)} | {"@status": str(end)}
        options = os.memfd_create("options")
        os.write(options, b"".join(names.get(each, each).encode() + b"\0" for each in said["options"]))
        os.lseek(options, 0, os.SEEK_SET)
        self._sandbox = subprocess.Popen(
            ["bwrap", "--args", str(options), "--", *said["command"]],
            stdin=subprocess.DEVNULL,
            env={},
            pass_fds=[*handed, end, options],
            preexec_fn=self._limit,  # noqa: PLW1509 - there is one thread
        )
        os.close(end)
        os.close(options)
        line = b""
        while not line.endswith(b"\n"):
            read = os.read(status, 1)
            if not read:
                self._sandbox.wait()
                raise Failed("bubblewrap made no sandbox: its message is in the node's log")
            line += read
        self._inner = json.loads(line)["child-pid"]

    def _begin_probe(self, said: dict[str, Any], handed: list[int]) -> None:
        """Run ``command``, a program of ours, where the renter's code runs; by what it reads and writes.

        It has the sandbox's user, files and network, and isn't among its processes: a renter, who might
        gain by a probe that fails, neither sees nor stops it, nor has it wait, as it has our own priority.
        It loses all privilege as it begins. Before anything is run in the sandbox it runs beside it.
        """
        if self._probe is not None:
            self._probe.kill()
            self._probe.wait()
        program, out = handed
        enter = ["nsenter", "--target", str(self._inner), "--user", "--mount", "--ipc", "--uts", "--cgroup"]
        self._probe = subprocess.Popen(
            [*([*enter, "--preserve-credentials", "--"] if self._inner else []), *said["command"]],
            stdin=program,
            stdout=out,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            preexec_fn=_limit_probe,  # noqa: PLW1509 - there is one thread
        )

    def _limit(self) -> None:
        """Of each process, whatever it does: they can be made smaller, and not larger again."""
        Path("/proc/self/oom_score_adj").write_text(OOM_FIRST)
        os.nice(NICE)
        processes, size = self._limits["processes"], self._limits["data"]
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        # At 1, and not at 0, the kernel doesn't run the machine's own program for crashes either.
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
        files = min(65_536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    def _signal(self, number: int) -> None:
        """Send a signal to all of the sandbox's processes at once, so that none of them can undo it.

        "All" is one call of ours, past which the kernel lets nobody fork. It is made from out here: whoever
        went into their namespace to make it could be stopped or killed there by the renter's code, which has
        the same user. What is ours is stopped with them, and goes on at once.
        """
        if not self._inner:
            raise Failed("there is no sandbox")
        os.kill(-1, number)
        for each in self._ours():
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT)

    def _stop(self) -> None:
        """Stop them all, again until they are: one that is just waking another undoes it for that one."""
        until = time.monotonic() + STOP_SECONDS
        while True:
            self._signal(signal.SIGSTOP)
            states = [each for each in map(_state, self._numbers()) if each not in STOPPED]
            late = time.monotonic() > until
            if not states or (late and set(states) == {"D"}):  # Waits for a disk, and stops after that.
                return
            if late:
                raise Failed(f"the sandbox's processes don't stop: {len(states)} are {''.join(set(states))}")
            time.sleep(0.001)

    def _numbers(self) -> list[int]:
        """The renter's processes: all but ours, and the one that bubblewrap puts at their head."""
        skipped = {os.getpid(), *self._ours()}
        numbers = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
        return [each for each in numbers if each not in skipped]

    def _ours(self) -> set[int]:
        """Processes that are no renter's: WireGuard, both of bubblewrap's, what counts files, and a probe."""
        found = {each.pid for each in (self._wireguard, self._sandbox, self._probe) if each is not None}
        return (found | {self._inner, self._disk.number if self._disk is not None else 0}) - {0}

    def _over(self) -> str:
        """Why this sandbox ends now; nothing while it goes on."""
        if self._wireguard is not None and self._wireguard.poll() is not None:
            return "wireguard-go ended"
        if self._sandbox is None:
            return ""
        if (code := self._sandbox.poll()) is not None:
            return f"its command ended with {code}"
        assert self._disk is not None
        if (used := self._disk.used()) > self._limits["data"]:
            return f"/data has {used} bytes, more than its {self._limits['data']}"
        if self._disk.is_full():
            return "the device's disk is nearly full"
        return self._memory()

    def _memory(self) -> str:
        """Whether the sandbox's processes have too much memory; nothing where they haven't.

        /dev/shm and /tmp have sizes of their own; shared mappings without a file are what is beyond those.
        """
        most, numbers = self._limits["memory"], self._numbers()
        quick = sum(_field(each, "status", "RssAnon:", "RssShmem:", "VmSwap:") for each in numbers)
        if quick <= most:
            return ""
        own = sum(
            _field(each, "smaps_rollup", "Pss_Anon:", "SwapPss:") for each in numbers
        )  # What forks share, once.
        shared = sum(_field(each, "smaps_rollup", "Pss_Shmem:") for each in numbers)
        used = own + max(0, shared - self._limits["shared"])
        return f"it uses {used} bytes of memory, more than its {most}" if used > most else ""


def _limit_probe() -> None:
    """One that hangs ends by itself, and none leaves a file."""
    resource.setrlimit(resource.RLIMIT_CPU, (PROBE_SECONDS, PROBE_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _threads(number: int) -> list[Path]:
    """A process's threads, as folders of /proc: its first one may be over while others go on."""
    place = Path(f"/proc/{number}")
    try:
        return [place, *(place / "task").iterdir()]
    except OSError:
        return []


def _state(number: int) -> str:
    """A process's state, a letter: of one of its threads that isn't stopped, if there is one."""
    found = "X"
    for each in _threads(number):
        try:
            found = (each / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if found not in STOPPED:
            break
    return found


def _field(number: int, file: str, *names: str) -> int:
    """The sum of some lines of a process's own figures, in bytes; 0 once it is gone.

    Of its first thread that has any: one that is over has none, while the others may have all memory.
    """
    for each in _threads(number):
        try:
            lines = (each / file).read_text().splitlines()
        except OSError:
            continue
        if found := [1024 * int(line.split()[1]) for line in lines if line.startswith(names)]:
            return sum(found)
    return 0


class Disk:
    """What a folder takes: counted by du, which deep trees and locked folders don't stop.

    Files that are open and have no name any more aren't found by it: so what is free on the disk counts, too.
    """

    def __init__(self, folder: str) -> None:
        """Count nothing yet."""
        self._folder = folder
        self._du: subprocess.Popen[bytes] | None = None
        self._found = 0
        self._begun = self._due = 0.0

    @property
    def out(self) -> IO[bytes] | None:
        """What is to be read before :meth:`take`, while something is counted."""
        return self._du.stdout if self._du is not None else None

    @property
    def number(self) -> int:
        """Of the process that counts; 0 when none does."""
        return self._du.pid if self._du is not None else 0

    def take(self) -> None:
        """Take what was counted."""
        assert self._du is not None and self._du.stdout is not None
        counted = self._du.stdout.read().split()
        self._du.stdout.close()
        self._du.wait()
        self._found = int(counted[0]) if counted else self._found
        now = time.monotonic()
        self._du, self._due = None, now + 10 * (now - self._begun)

    def used(self) -> int:
        """Bytes, of the last count: one begins once ten times the time that the last one took is over."""
        now = time.monotonic()
        if self._du is None and now >= self._due:
            self._begun = now
            self._du = subprocess.Popen(
                ["du", "--summarize", "--one-file-system", "--block-size=1", self._folder],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._found

    def is_full(self) -> bool:
        """Whether less than a twentieth is free, of bytes or of files: the machine needs some itself."""
        found = os.statvfs(self._folder)
        return FREE * found.f_bavail < found.f_blocks or FREE * found.f_favail < found.f_files


def _listens(path: str) -> bool:
    """Whether somebody answers at a Unix socket: its file is there a moment before anybody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        return made.connect_ex(path) == 0


def _call(*command: str, given: str = "") -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{command[0]}: {done.stderr.strip() or f'ended with {done.returncode}'}")


def main() -> None:
    """Serve the agent at standard input; whatever happens, end with a line that says what it was."""
    agent = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.set_inheritable(agent.fileno(), False)
    try:
        Init(agent).serve()
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
