"""How questions are asked again, how long they are pursued, and how calls wait for a node's limit."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any

import httpx2 as httpx
import pytest

from keeper.chain import ChainUnreachable, Commitment, asking, limits
from keeper.chain.asking import SILENT_TRIES, TRIES, Asker, retry_after
from keeper.chain.errors import ChainError, NodeRefused
from keeper.chain.rpc import RpcChain
from keeper.clients import staking, tokenomics
from keeper.db import Database
from keeper.indexer import ProgramIndexer
from tests.keeper.chain.conftest import ALICE, RpcSite, pay
from tests.keeper.chain.mischief import Knobs, Mischief
from tests.keeper.chain.reply import Reply
from tests.keeper.indexer.busy import NodeWorld, expected, indexed, prepared

LIMITED = Reply(b"", 429)
NOW, SOON, BEFORE = (formatdate(at, usegmt=True) for at in (1_000_000, 1_000_030, 999_000))
Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Says:
    """Answers the first questions as told, then well."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[float, str]] = []

    async def answer(self, question: Any, ask: Callable[[], Awaitable[bytes]]) -> Reply:
        self.asked.append((time.monotonic(), question["method"]))
        return self.replies.pop(0) if self.replies else Reply(await ask())

    def count(self, method: str) -> int:
        return sum(name == method for _, name in self.asked)


async def slot(rpc: RpcSite) -> int:
    return await rpc.chain.slot(Commitment.CONFIRMED)


# -- asking again -----------------------------------------------------------------------------


NEW_VERSION = Reply(b'{"id":null,"error":{"code":-32015,"message":"version 2 is not supported"}}')
"""Where no transaction was asked for that is nonsense."""


@pytest.mark.parametrize(
    "bad", [Reply(b"", 503), Reply(b"", 403), Reply(b"{}"), Reply(b"<html>"), NEW_VERSION], ids=str
)
async def test_any_bad_answer_is_asked_for_again(rpc: RpcSite, bad: Reply) -> None:
    good = await slot(rpc)
    rpc.node.mischief = says = Says(*[bad] * (TRIES - 1))
    assert await slot(rpc) == good
    assert len(says.asked) == TRIES
    rpc.node.mischief = says = Says(*[bad] * TRIES)
    with pytest.raises((ChainUnreachable, NodeRefused)):
        await slot(rpc)
    assert len(says.asked) == TRIES


async def test_what_is_sent_is_sent_once(rpc: RpcSite) -> None:
    """Whoever sends looks first what became of it."""
    record = rpc.execute([pay(1)], [ALICE])
    transaction = rpc.node._landed[record.signature][0]
    rpc.node.mischief = says = Says(*[Reply(b"", 503)] * 9)
    with pytest.raises(ChainUnreachable):
        await rpc.chain.broadcast(transaction)
    assert len(says.asked) == 1


