"""Orders and leases, read in a process of its own: what has changed, and nothing lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keeper.chain import ChainError
from keeper.operator.clusters import reading
from keeper.operator.clusters.directory import Directory
from keeper.operator.clusters.reading import Apart, Changes, Here
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key


@pytest.fixture
def world() -> OrdersWorld:
    return OrdersWorld.with_two_devices()


def counts(found: dict[str, Changes]) -> list[tuple[int, int]]:
    return [(len(found[kind].changed), len(found[kind].gone)) for kind in ("Lease", "Order")]


async def test_what_has_changed_is_told_once(world: OrdersWorld) -> None:
    here = Here(world.chain)
    assert counts(await here.read()) == [(0, 0), (0, 0)]
    order = world.order(key("renter"))
    world.run(order, "one")
    assert counts(await here.read()) == [(1, 0), (1, 0)]
    assert counts(await here.read()) == [(0, 0), (0, 0)]
    world.run(order, "two")
    assert counts(await here.read()) == [(1, 0), (1, 0)]
    world.end(order, "one", key("renter"))
    assert counts(await here.read()) == [(1, 0), (1, 0)]


async def test_a_process_of_its_own_tells_the_same_also_after_it_died(
    world: OrdersWorld, tmp_path: Path
) -> None:
    order = world.order(key("renter"))
    world.run(order, "one")
    path = tmp_path / "network.chain"
    world.chain.save(path)
    apart = Apart(str(path))
    directory = Directory(world.chain, apart)
    try:
        await directory.refresh()
        assert [each.device for each in directory.running()] == [world.lease(order, "one").device]
        assert counts(await apart.read()) == [(0, 0), (0, 0)]
        apart._answers -= 1  # An answer that never came here.
        assert counts(await apart.read()) == [(1, 0), (1, 0)]
        assert apart._pool is not None
        (process,) = apart._pool._processes.values()
        os.kill(process.pid, 9)
        with pytest.raises(ChainError, match="started again"):
            await apart.read()
        world.run(order, "two")
        world.chain.save(path)
        await directory.refresh()
        assert len(list(directory.running())) == 2
    finally:
        apart.close()


async def test_what_is_gone_while_nobody_heard_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is told everything anew drops what isn't in it."""
    apart, answers = Apart("nowhere"), []
    monkeypatch.setattr(reading, "_read", lambda where, heard: answers.pop(0))
    monkeypatch.setattr(reading, "ProcessPoolExecutor", lambda *given: None)

    def told(is_whole: bool, changed: dict[bytes, bytes], *gone: bytes) -> None:
        answers.append((is_whole, {kind: Changes(changed, frozenset(gone)) for kind in reading.KINDS}))

    told(True, {b"a": b"1", b"b": b"1"})
    told(False, {b"c": b"1"}, b"a")
    told(True, {b"c": b"2"})
    assert [counts(await apart.read())[0] for _ in range(3)] == [(2, 0), (1, 1), (1, 1)]
