"""A shell on a node in this terminal: what is typed goes there as it is typed, and what comes is shown."""

from __future__ import annotations

import os
import select
import shutil
import signal
import struct
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from keeper.renter.helping import NodeSilent
from keeper.renter.inside import CHUNK, Wire, Wrong

END_OF_INPUT = b"\x04"
"""What a terminal makes of Ctrl+D: nobody types any more."""


def shell(wire: Wire, command: str = "", stdin: int = 0, stdout: int = 1) -> int:
    """Run a shell, or a command in one, until it ends; its exit code. Raises NodeSilent.

    ``stdin`` and ``stdout`` are descriptors; a terminal is given back as it was.
    """
    columns, rows = shutil.get_terminal_size()
    wire.tell(do="shell", command=command, term=os.environ.get("TERM", "dumb"), rows=rows, columns=columns)
    wire.made.settimeout(None)
    try:
        with _raw(stdin), _resized(wire):
            return _run(wire, stdin, stdout)
    except (OSError, Wrong) as error:
        raise NodeSilent(f"the shell ended: {error}") from error


def _run(wire: Wire, stdin: int, stdout: int) -> int:
    waiting = [wire.made.fileno(), stdin]
    while True:
        ready = select.select(waiting, [], [])[0]
        if stdin in ready:
            typed = os.read(stdin, CHUNK)
            wire.send(b"D", typed or END_OF_INPUT)
            if not typed:
                waiting.remove(stdin)
        if wire.made.fileno() in ready:
            kind, data = wire.take()
            if kind == b"Q" and len(data) == 4:  # noqa: PLR2004 - an i32
                code: int = struct.unpack(">i", data)[0]
                return code
            if kind == b"X":
                raise Wrong(data.decode(errors="replace"))
            if kind != b"D":
                raise Wrong("another piece comes than is due")
            while data:
                data = data[os.write(stdout, data) :]


@contextmanager
def _raw(stdin: int) -> Iterator[None]:
    """Have a terminal hand on each key as it is, Ctrl+C too."""
    if not os.isatty(stdin):
        yield
        return
    before = termios.tcgetattr(stdin)
    tty.setraw(stdin)
    try:
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


@contextmanager
def _resized(wire: Wire) -> Iterator[None]:
    def tell(_: int, __: FrameType | None) -> None:
        columns, rows = shutil.get_terminal_size()
        wire.send(b"W", struct.pack(">HH", rows, columns))

    before = signal.signal(signal.SIGWINCH, tell)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
