"""Environments of their own for what a bench compares with: their packages aren't the project's."""

from __future__ import annotations

import hashlib
import subprocess
import venv
from pathlib import Path

HERE = Path(__file__).parent
LOCKS = {
    # The same packages as the tests of that client have.
    "anchorpy": HERE.parent / "tests/interop/clients/anchorpy/requirements.lock",
    "ortools": HERE / "ortools.lock",
}
"""By which hashes each environment is made."""


def python_of(name: str) -> Path:
    """Make an environment, unless it is there, by its lock; its Python."""
    lock, environment = LOCKS[name], HERE / f".venv-{name}"
    python, ready = environment / "bin/python", environment / "ready"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not ready.is_file() or ready.read_text() != digest:
        venv.create(environment, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(lock)]
        subprocess.run(install, check=True)
        ready.write_text(digest)
    return python
