"""Notices over a websocket: each wakes, and so does each new connection, whatever broke the last one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from keeper.chain.notices import Notices
from keeper.chain.rpc import websocket_url
from tests.keeper.chain.conftest import TOKENOMICS
from tests.keeper.chain.websocket_node import WebsocketNode

PROGRAM = TOKENOMICS.address
IMPATIENCE = 10.0


@pytest.fixture
async def node() -> AsyncIterator[WebsocketNode]:
    found = WebsocketNode([PROGRAM])
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def notices(node: WebsocketNode) -> AsyncIterator[Notices]:
    found = Notices(node.url, silence=0.2, longest_pause=0.01)
    yield found
    await found.close()


async def woken(notices: Notices) -> None:
    await asyncio.wait_for(notices.next([PROGRAM]), IMPATIENCE)


async def test_a_call_of_the_program_wakes(node: WebsocketNode, notices: Notices) -> None:
    await woken(notices)
    assert node.subscribed == ["slotSubscribe", "logsSubscribe"]
    waiting = asyncio.create_task(notices.next([PROGRAM]))
    for slot in range(3):
        await node.tell("slotNotification", {"slot": slot, "parent": 0, "root": 0})
    await asyncio.sleep(0.05)
    assert not waiting.done(), "slots alone don't wake"
    await node.tell_logs()
    await asyncio.wait_for(waiting, IMPATIENCE)


async def test_a_cut_connection_is_opened_again_and_wakes(node: WebsocketNode, notices: Notices) -> None:
    for connections in range(1, 5):
        await woken(notices)
        assert notices.connections == connections
        await node.hang_up()


async def test_a_silent_connection_is_given_up(node: WebsocketNode, notices: Notices) -> None:
    """Nobody hangs up, nothing comes: after the silence there is a new connection."""
    await woken(notices)
    await woken(notices)
    assert notices.connections == 2


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "<html>",
        "[]",
        "null",
        "[" * 10_000,
        b"\xff\xfe",
        '{"id": 0, "error": {"code": -32601, "message": "Method not found"}}',
        '{"id": 0}',
        '{"id": "0", "result": 1}',
        '{"method": ["logsNotification"], "params": null}',
    ],
    ids=lambda each: str(each)[:20],
)
async def test_a_node_that_answers_nonsense_is_left_and_tried_again(
    node: WebsocketNode, notices: Notices, nonsense: str | bytes
) -> None:
    node.nonsense = [nonsense] * 3
    await woken(notices)
    assert (node.connections, notices.connections) == (4, 1)
    await node.hang_up()
    await woken(notices)


async def test_nonsense_between_notices_costs_a_connection(node: WebsocketNode, notices: Notices) -> None:
    await woken(notices)
    for client in list(node.clients):
        await client.send("nonsense")
    await woken(notices)
    assert notices.connections == 2


async def test_a_node_without_a_websocket_wakes_nobody() -> None:
    notices = Notices("ws://127.0.0.1:9", longest_pause=0.01)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(notices.next([PROGRAM]), 0.1)
    await notices.close()
    assert notices.connections == 0


@pytest.mark.parametrize(
    ("url", "websocket"),
    [
        ("http://127.0.0.1:8899", "ws://127.0.0.1:8900"),
        ("https://node.example/key?x=1", "wss://node.example/key?x=1"),
        ("http://[::1]:8899/", "ws://[::1]:8900/"),
    ],
)
def test_where_a_node_gives_notices(url: str, websocket: str) -> None:
    assert websocket_url(url) == websocket
