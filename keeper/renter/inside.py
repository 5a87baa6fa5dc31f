"""Runs on a node, as a job of the renter's: one transfer of files, or one shell, for whoever has its secret.

It is sent to the cluster as it is, and has nothing but the standard library. It prints the port at which it
waits, takes one connection that begins with the secret, does what that asks for, and ends. A frame is a
letter, a length (u32, big-endian) and so many bytes: J an object of JSON, D data, E the end, X what is wrong,
W a terminal's size, Q an exit code.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import pty
import select
import signal
import socket
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HOME = Path("/data")
SECRET = "IONET_SECRET"
SECRET_BYTES = 32
HEAD = struct.Struct(">cI")
MOST_FRAME = 1 << 20
CHUNK = 1 << 18
WAIT_SECONDS = 60.0
IDLE_SECONDS = 300.0
"""Between two pieces of a transfer; a shell may be idle for as long as its line stands."""
MOST_TRIES = 100


class Wrong(Exception):
    """What can't be done, in words for the renter."""


class Wire:
    """Frames over a connection; used at both ends."""

    def __init__(self, made: socket.socket) -> None:
        """``made`` blocks, with the timeout that it has."""
        self.made = made

    def send(self, kind: bytes, data: bytes = b"") -> None:
        """Send a frame; raises OSError."""
        self.made.sendall(HEAD.pack(kind, len(data)) + data)

    def tell(self, **said: Any) -> None:
        """Send an object."""
        self.send(b"J", json.dumps(said).encode())

    def take(self) -> tuple[bytes, bytes]:
        """The next frame; raises OSError, Wrong for an end in between or a frame that is too long."""
        kind, length = HEAD.unpack(self.exactly(HEAD.size))
        if length > MOST_FRAME:
            raise Wrong("a piece is too long")
        return kind, self.exactly(length)

    def exactly(self, length: int) -> bytes:
        """So many bytes."""
        found = bytearray()
        while len(found) < length:
            piece = self.made.recv(length - len(found))
            if not piece:
                raise Wrong("the connection ended")
            found += piece
        return bytes(found)

    def hear(self, kind: bytes) -> bytes:
        """The next frame, of this kind; raises Wrong with what the other end says is wrong."""
        found, data = self.take()
        if found == b"X":
            raise Wrong(data.decode(errors="replace"))
        if found != kind:
            raise Wrong("another piece comes than is due")
        return data


def read_files(root: Path) -> Iterator[tuple[str, Path, int]]:
    """The plain files at or below a path, in a fixed order: a name with slashes, where it is, its size.

    Links are none: where they lead to is for whoever made them.
    """
    name = root.name
    if root.is_symlink() or not root.exists():
        raise Wrong(f"there is no {root}")
    if root.is_file():
        yield name, root, root.stat().st_size
        return
    for folder, folders, files in os.walk(root):
        folders.sort()
        for each in sorted(files):
            path = Path(folder) / each
            if path.is_file() and not path.is_symlink():
                yield f"{name}/{path.relative_to(root).as_posix()}", path, path.stat().st_size


def send_file(wire: Wire, name: str, path: Path, size: int) -> None:
    """Send a file as it was when it was looked at: cut, or filled up with zeros, should it change."""
    wire.tell(path=name, size=size, executable=bool(path.stat().st_mode & 0o100))
    left = size
    with path.open("rb") as file:
        while left:
            data = file.read(min(CHUNK, left)) or bytes(min(CHUNK, left))
            wire.send(b"D", data)
            left -= len(data)


# -- on the node ---------------------------------------------------------------------------------


def _put(wire: Wire, said: dict[str, Any]) -> None:
    to = HOME / said["to"]
    files = total = 0
    while True:
        kind, data = wire.take()
        if kind == b"E":
            break
        each = json.loads(data)
        path = to / each["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part"[-200:])
        left = each["size"]
        with part.open("wb") as file:
            while left:
                piece = wire.hear(b"D")
                left -= len(piece)
                file.write(piece)
        part.chmod(0o755 if each["executable"] else 0o644)
        part.replace(path)
        files, total = files + 1, total + each["size"]
    wire.tell(files=files, bytes=total)


def _get(wire: Wire, said: dict[str, Any]) -> None:
    found = list(read_files(HOME / said["path"]))
    wire.tell(files=len(found), bytes=sum(size for _, _, size in found))
    for name, path, size in found:
        send_file(wire, name, path, size)
    wire.send(b"E")


def _shell(wire: Wire, said: dict[str, Any]) -> None:
    wire.made.settimeout(None)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(HOME)
        os.environ["TERM"] = said["term"]
        shell = next(each for each in ("/bin/bash", "/bin/sh") if os.path.exists(each))  # noqa: PTH110
        command = [shell, "-c", said["command"]] if said["command"] else [shell]
        os.execv(shell, command)
    _resize(terminal, said["rows"], said["columns"])
    try:
        while True:
            ready = select.select([wire.made.fileno(), terminal], [], [])[0]
            if terminal in ready:
                try:
                    data = os.read(terminal, CHUNK)
                except OSError:  # What a terminal answers whose processes are all gone.
                    data = b""
                if not data:
                    break
                wire.send(b"D", data)
            if wire.made.fileno() in ready:
                kind, data = wire.take()
                if kind == b"D":
                    _write(terminal, data)
                elif kind == b"W":
                    _resize(terminal, *struct.unpack(">HH", data))
    except (Wrong, OSError):
        os.kill(child, signal.SIGHUP)
        raise
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    wire.send(b"Q", struct.pack(">i", code))


def _write(terminal: int, data: bytes) -> None:
    while data:
        data = data[os.write(terminal, data) :]


def _resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _admitted(listener: socket.socket, secret: bytes) -> socket.socket:
    """The first connection that begins with the secret."""
    until = time.monotonic() + WAIT_SECONDS
    for _ in range(MOST_TRIES):
        listener.settimeout(max(0.01, until - time.monotonic()))
        made, _ = listener.accept()
        made.settimeout(10)
        try:
            if hmac.compare_digest(Wire(made).exactly(SECRET_BYTES), secret):
                return made
        except (Wrong, OSError):
            pass
        made.close()
    raise Wrong("too many connections without the secret")


def main() -> None:
    """Serve one connection at the address that is the first argument."""
    secret = bytes.fromhex(os.environ.pop(SECRET))
    with socket.create_server((sys.argv[1], 0)) as listener:
        print(f"PORT {listener.getsockname()[1]}", flush=True)
        made = _admitted(listener, secret)
    made.settimeout(IDLE_SECONDS)
    wire = Wire(made)
    said = json.loads(wire.hear(b"J"))
    try:
        {"put": _put, "get": _get, "shell": _shell}[said["do"]](wire, said)
    except (Wrong, OSError, KeyError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        wire.send(b"X", text.encode())
    made.close()


if __name__ == "__main__":
    main()
