"""Pages before anything happened, and of a network that is paused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import structlog

from keeper.api.service import application
from keeper.clients import orders
from keeper.db.visitors import Visitors
from keeper.runtime.operation import operating
from keeper.web.app import install
from tests.keeper.web.test_pages import Page
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import HOUR

EMPTY = {
    "/": "No hour is final yet",
    "/blocks": "No hour is final yet",
    "/devices": "No device is like that",
    "/orders": "No order is like that",
    "/buyback": "There was no auction yet",
    "/supply": "Twenty years of emission",
    "/market": "What a processor costs",
    "/market/1": "No step of its price was announced yet",
    "/offers": "No offer is open like that",
    "/slashes": "No slash is like that",
    "/audit": "No hour is final yet",
}


async def ask(url: str, path: str) -> httpx2.Response:
    """A page on a database."""
    database = Visitors(url)
    app = application(database)
    install(app)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://site") as http:
        try:
            return await http.get(path)
        finally:
            await database.close()


def indexed(world: OrdersWorld, url: str) -> None:
    async def index() -> None:
        async with operating(world.chain, "a test", url, "a test") as keeper:
            await keeper.index(structlog.get_logger())

    asyncio.run(index())


def test_a_network_in_which_nothing_happened_yet(tmp_path: Path) -> None:
    world, url = OrdersWorld.ready(), f"sqlite:///{tmp_path}/index.db"
    indexed(world, url)
    for path, words in EMPTY.items():
        answer = asyncio.run(ask(url, path))
        assert answer.status_code == 200, (path, answer.text)
        assert words in Page(answer.text).text, path
    answer = asyncio.run(ask(url, "/blocks/0"))
    assert answer.status_code == 404
    assert "no hour is final yet" in Page(answer.text).text


def test_a_pause_is_said_first(tmp_path: Path) -> None:
    world, file = OrdersWorld.ready(), tmp_path / "index.db"
    bits = orders.PROGRAM.constants
    name, bit = next((name, bit) for name, bit in bits.items() if name.startswith("PAUSE_"))
    world.do(
        orders.set_pause(world.guardian.pubkey(), bit, world.chain.now() + HOUR), signers=[world.guardian]
    )
    indexed(world, f"sqlite:///{file}")
    said = Page(asyncio.run(ask(f"sqlite:///{file}", "/")).text).text
    assert "orders is paused" in said
    assert name.removeprefix("PAUSE_").lower().replace("_", " ") in said
