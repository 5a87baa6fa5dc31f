"""What is installed for renters: one Python and Ray, by a lock that every member of a cluster has.

A runtime is a folder named by the SHA-256 of its lock, which KEYs and tickets say. It is made once, from
files whose hashes the lock has, and is only read afterwards.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from keeper import disk
from keeper.errors import UserError, why

LOCK = Path(__file__).with_name("runtime.lock")
PYTHON = 3, 11
"""The lock is of this Python: Ray's nodes refuse each other's where it differs."""
READY = "ready.json"
INSTALL_SECONDS = 1_800.0


class RuntimeFailed(UserError):
    """The runtime isn't there and can't be made; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """One that is installed."""

    folder: Path
    base: Path
    """Where the Python is that it was made with."""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def folders(self) -> tuple[Path, ...]:
        """What a sandbox has to see of it: /usr it has, without /usr/local.

        Of a Python elsewhere itself, and nothing beside it: that may be in a user's own ~/.local.
        """
        if self.base.is_relative_to("/usr") and not self.base.is_relative_to("/usr/local"):
            return (self.folder,)
        version = ".".join(map(str, PYTHON))
        parts = [self.base / "bin", self.base / "lib" / f"python{version}"]
        return (self.folder, *parts, *sorted((self.base / "lib").glob(f"libpython{version}*.so*")))


def identity() -> bytes:
    """SHA-256 of the lock, 32 bytes."""
    return sha256(LOCK.read_bytes()).digest()


def find(place: Path) -> Runtime | None:
    """The runtime of our lock in a folder of runtimes; None while it isn't whole."""
    folder = place / identity().hex()
    try:
        return Runtime(folder, Path(json.loads((folder / READY).read_text())["base"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def install(place: Path, python: str | None = None) -> Runtime:
    """Make it, unless it is there: minutes, and 300 MB. Raises RuntimeFailed.

    ``python`` is an interpreter of :data:`PYTHON`; by default our own, or what has that version's name.
    """
    if (found := find(place)) is not None:
        return found
    folder, using = place / identity().hex(), python or _python()
    try:
        shutil.rmtree(folder, ignore_errors=True)  # What an earlier try has left.
        folder.parent.mkdir(parents=True, exist_ok=True)
        base = Path(_run([using, "-I", "-c", "import sys; print(sys.base_prefix)"]).strip())
        _run([using, "-m", "venv", str(folder)])
        pip = [str(folder / "bin" / "python"), "-I", "-m", "pip", "install", "--quiet", "--no-input"]
        _run([*pip, "--only-binary", ":all:", "--require-hashes", "-r", str(LOCK)])
        disk.write(folder / READY, [json.dumps({"base": str(base)}).encode()])
    except OSError as error:
        raise RuntimeFailed(f"{folder} can't be made ({why(error)}): make room there") from error
    return Runtime(folder, base)


def _python() -> str:
    if sys.version_info[:2] == PYTHON:
        return sys.executable
    name = ".".join(map(str, PYTHON))
    found = shutil.which(f"python{name}")
    if found is None:
        raise RuntimeFailed(f"renters' Ray is for Python {name}, and there is none here: install it")
    return found


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS, cwd="/"
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeFailed(f"{command[0]} took longer than {INSTALL_SECONDS:.0f} s: try again") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        reason = said[-1] if said else f"it ended with {done.returncode}"
        raise RuntimeFailed(f"the runtime can't be installed: {reason}")
    return done.stdout
