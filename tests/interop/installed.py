"""Each client's packages, by the lock file in its folder; installed once, and again when that changes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import venv
from pathlib import Path

from toolchain import web

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

    Raises toolchain.calls.Failed with npm's words when they can't be had.
    """
    web.install(CLIENTS / name)
    return CLIENTS / name


def python() -> Path:
    """The Python of anchorpy's own environment, by its lock; raises RuntimeError with pip's words."""
    folder = CLIENTS / "anchorpy"
    found, lock, ready = folder / ".venv/bin/python", folder / "requirements.lock", folder / ".ready"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if ready.is_file() and ready.read_text() == digest:
        return found
    venv.create(folder / ".venv", clear=True, with_pip=True)
    command = [str(found), "-m", "pip", "install", "-q", "--require-hashes", "-r", lock.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            "anchorpy: pip failed; it needs the package registry, or a mirror in pip's own settings\n"
            f"{done.stdout}{done.stderr}"
        )
    ready.write_text(digest)
    return found
