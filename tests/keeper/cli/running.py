"""``ionet localnet`` in a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 1_800
"""Only a process that hangs takes so long."""


@contextmanager
def localnet(
    *options: str, rpc: str = "127.0.0.1:0", until: str = "clock advance"
) -> Iterator[tuple[str, str]]:
    """``ionet localnet`` in this folder until the end of the block, when it is told to stop.

    Gives where it answers, and all that it has said by then.
    """
    code = "from keeper.cli.main import main; main()"
    command = [sys.executable, "-c", code, "localnet", "--rpc", rpc, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if until in line:
                    break
            found = re.search(r"http://127\.0\.0\.1:\d+", "".join(said))
            assert found, "".join(said)
            yield found[0], "".join(said)
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait(SECONDS) == 0, rest


@contextmanager
def pages(chain: Path, folder: Path, rpc: str = "127.0.0.1:0") -> Iterator[tuple[str, str]]:
    """The same with pages of a saved chain, whose clock stands still; gives their URL and the node's."""
    place = "--chain", str(chain), "--web", "0", "--folder", str(folder), "--speed", "0"
    with localnet(*place, rpc=rpc, until="Pages of it") as (node, said):
        (web,) = re.findall(r"Pages of it: (http://127\.0\.0\.1:\d+)/", said)
        yield web, node


def until(what: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < end
        time.sleep(0.1)


def typed(said: str, command: str) -> list[str]:
    """The arguments of a command that a network says is worth a try."""
    line = next(each for each in said.splitlines() if f" {command} " in each)
    return [each.strip("'") for each in re.findall(r"'[^']*'|\S+", line[line.index(command) :])]
