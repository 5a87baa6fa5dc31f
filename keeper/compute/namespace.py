"""A network and a process tree of one's own, made without root; whoever has them may end them by one kill.

``unshare`` makes the namespaces, and :mod:`keeper.compute.nsinit` is their first process, with which this
one talks over a socket pair. It ends with this process, whatever ends that, and all in it with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keeper.errors import UserError

NSINIT = Path(__file__).with_name("nsinit.py")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MAX_MESSAGE = 256 * 1024
ANSWER_SECONDS = 30.0
END_SECONDS = 5.0
TAIL = 64 * 1024
"""Bytes of what was printed that are kept: a renter's code can't fill a disk by printing."""
_CREDENTIALS = struct.Struct("3i")


class SandboxFailed(UserError):
    """A sandbox that couldn't be made, or that doesn't answer."""


class RootRefused(SandboxFailed):
    """Root would be root of a sandbox, too: limits don't hold for it."""


class Namespaces:
    """Made by :meth:`open`; :meth:`end` is the last call."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, log: int) -> None:
        """Of :meth:`open` alone."""
        self._process = process
        self._control = control
        self._lock = asyncio.Lock()
        self._answers = asyncio.Queue[tuple[dict[str, Any], list[int]] | None]()
        self._loop = asyncio.get_running_loop()
        self._log = log
        self._asked = 0
        self._tail = b""
        self._first = -1
        """A descriptor of the first process inside, which the kernel makes ready once all in it is gone."""
        self.over = self._loop.create_future()
        """Why it ended by itself; done as well once :meth:`end` has been called."""
        self._loop.add_reader(control, self._read)
        self._loop.add_reader(log, self._print)

    @classmethod
    async def open(cls, *, user: int | None = None, python: str = sys.executable) -> Namespaces:
        """Make them, as the user with the number ``user`` if this is root. Raises SandboxFailed.

        ``python`` runs nsinit, and can be read by that user.
        """
        if os.geteuid() == 0 and not user:
            raise RootRefused("run the worker as a user of its own, not as root: limits don't hold for root")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log, end = os.pipe()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        spaces = ["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--mount-proc"]
        program = os.open(NSINIT, os.O_RDONLY)  # Another user may not see the folder that it is in.
        command = ["unshare", *spaces, "--kill-child", python, "-I", "-S", "-B", f"/dev/fd/{program}"]
        try:
            process = subprocess.Popen(  # noqa: ASYNC220 - a fork, and nothing is waited for
                command,
                stdin=theirs.fileno(),
                stdout=end,
                stderr=end,
                env={"PATH": PATH},
                cwd="/",
                pass_fds=[program],
                user=user,
                group=user,
                extra_groups=[] if user else None,
            )
        except OSError as error:
            ours.close()
            os.close(log)
            raise SandboxFailed(
                f"unshare can't be run ({error.strerror}): apt-get install util-linux"
            ) from error
        finally:
            theirs.close()
            os.close(end)
            os.close(program)
        os.set_blocking(log, False)
        ours.setblocking(False)
        made = cls(process, ours, log)
        try:
            await made.ask("hello")
        except BaseException:
            await made.end()
            raise
        return made

    async def ask(self, do: str, handed: Sequence[int] = (), **said: Any) -> list[int]:
        """Have nsinit do something; the descriptors that it gave. Raises SandboxFailed with its reason."""
        async with self._lock:
            if self.over.done():
                raise SandboxFailed(f"the sandbox has ended: {self.over.result()}")
            self._asked += 1
            question = json.dumps({"do": do, "n": self._asked, **said}).encode()
            try:
                socket.send_fds(self._control, [question], list(handed))
                async with asyncio.timeout(ANSWER_SECONDS):
                    found = await self._answer()
            except (OSError, TimeoutError) as error:
                raise SandboxFailed(f"the sandbox doesn't answer; it printed: {self.tail}") from error
        if found is None:
            raise SandboxFailed(f"the sandbox can't be made; it printed: {self.tail}")
        answer, descriptors = found
        if not answer["ok"]:
            raise SandboxFailed(f"the sandbox can't be made: {answer['why']}")
        return descriptors

    async def socket(self, kind: str) -> socket.socket:
        """A ``udp`` or ``tcp`` socket of the network inside, not bound; for asyncio, so it doesn't block."""
        (descriptor,) = await self.ask("socket", kind=kind)
        made = socket.socket(fileno=descriptor)
        made.setblocking(False)
        return made

    @property
    def tail(self) -> str:
        """The last of what all inside printed; as text, since a renter's code prints to it, too."""
        text = self._tail.decode(errors="replace").strip()
        return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)

    def processes(self) -> list[int]:
        """The numbers here of ``unshare`` and of all processes below it."""
        found = [self._process.pid]
        for each in found:
            try:
                said = Path(f"/proc/{each}/task/{each}/children").read_text()
            except OSError:
                continue
            found += [int(number) for number in said.split()]
        return found

    async def end(self) -> None:
        """Kill all that is inside, and return once the kernel has nothing of it; again is as once."""
        if self._control.fileno() < 0:
            return
        if not self.over.done():
            self.over.set_result("it was ended")
        self._loop.remove_reader(self._control)
        self._control.close()
        self._process.kill()
        await asyncio.to_thread(self._gone)
        self._loop.remove_reader(self._log)
        os.close(self._log)

    # -- inside ----------------------------------------------------------------------------------

    async def _answer(self) -> tuple[dict[str, Any], list[int]] | None:
        """The answer to the last question; one to an earlier question, which nobody waits for, is dropped."""
        while True:
            found = await self._answers.get()
            if found is None or found[0]["n"] == self._asked:
                return found
            for each in found[1]:
                os.close(each)

    def _gone(self) -> None:
        """Wait for ``unshare``, and for the first process inside, whose end is every other one's."""
        self._process.wait()
        if self._first >= 0:
            poll = select.poll()
            poll.register(self._first, select.POLLIN)
            gone = poll.poll(1_000 * END_SECONDS)
            os.close(self._first)
            self._first = -1
            if not gone:
                raise SandboxFailed("the kernel doesn't end a sandbox's processes: restart the machine")

    def _read(self) -> None:
        try:
            data, parts, _, _ = self._control.recvmsg(MAX_MESSAGE, socket.CMSG_LEN(16 * 4) + 64)
        except BlockingIOError:
            return
        except OSError:
            data, parts = b"", []
        descriptors: list[int] = []
        for level, kind, part in parts:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors += [n for (n,) in struct.iter_unpack("i", part[: len(part) - len(part) % 4])]
            elif kind == socket.SCM_CREDENTIALS and self._first < 0 and data:
                number, *_ = _CREDENTIALS.unpack(part[: _CREDENTIALS.size])
                self._first = os.pidfd_open(number)
        said = json.loads(data) if data else {"over": "its first process ended"}
        if "over" not in said:
            self._answers.put_nowait((said, descriptors))
            return
        self._loop.remove_reader(self._control)
        if not self.over.done():
            self.over.set_result(said["over"])
        self._answers.put_nowait(None)

    def _print(self) -> None:
        try:
            data = os.read(self._log, TAIL)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._log)
        self._tail = (self._tail + data)[-TAIL:]
