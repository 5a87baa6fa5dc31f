"""Who may write a saved chain: one process at a time, by a lock on a file beside it.

The kernel frees the lock of a process that ended, however it did. The file stays, empty while nobody
holds it: whoever removed it could not know who waits for it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from keeper.chain.errors import ChainLocked, ChainNotSaved
from keeper.errors import why

WAIT_SECONDS = 90.0
"""How long a process that wants to write waits for the one that is writing: a signer may take a minute."""
TRY_SECONDS = 0.05


class FileLock:
    """The right to write the chain that is saved at ``path``."""

    def __init__(self, path: Path) -> None:
        """Hold nothing yet."""
        self._chain = path
        self._path = path.with_name(path.name + ".lock")
        self._file: int | None = None

    def attempts(self) -> Iterator[float]:
        """Get the lock: yields the seconds to wait before each further try, and ends once it is held.

        Logs which process is waited for. Raises ChainLocked after WAIT_SECONDS, ChainNotSaved where the
        lock's file can't be made.
        """
        begun = time.monotonic()
        told = False
        while not self._held():
            who = self._holder()
            if time.monotonic() >= begun + WAIT_SECONDS:
                raise ChainLocked(
                    f"{self._chain}: {who} is still writing to it after {WAIT_SECONDS:g} seconds, so nothing "
                    "was sent: try again once that has ended"
                )
            if not told:
                message = "%s: waiting for %s to write to it, %g seconds at most"
                logging.getLogger(__name__).warning(message, self._chain, who, WAIT_SECONDS)
                told = True
            yield TRY_SECONDS

    def release(self) -> None:
        """Let others write."""
        if self._file is None:
            return
        with suppress(OSError):
            os.ftruncate(self._file, 0)
        os.close(self._file)
        self._file = None

    # -- inside ------------------------------------------------------------------------------

    def _held(self) -> bool:
        """Try once."""
        file = None
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._is_there(file):
                self._file = file
        except BlockingIOError:
            return False
        except OSError as error:
            raise ChainNotSaved(
                f"{self._path}: can't be locked ({why(error)}), so nothing was sent: every process that "
                "writes to a saved chain locks this file, and its folder must allow that"
            ) from error
        finally:
            if file is not None and self._file is None:
                os.close(file)
        if self._file is None:
            return False
        # For people: without it, or with half of it on a full disk, the lock works just as well.
        with suppress(OSError):
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, _myself().encode(), 0)
        return True

    def _is_there(self, file: int) -> bool:
        """Whether what was locked is what others would lock, and nobody has removed it meanwhile."""
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False

    def _holder(self) -> str:
        try:
            return self._path.read_text(errors="replace") or "another process"
        except OSError:
            return "another process"


def _myself() -> str:
    """This process, for people who wait for it."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return f"process {os.getpid()} ({command})"
