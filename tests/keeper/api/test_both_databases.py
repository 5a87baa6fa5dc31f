"""The same questions on PostgreSQL and on SQLite have the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from keeper.api.service import application
from keeper.db.visitors import Visitors
from tests.keeper.api.conftest import Client
from tests.keeper.api.life import index
from tests.keeper.api.watched import CLASS, Watched

PATHS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/offers", {"max_io": 10**12, "min_share": 1}),
    ("/slashes", {"state": "pending"}),
    ("/market", {}),
    (f"/market/{CLASS}/depth", {"limit": 1}),
    (f"/market/{CLASS}/history", {}),
    ("/blocks/0/reasons", {}),
    ("/blocks/0/devices", {}),
    ("/days", {"program": "staking", "name": "staked"}),
    ("/network", {}),
    ("/blocks", {"from": 0, "to": 0}),
    ("/blocks/0/devices", {"reason": "work_failed"}),
    ("/market", {"country": "CH"}),
    ("/devices", {"pool": "enterprise"}),
    ("/devices", {"sort": "price", "min_stake": 1, "max_price": 10**15, "limit": 2}),
    ("/orders", {"class": 1}),
    ("/transactions", {"from": "2024-01-01", "limit": 3}),
)


async def answers(url: str, world: Watched) -> list[Any]:
    """What each path says."""
    database = Visitors(url)
    app = application(database, rewards=world.folder)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://api") as http:
        api = Client(http)
        found = [await api.data(path, **asked) for path, asked in PATHS]
        device = found[6][0]["device"]
        slash = found[1][0]
        found += [
            await api.data(f"/devices/{device}/hours"),
            await api.data("/slashes", device=slash["device"]),
        ]
        changes = (await api.data("/audit"))["changes"]
        around = await api.data("/transactions", address=slash["device"])
        found += [changes, around, await api.data(f"/tx/{around[0]['signature']}")]
    await database.close()
    return found


def test_answers_are_the_same(tmp_path: Path, new_postgres: Callable[[], str]) -> None:
    world = Watched.watched(tmp_path / "rewards")
    urls = f"sqlite:///{tmp_path}/index.db", new_postgres()
    for url in urls:
        asyncio.run(index(world, url))
    one, other = [asyncio.run(answers(url, world)) for url in urls]
    assert one == other
    assert all(one)