@asynccontextmanager
async def server(
    serve: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[tuple[str, list[int]]]:
    """Something that takes questions and does ``serve`` for an answer; its URL, and a mark for each."""
    asked: list[int] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(1)
        try:
            await serve(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", asked
    finally:
        listening.close()


async def given_up_as_silent(answer: Callable[[asyncio.StreamWriter], Awaitable[None]], why: str) -> None:
    async with server(answer) as (url, asked):
        chain = RpcChain(url)
        with pytest.raises(ChainUnreachable, match=why):
            await asyncio.wait_for(chain.slot(Commitment.CONFIRMED), 10)
        assert len(asked) == SILENT_TRIES
        await chain.close()


async def test_a_node_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after two silences, not after as many as there are tries otherwise."""
    monkeypatch.setattr(asking, "TIMEOUT", httpx.Timeout(0.1))

    async def nothing(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    await given_up_as_silent(nothing, "ReadTimeout")


async def test_a_node_that_never_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "WHOLE_SECONDS", 0.2)

    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    await given_up_as_silent(trickle, "TimeoutError")


async def test_a_key_in_the_url_is_not_repeated(rpc: RpcSite) -> None:
    chain = RpcChain(f"{rpc.node.url}/v2/secret-key-1?api-key=secret-key-2")
    refusal = {"code": -32052, "message": "API key secret-key-1 and secret-key-2 is disabled"}
    body = json.dumps({"id": None, "error": refusal}).encode()
    rpc.node.mischief = Says(*[Reply(body)] * TRIES)
    with pytest.raises(NodeRefused, match=r"refused: API key \.\.\. and \.\.\. is disabled \(-32052\)$"):
        await chain.slot(Commitment.CONFIRMED)
    await chain.close()


def test_what_is_no_url_is_not_repeated() -> None:
    with pytest.raises(ChainError, match="the chain's URL is not valid: write http://HOST:PORT"):
        Asker("http://[secret")


# -- limits -----------------------------------------------------------------------------------


async def test_a_limit_on_a_method_costs_the_time_that_it_takes(database: Database) -> None:
    """103 transactions at 40 in each window: three windows, and few calls that are refused."""
    world = NodeWorld.started()
    while len(await world.chain.history(staking.PROGRAM.address)) < 103:
        world.act()
    await world.node.start()
    world.node.faults.calls = 40
    chain = RpcChain(world.node.url)
    indexer = await prepared(ProgramIndexer(chain, database, staking.PROGRAM))
    assert (await asyncio.wait_for(indexer.poll(), 30)).transactions >= 103
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
    useful = sum(name == "getTransaction" for name, _ in world.node.calls)
    print(f"{useful} calls answered, {world.node.limited} refused")
    assert world.node.limited <= useful / 2
    await chain.close()
    await world.node.stop()


async def test_all_calls_of_a_method_wait_and_others_do_not(rpc: RpcSite) -> None:
    records = [rpc.execute([pay(1)], [ALICE]) for _ in range(16)]
    wait = Reply(b"", 429, {"retry-after": "1"})
    rpc.node.mischief = says = Says(wait)
    first = asyncio.create_task(rpc.chain.records([records[0].signature]))
    while not says.asked:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    rest = asyncio.create_task(rpc.chain.records([each.signature for each in records]))
    await slot(rpc)
    assert says.count("getTransaction") == 1, "the others wait for the same moment"
    assert await first == records[:1]
    assert await rest == records
    times = [at for at, method in says.asked if method == "getTransaction"]
    assert times[1] - times[0] > 0.95
    assert len(times) == 18


async def test_after_a_pause_one_call_tries_for_all(rpc: RpcSite) -> None:
    records = [rpc.execute([pay(1)], [ALICE]) for _ in range(64)]
    rpc.node.mischief = says = Says(*[LIMITED] * 18)
    assert await rpc.chain.records([each.signature for each in records]) == records
    # Sixteen are under way when it closes; of the two pauses after that one call each learns the end.
    assert len(says.asked) == 64 + 18


async def test_a_node_that_refuses_one_of_ten_is_not_a_limit(rpc: RpcSite, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "FIRST_PAUSE_SECONDS", 60.0)
    records = [rpc.execute([pay(1)], [ALICE]) for _ in range(100)]

    class Sometimes(Says):
        async def answer(self, question: Any, ask: Callable[[], Awaitable[bytes]]) -> Reply:
            good = await super().answer(question, ask)
            return LIMITED if len(self.asked) % 10 == 0 else good

    rpc.node.mischief = says = Sometimes()
    assert await asyncio.wait_for(rpc.chain.records([each.signature for each in records]), 30) == records
    assert len(says.asked) <= 112


async def test_a_wait_that_is_too_long_is_not_begun(rpc: RpcSite) -> None:
    """As when a day's calls are used up: nobody is asked again before the time that it names."""
    rpc.node.mischief = says = Says(Reply(b"", 429, {"retry-after": "86400"}))
    for _ in range(3):
        with pytest.raises(ChainUnreachable, match="the RPC node limits getSlot: "):
            await asyncio.wait_for(slot(rpc), 10)
    assert len(says.asked) == 1


async def test_a_limit_that_lasts_ends_in_an_error(rpc: RpcSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LIMIT_SECONDS", 1.0)
    rpc.node.faults.status = 429
    with pytest.raises(ChainUnreachable, match="the RPC node limits getSlot: HTTP status 429"):
        await asyncio.wait_for(slot(rpc), 10)
    monkeypatch.undo()
    rpc.node.faults.status = 200
    assert await slot(rpc) > 0


async def test_whoever_gives_up_waits_no_longer(rpc: RpcSite) -> None:
    """Also when it is the one that tries for all: the next one does."""
    rpc.node.mischief = says = Says(*[Reply(b"", 429, {"retry-after": "1"})] * 3)
    waiting = [asyncio.create_task(slot(rpc)) for _ in range(3)]
    await asyncio.sleep(0.2)
    for each in waiting[:2]:
        each.cancel()
    await asyncio.wait(waiting[:2], timeout=10)
    assert len(says.asked) == 3, "long before the second is over"
    assert [each.cancelled() for each in waiting[:2]] == [True, True]
    assert await asyncio.wait_for(waiting[2], 10) > 0
    assert len(says.asked) == 4


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 120 "}, 120.0),
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        (
            {"retry-after": SOON, "date": NOW},
            30.0,
        ),
        ({"retry-after": BEFORE, "date": NOW}, 0.0),
        ({"retry-after": SOON, "date": "yesterday"}, None),
        ({"retry-after": SOON}, 0.0),
    ],
)
def test_how_long_an_answer_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(httpx.Headers(headers)) == seconds


# -- all of it --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
async def test_one_bad_answer_of_ten_stops_nothing(database: Database, seed: int) -> None:
    world = NodeWorld.started()
    world.act(240)
    await world.node.start()
    world.node.mischief = bad = Mischief(seed, Knobs(nonsense=0.08, null=0.02))
    chain = RpcChain(world.node.url)
    for program in (tokenomics.PROGRAM, staking.PROGRAM):
        await (await prepared(ProgramIndexer(chain, database, program))).poll()
        assert await indexed(database, program) == expected(world.chain, program)
    spoiled = bad.done.total()
    print(f"{bad.asked} calls, {spoiled} answered badly")
    assert spoiled > 10
    assert bad.asked < 1.3 * (bad.asked - spoiled)
    await chain.close()
    await world.node.stop()
