"""numpy's wheel for a device's Python, by the hash of our own lock: kept on this machine, fetched once."""

from __future__ import annotations

import os
import subprocess
import sys
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
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--only-binary", ":all:", "--python-version", "3.11", "--dest", str(PLACE)]
        for each in PLATFORMS:
            command += ["--platform", each]
        done = subprocess.run([*command, "-r", str(PLACE / "numpy.txt")], capture_output=True, check=False)
        if done.returncode:
            if os.environ.get("IONET_REQUIRE_COMPUTE") == "1":
                pytest.fail(f"IONET_REQUIRE_COMPUTE=1, and numpy can't be fetched: {done.stderr.decode()}")
            pytest.skip("numpy's wheel can't be fetched")
        there = list(PLACE.glob(f"numpy-{version}-cp311-*.whl"))
    return there[0]
