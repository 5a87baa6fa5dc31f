"""What becomes final is told to all who listen, once; who doesn't read keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from keeper.api.index import Index, NothingIndexed, State
from keeper.api.stream import LISTENERS, WAITING, Stream, TooMany
from keeper.clients import orders
from keeper.db.visitors import Visitors
from keeper.runtime.operation import operating
from tests.programs.orders.world import OrdersWorld

FOREVER = 3_600.0


class Empty(Index):
    """An index of nothing yet."""

    async def read_state(self) -> State:
        raise NothingIndexed("nothing is indexed yet")


@pytest.fixture
async def stream(tmp_path: Path) -> AsyncIterator[Stream]:
    """One that finds nothing to tell by itself."""
    database = Visitors(f"sqlite:///{tmp_path}/none.db")
    found = Stream(Empty(database), every=FOREVER)
    yield found
    if found._task is not None:
        found._task.cancel()
        await asyncio.wait([found._task])
    await database.close()


def parsed(said: bytes) -> tuple[str, dict[str, object]]:
    first, second, *_ = said.decode().splitlines()
    return first.removeprefix("event: "), json.loads(second.removeprefix("data: "))


async def test_an_event_is_told_once_it_is_final(tmp_path: Path) -> None:
    world, url = OrdersWorld.ready(), f"sqlite:///{tmp_path}/index.db"
    renter = world.renter("renter")
    log = structlog.get_logger()
    async with operating(world.chain, "a test", url, "a test") as keeper:
        await keeper.index(log)
        database = Visitors(url)
        stream = Stream(Index(database), every=FOREVER)
        queue = stream.join()
        kind, data = parsed(await queue.get())
        assert (kind, data["slot"]) == ("slot", world.chain.newest_slot())
        await stream.look()
        assert queue.empty()
        order = world.order(renter, 1)
        await keeper.index(log)
        await stream.look()
        assert queue.qsize() == 1
        told = [parsed(each) for each in queue.get_nowait().split(b"\n\n")[:-1]]
        assert [kind for kind, _ in told] == ["event"] * (len(told) - 1) + ["slot"]
        booked = [each for kind, each in told if each.get("event") == "BookProduct"]
        assert len(booked) == 1
        assert booked[0]["program"] == "orders"
        assert {str(order.address), str(renter.pubkey())} <= set(booked[0]["addresses"])  # type: ignore[call-overload]
        record = (await world.chain.history(orders.PROGRAM.address))[-1]
        assert booked[0]["signature"] == str(record.signature)
        assert told[-1][1] == {"slot": world.chain.newest_slot(), "time": world.chain.now()}
        stream.leave(queue)
        assert stream._task is not None
        stream._task.cancel()
        await asyncio.wait([stream._task])
        await database.close()


async def test_who_does_not_read_is_let_go_and_nobody_waits(stream: Stream) -> None:
    slow, quick = stream.join(), stream.join()
    for number in range(WAITING + 1):
        stream._tell(b"%d" % number)
        assert quick.get_nowait() == b"%d" % number
    assert stream.listeners == 1
    assert [each async for each in stream.heard(slow)] == []
    stream._tell(b"more")
    assert quick.get_nowait() == b"more"
    stream.leave(quick)


async def test_all_that_is_told_at_a_time_finds_room(tmp_path: Path) -> None:
    """A busy moment lets nobody go who reads."""
    world, url = OrdersWorld.ready(), f"sqlite:///{tmp_path}/index.db"
    renter = world.renter("renter")
    log = structlog.get_logger()
    async with operating(world.chain, "a test", url, "a test") as keeper:
        await keeper.index(log)
        database = Visitors(url)
        stream = Stream(Index(database), every=FOREVER)
        queue = stream.join()
        await queue.get()
        for number in range(1, WAITING + 2):
            world.order(renter, number)
        await keeper.index(log)
        await stream.look()
        assert stream.listeners == 1
        told = [parsed(each) for each in queue.get_nowait().split(b"\n\n")[:-1]]
        assert sum(each.get("event") == "BookProduct" for _, each in told) == WAITING + 1
        stream.leave(queue)
        assert stream._task is not None
        stream._task.cancel()
        await asyncio.wait([stream._task])
        await database.close()


async def test_so_many_may_listen(stream: Stream) -> None:
    queues = [stream.join() for _ in range(LISTENERS)]
    with pytest.raises(TooMany):
        stream.join()
    stream.leave(queues[0])
    stream.leave(stream.join())
    for each in queues:
        stream.leave(each)
    assert stream.listeners == 0


async def test_a_listener_that_goes_leaves(stream: Stream) -> None:
    queue = stream.join()
    stream._tell(b"one")
    heard = stream.heard(queue)
    assert await anext(heard) == b"one"
    waiting = asyncio.ensure_future(anext(heard))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert stream.listeners == 0
