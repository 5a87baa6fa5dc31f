"""Real sandboxes for tests: as another user where this is root, skipped with the reason where they can't be.

IONET_REQUIRE_COMPUTE=1, which CI sets, makes such a skip a failure.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import NoReturn

import pytest
from nacl.public import PrivateKey

from keeper.compute.namespace import Namespaces
from keeper.compute.overlay import Overlay
from keeper.compute.sandbox import Job, Limits, Sandbox
from keeper.compute.tools import lacking

USER = 61_234 if os.geteuid() == 0 else None
"""Nobody's number: there need not be such a user."""
PYTHON = "/usr/bin/python3"
"""Inside, too: it is the machine's own."""
MIB = 1 << 20
LIMITS = Limits(memory=256 * MIB, shared=8 * MIB, scratch=16 * MIB, data=64 * MIB, processes=120)
ADDRESS = IPv4Address("10.3.4.5")


def require() -> None:
    """Skip, or fail in CI, where no sandbox can be made."""
    if lacks := lacking(USER):
        give_up("; ".join(f"{each.what}: {each.do}" for each in lacks))


def give_up(reason: str) -> NoReturn:
    """Skip, or fail in CI."""
    if os.environ.get("IONET_REQUIRE_COMPUTE") == "1":
        pytest.fail(f"IONET_REQUIRE_COMPUTE=1, and {reason}")
    pytest.skip(reason)


@contextmanager
def folder() -> Iterator[Path]:
    """A lease's folder, of the user that sandboxes are of."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ionet-test-") as name:
        if USER:
            os.chown(name, USER, USER)
        yield Path(name) / "lease"


@asynccontextmanager
async def sandbox(address: IPv4Address = ADDRESS) -> AsyncIterator[tuple[Sandbox, Overlay]]:
    """One with a network, in which nothing runs yet; all of it is gone afterwards."""
    with folder() as place:
        spaces = await Namespaces.open(user=USER, python=PYTHON)
        made = Sandbox(spaces, place, USER)
        overlay = Overlay(spaces, PrivateKey.generate(), address)
        try:
            await overlay.up()
            yield made, overlay
        finally:
            overlay.close()
            await made.end()
            assert not place.exists()


def job(code: str, *arguments: str, limits: Limits = LIMITS) -> Job:
    """Python code as what is run."""
    return Job([PYTHON, "-I", "-S", "-c", code, *arguments], {"RENTED": "1"}, (), limits)


def alive(marker: str) -> list[int]:
    """Processes of the whole machine that have ``marker`` on their command line."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                line = (each / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in line and int(each.name) != os.getpid():
                found.append(int(each.name))
    return found
