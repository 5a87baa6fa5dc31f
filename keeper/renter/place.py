"""What a renter's machine keeps of a cluster: ``~/.ionet/clusters/ORDER/``, for its owner alone.

The X25519 key, which is WireGuard's, is made once and kept, unless a device posts a copy of it: boards name
it, and another one takes a message. The token is the cluster's and changes with its head.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nacl.public import PrivateKey
from solders.pubkey import Pubkey

from keeper.errors import UserError, why

HOME = Path("~/.ionet/clusters")
KEY, TOKEN, LOCK, DOOR = "key", "token", "lock", "door"
KEY_BYTES = 32


class PlaceUnusable(UserError):
    """A folder that can't be written, or that others can read."""


class ConnectedAlready(UserError):
    """Another process is connected to the cluster: with two of them neither would hear all answers."""


class NotConnected(UserError):
    """No process of this machine is connected to the cluster."""


class Place:
    """The folder of one order."""

    def __init__(self, order: Pubkey, home: Path = HOME) -> None:
        """Nothing is made yet."""
        self.order = order
        self.folder = Path(os.path.expanduser(home)) / str(order)  # noqa: PTH111 - one's own fails without a home

    def make(self) -> None:
        """Make the folder; raises PlaceUnusable."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.folder.stat()
        except OSError as error:
            raise PlaceUnusable(f"{self.folder} can't be made ({why(error)}): make room there") from error
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise PlaceUnusable(f"{self.folder} is open to others, and will have a key: chmod 700 it")

    @property
    def token_file(self) -> Path:
        """Where the token is, in hexadecimal, for Ray's own tools: RAY_AUTH_TOKEN_PATH."""
        return self.folder / TOKEN

    def key(self) -> PrivateKey:
        """The key, made the first time; raises PlaceUnusable."""
        self.make()
        path = self.folder / KEY
        try:
            try:
                return PrivateKey(bytes.fromhex(path.read_text()))
            except FileNotFoundError:
                return self.another_key()
        except (OSError, ValueError) as error:
            reason = f"{path} has no key ({why(error)}): delete it, and another one is made and posted"
            raise PlaceUnusable(reason) from error

    def another_key(self) -> PrivateKey:
        """A new key in place of the one that was kept; raises PlaceUnusable."""
        made = PrivateKey.generate()
        try:
            self._write(KEY, bytes(made).hex())
        except OSError as error:
            raise PlaceUnusable(f"{self.folder} can't be written ({why(error)}): make room") from error
        return made

    def token(self) -> str:
        """The token, as it was last kept; raises NotConnected."""
        try:
            return self.token_file.read_text().strip()
        except OSError as error:
            raise NotConnected(f"there is no token yet: ionet cluster connect {self.order}") from error

    def keep_token(self, token: bytes | None) -> None:
        """Keep the token, None where there is none any more; raises PlaceUnusable."""
        try:
            if token is None:
                self.token_file.unlink(missing_ok=True)
            elif not self.token_file.exists() or self.token_file.read_text() != token.hex():
                self._write(TOKEN, token.hex())
        except OSError as error:
            raise PlaceUnusable(f"{self.token_file} can't be written ({why(error)}): make room") from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the one process that is connected; raises ConnectedAlready, PlaceUnusable."""
        self.make()
        try:
            lock = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise PlaceUnusable(f"{self.folder} can't be written ({why(error)}): make room") from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                reason = f"another process of this machine is connected to {self.order}: use it, or end it"
                raise ConnectedAlready(reason) from error
            yield
        finally:
            os.close(lock)

    @contextmanager
    def door(self) -> Iterator[socket.socket]:
        """A Unix socket at which the process that is connected answers others of the same user."""
        with self._short(DOOR) as path:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                with suppress(FileNotFoundError):
                    (self.folder / DOOR).unlink()
                made.bind(path)
                (self.folder / DOOR).chmod(0o600)
                made.listen(64)
                made.setblocking(False)
                yield made
            finally:
                made.close()
                with suppress(OSError):
                    (self.folder / DOOR).unlink()

    def knock(self, seconds: float) -> socket.socket:
        """A connection to that process; raises NotConnected."""
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(seconds)
        try:
            with self._short(DOOR) as path:
                made.connect(path)
        except OSError as error:
            made.close()
            reason = f"nothing here is connected to the cluster: ionet cluster connect {self.order}"
            raise NotConnected(reason) from error
        return made

    # -- inside ----------------------------------------------------------------------------------

    @contextmanager
    def _short(self, name: str) -> Iterator[str]:
        """A name of a socket in the folder that fits into the 107 bytes which it may have."""
        folder = os.open(self.folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield f"/proc/self/fd/{folder}/{name}"
        finally:
            os.close(folder)

    def _write(self, name: str, text: str) -> None:
        """Whole or not at all, and never for others to read."""
        part = self.folder / f".{name}.part"
        with suppress(FileNotFoundError):
            part.unlink()
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.folder / name)
