"""Wheels for a device's Python, by the hashes of locks: kept on this machine, fetched once."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLACE = Path("/var/tmp") / f"ionet-wheels-{os.getuid()}"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64")


def numpy_wheel() -> Path:
    """Where it is; without it a test is skipped, or fails in CI."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    begins = next(n for n, line in enumerate(lines) if line.startswith("numpy==") and "< '3.12'" in line)
    ends = next(n for n in range(begins, len(lines)) if not lines[n].endswith("\\"))
    version = lines[begins].split()[0].removeprefix("numpy==")
    PLACE.mkdir(exist_ok=True)
    if not (there := list(PLACE.glob(f"numpy-{version}-cp311-*.whl"))):
        (PLACE / "numpy.txt").write_text("\n".join(lines[begins : ends + 1]))
        _fetch("numpy", PLACE / "numpy.txt", PLACE)
        there = list(PLACE.glob(f"numpy-{version}-cp311-*.whl"))
    return there[0]


def notebook_wheels() -> list[Path]:
    """jupyter-server and ipykernel with all that they need; without them as above."""
    lock = Path(__file__).with_name("notebook.lock")
    place = PLACE / f"notebook-{sha256(lock.read_bytes()).hexdigest()[:16]}"
    if not place.exists():
        PLACE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=PLACE) as folder:
            _fetch("Jupyter", lock, Path(folder) / "made")
            (Path(folder) / "made").rename(place)
    return sorted(place.glob("*.whl"))


def _fetch(what: str, lock: Path, place: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--python-version", "3.11", "--dest", str(place)]
    for each in PLATFORMS:
        command += ["--platform", each]
    done = subprocess.run([*command, "-r", str(lock)], capture_output=True, check=False)
    if done.returncode:
        if os.environ.get("IONET_REQUIRE_COMPUTE") == "1":
            pytest.fail(f"IONET_REQUIRE_COMPUTE=1, and {what} can't be fetched: {done.stderr.decode()}")
        pytest.skip(f"{what} can't be fetched")
