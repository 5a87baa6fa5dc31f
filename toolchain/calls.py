"""Other programs, run by what builds and checks this project."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class Failed(Exception):
    """Something isn't as it should be; the message says what."""


def call(command: Sequence[str | Path], folder: Path, settings: Mapping[str, str] | None = None) -> str:
    """Run a tool in a folder, with ``settings`` beside this process' own; returns its stdout.

    Raises Failed with its output, and FileNotFoundError where there is no such tool.
    """
    environment = {**os.environ, **(settings or {})}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        words = " ".join(map(str, command))
        raise Failed(f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def tell(what: str, began: float) -> None:
    """Print what is done and how long it took, since ``began`` on the monotonic clock."""
    print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)
