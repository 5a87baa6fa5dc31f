"""A rented cluster beside tests of commands: on a loop of its own, a chain in a file, a renter's key."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO

from keeper.compute import runtime
from tests.keeper.compute.booting import NotBooted
from tests.keeper.renter.hired import Hired, hired, served

IONET = Path(sys.executable).with_name("ionet")
TRIES = 3
NOTEBOOK = 8888
"""The port of a notebook server on the head, which is forwarded."""
ENDING = 300
"""Seconds in which a connection that is interrupted has ended, however slow the machine is."""


class Rented:
    """A cluster of two nodes, and what a renter's commands have to know of it."""

    def __init__(self, folder: Path, installed: runtime.Runtime) -> None:
        self.folder, self._installed = folder, installed
        self._stop, self._ready = asyncio.Event(), threading.Event()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._failed: list[BaseException] = []
        self.here: Hired
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Rented:
        self._thread.start()
        self._ready.wait()
        if self._failed:
            raise self._failed[0]
        return self

    def __exit__(self, *error: object) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self.loop.close()

    @property
    def order(self) -> str:
        return str(self.here.order.address)

    @property
    def place(self) -> Path:
        return self.folder / ".ionet/clusters" / self.order

    def _run(self) -> None:
        try:
            self.loop.run_until_complete(self._serve())
        except BaseException as error:
            self._failed.append(error)
            self._ready.set()

    async def _serve(self) -> None:
        # Ray gives its own processes half a minute; then an agent would start them anew, as is done here.
        for attempt in range(TRIES):
            folder = self.folder / str(attempt)
            folder.mkdir()
            async with hired(folder) as self.here, AsyncExitStack() as stack:
                try:
                    await stack.enter_async_context(served(self.here, self._installed, "one", "two"))
                except NotBooted:
                    if attempt + 1 == TRIES:
                        raise
                    continue
                self._write()
                self._ready.set()
                await self._stop.wait()
                return

    def _write(self) -> None:
        chain, key = self.folder / "network.chain", self.folder / "renter.json"
        self.here.world.chain.save(chain)
        key.touch(0o600)
        key.write_text(json.dumps(list(bytes(self.here.renter))))
        self.environment = {
            "HOME": str(self.folder),
            "IONET_CHAIN": str(chain),
            "IONET_KEYPAIR": str(key),
            "IONET_OPERATORS": json.dumps(self.here.urls),
        }


class Connected:
    """``ionet cluster connect`` in a process of its own, from when it is connected to its end."""

    def __init__(self, rented: Rented) -> None:
        self._environment = {
            **os.environ,
            **rented.environment,
            "TERM": "dumb",
            "COLUMNS": "80",
            "LINES": "24",
        }
        with socket.create_server(("127.0.0.1", 0)) as tried:
            self.notebook = int(tried.getsockname()[1])
        ports = ["--jobs", "0", "--port", f"{self.notebook}:{NOTEBOOK}", "--egress"]
        self.process = subprocess.Popen(
            # A shell's background commands, such as these tests may be one of, ignore Ctrl+C.
            ["env", "--default-signal=INT", IONET, "cluster", "connect", rented.order, *ports],
            env=self._environment,
            cwd=rented.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.said = [self.process.stdout.readline().strip() for _ in range(3)]

    def typed(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of ``ionet cluster``, with a text at its standard input."""
        command = [IONET, "cluster", *arguments]
        environment = self._environment
        return subprocess.run(
            command, env=environment, input=text, capture_output=True, text=True, check=False
        )

    def begun(self, *arguments: str, out: IO[str] | int = subprocess.PIPE) -> subprocess.Popen[str]:
        """Another command of ``ionet cluster`` that has begun."""
        command = [IONET, "cluster", *arguments]
        return subprocess.Popen(
            command,
            env=self._environment,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def interrupt(self) -> tuple[int, str]:
        """Ctrl+C: its exit code, and what it told people."""
        self.process.send_signal(signal.SIGINT)
        _, told = self.process.communicate(timeout=ENDING)
        return self.process.returncode, told
