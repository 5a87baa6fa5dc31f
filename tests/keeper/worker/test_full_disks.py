"""A device whose disk fills up in any state of its lease: a real small one, to its last byte.

What isn't on the disk isn't done or said; with room again it goes on, and nothing of the renter's is left.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from keeper.compute.bodies import Kind
from keeper.compute.states import AgentState
from keeper.economy.calendar import HOUR
from keeper.worker.serving.book import ServiceBook
from keeper.worker.state import Enrolment, StateError, Store
from tests.keeper.worker.hiring import (
    ACTIVE,
    DRAINING,
    IDLE,
    JOINING,
    PREPARING,
    RESTARTING,
    Field,
    HiredSite,
    close,
    lease,
    reach,
)
from tests.programs.world import key

DISK = 2 << 20
STATES = [IDLE, PREPARING, JOINING, ACTIVE, RESTARTING, DRAINING]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here: that takes root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
async def field(disk: Path) -> AsyncIterator[Field]:
    """Two devices' folders on it; a supplier lets workers end leases."""
    found = Field(disk, ["one", "two"], may_end=True)
    await found.begin()
    yield found
    await close(found)


def fill(field: Field) -> None:
    """Leave no byte; what SQLite has for its own next lines, too."""
    for size in (1 << 16, 1 << 12, 1):
        with suppress(OSError), (field.folder / "filler").open("ab", 0) as file:
            while file.write(bytes(size)):
                pass


def on_disk(field: Field) -> tuple[AgentState, int]:
    """How far the first device is, as another process reads it."""
    one = field.sites["one"]
    store = Store(one.store.folder, alone=False)
    try:
        found = ServiceBook(store).service(one.devices[0].address)
    finally:
        store.close()
    return found.agent.state, found.agent.tries


async def turns(field: Field, one: HiredSite, times: int) -> int:
    """Go on; how often the disk refused what had to be on it."""
    refused = 0
    for _ in range(times):
        try:
            await one.look()
        except StateError:
            refused += 1
        try:
            await one.hired.turn()
            await one.hired.settle()
            await asyncio.sleep(0)
            await one.hired.turn()
        except StateError:
            refused += 1
        agent = one.hired.service.agent
        assert (agent.state, agent.tries) == on_disk(field), "nothing is ahead of the disk"
        field.world.chain.advance(6)
    return refused


@pytest.mark.parametrize("state", STATES)
async def test_full_in_any_state_it_does_nothing_that_is_not_kept_and_goes_on_with_room(
    state: AgentState, field: Field
) -> None:
    order = field.world.order(key("renter"), devices=1)
    one = field.sites["one"]
    if state is IDLE:
        field.world.match(order, "one")
    else:
        await reach(field, order, state)
    assert one.state is state
    fill(field)
    calls = list(one.host.calls)
    refused = await turns(field, one, 4)
    assert bool(refused) is (state in (JOINING, RESTARTING)), "the states in which a step is due"
    if state is IDLE:
        assert one.host.calls == calls and field.said(order) == [], "what it can't note it doesn't take up"
    if state is ACTIVE:
        assert one.state is ACTIVE and await one.beat() == 3, "a node that runs needs no disk of its agent's"
    (field.folder / "filler").unlink()
    one.host.stays, one.host.ended = False, ""
    await field.turns(8)
    assert one.state is (IDLE if state is DRAINING else ACTIVE)
    assert field.said(order).count(Kind.KEY) == 1
    field.world.end(order, "one", key("renter"))
    await field.turns(3)
    assert (one.state, list(one.host.folder.iterdir())) == (IDLE, [])


@pytest.mark.parametrize("state", [PREPARING, ACTIVE, RESTARTING])
async def test_full_at_a_lease_s_end_no_sandbox_is_left_and_none_is_made(
    state: AgentState, field: Field
) -> None:
    """Its end can't be noted, and the renter's code is ended all the same; with room nothing is taken up."""
    order = field.world.order(key("renter"), devices=1)
    one = await reach(field, order, state)
    if state is not PREPARING:
        assert lease(field, order).start
    fill(field)
    field.world.end(order, "one", key("renter"))
    await turns(field, one, 6)
    assert one.state is state
    assert one.host.node is None and (one.host.address is None or state is PREPARING)
    opened = one.host.calls.count("open")
    (field.folder / "filler").unlink()
    await field.turns(3)
    assert (one.state, one.host.address, list(one.host.folder.iterdir())) == (IDLE, None, [])
    assert one.host.calls.count("open") == opened


async def test_killed_on_a_full_disk_it_begins_again_once_there_is_room(field: Field) -> None:
    order = field.world.order(key("renter"), devices=1)
    await reach(field, order, ACTIVE)
    fill(field)
    await field.sites["one"].kill()
    told = pytest.raises(StateError, match="make room there")
    with told, closing(Store(field.folder / "one")) as store:
        store.enrol(Enrolment(key("one").pubkey(), 1, 0, 4, "numpy", 1))
    (field.folder / "filler").unlink()
    field.sites["one"] = field.site("one")
    await field.begin("one")
    await field.turns(6)
    assert field.sites["one"].state is ACTIVE
    field.world.chain.warp_to(lease(field, order).start + 2 * HOUR)
    assert await field.sites["one"].beat() == 3
