"""A service whose system gives it too few file descriptors says so before it serves."""

from __future__ import annotations

import subprocess
import sys

from keeper.operator.descriptors import RESERVE

TRY = """
import resource, sys
from keeper.operator.descriptors import TooFewDescriptors, require_descriptors
soft, hard, connections = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
try:
    require_descriptors(connections)
except TooFewDescriptors as error:
    print(error)
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def tried(soft: int, hard: int, connections: int) -> list[str]:
    """In a process of its own, as a limit that was lowered stays so."""
    command = [sys.executable, "-c", TRY, *map(str, (soft, hard, connections))]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_limit_is_raised_as_far_as_is_needed() -> None:
    assert tried(700, 4_000, 1_000) == [f"{1_000 + RESERVE} 4000"]
    assert tried(3_000, 4_000, 1_000) == ["3000 4000"], "and never lowered"
    assert tried(700, 1_000 + RESERVE, 1_000) == [f"{1_000 + RESERVE} {1_000 + RESERVE}"]


def test_too_few_are_an_error_that_says_what_to_do() -> None:
    error, limits = tried(700, 999 + RESERVE, 1_000)
    assert limits == f"700 {999 + RESERVE}"
    assert f"takes {1_000 + RESERVE} file descriptors" in error
    assert f"gives this process {999 + RESERVE}: raise that (LimitNOFILE={1_000 + RESERVE}" in error
    assert error.endswith("or set IONET_POW_CONNECTIONS to 999 at most")
