"""Each client's packages, by the lock file in its folder; installed once, and again when that changes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import venv
from pathlib import Path

CLIENTS = Path(__file__).parent / "clients"
NODE = 20
"""The oldest version that all of them run on."""


def lacking() -> str | None:
    """What is missing on this machine, and what to do; None when nothing is."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return f"node and npm are not installed: install Node.js {NODE} or newer (nodejs.org)"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < NODE:
        return f"node {version} is too old: install Node.js {NODE} or newer (nodejs.org)"
    return None


def packages(name: str) -> Path:
    """The folder of a client with its ``node_modules``, as its package-lock.json says.

    Raises RuntimeError with npm's words when they can't be had.
    """
    folder = CLIENTS / name
    if not _is_ready(folder, "package-lock.json"):
        _install(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)
        _make_ready(folder, "package-lock.json")
    return folder


def python() -> Path:
    """The Python of anchorpy's own environment, by its requirements.lock; raises RuntimeError as above."""
    folder = CLIENTS / "anchorpy"
    environment = folder / ".venv"
    if not _is_ready(folder, "requirements.lock"):
        venv.create(environment, clear=True, with_pip=True)
        pip = [str(environment / "bin/python"), "-m", "pip", "install", "-q", "--require-hashes"]
        _install([*pip, "-r", "requirements.lock"], folder)
        _make_ready(folder, "requirements.lock")
    return environment / "bin/python"


def _install(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{folder.name}: {' '.join(command[:3])} failed; it needs the package registry, or a mirror in "
            f"npm's or pip's own settings\n{done.stdout}{done.stderr}"
        )


def _is_ready(folder: Path, lock: str) -> bool:
    ready = folder / ".ready"
    return ready.is_file() and ready.read_text() == _digest(folder / lock)


def _make_ready(folder: Path, lock: str) -> None:
    (folder / ".ready").write_text(_digest(folder / lock))


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
