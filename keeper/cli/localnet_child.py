"""Commands of ``ionet`` that run beside a network of one's own, in processes of their own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any


async def started(*command: str, environment: Mapping[str, str], log: IO[Any]) -> Process:
    """Start one that writes all it says into ``log``; Ctrl+C is for its parent alone, which ends it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from keeper.cli.main import main; main()", *command),
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def environment_of_others() -> dict[str, str]:
    """This machine's environment, without settings: whoever is given it gets those of another network."""
    return {name: value for name, value in os.environ.items() if not name.startswith("IONET_")}


async def ended(child: Process, seconds: float) -> None:
    """Wait for the end of a process that was asked to end, for so long; then it is killed."""
    try:
        await asyncio.wait_for(child.wait(), seconds)
    except TimeoutError:
        with suppress(ProcessLookupError):  # It has ended just now.
            child.kill()
        await child.wait()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that nobody has, for a process that is started next."""
    with socket.socket(type=kind) as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port
