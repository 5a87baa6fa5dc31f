"""Pages of lists are read from where they begin, however long the list: nothing is sorted or searched for.

By SQLite's own plans of what the API asks.
"""

from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from keeper.api.paging import encode
from keeper.api.service import PREFIX, application
from keeper.db.visitors import Visitors
from tests.keeper.api.life import Life

BY_ADDRESS, BY_TIME = encode(["a", 1, 1, 1]), encode([1, 1, 1, "a"])
DEVICES = (
    "class=1",
    "state=short",
    "class=1&state=short",
    "country=CH",
    "pool=enterprise",
    "supplier=a",
    "payout=a",
    "co_staker=a",
    "tier=1",
    "min_stake=1",
    "min_price=1&max_price=2",
)
SORTED = ("stake", "price", "price&currency=usdc")
ORDERS = (
    "class=1",
    "renter=a",
    "state=open",
    "currency=io",
    "closed=false",
    "renter=a&closed=false",
    "closed=true",
)
LEASES = ("of=a", "device=a", "supplier=a", "closed=false", "supplier=a&closed=false", "closed=true")
LISTS = [
    *(f"/devices?after={BY_ADDRESS}&{each}" for each in ("", *DEVICES, "closed=true")),
    *(f"/devices?after={encode([1, 'a', 1, 1, 1])}&sort={each}" for each in SORTED),
    *(f"/devices?after={encode([1, 'a', 1, 1, 1])}&sort={each}&order=desc" for each in SORTED),
    *(f"/orders?after={BY_TIME}&{each}" for each in ("", *ORDERS)),
    f"/offers?after={encode([1, 'a', 1, 1, 1])}",
    f"/days?program=staking&name=staked&after={encode([1])}",
    *(f"/leases?after={BY_TIME}&{each}" for each in ("", *LEASES)),
    *("/devices/a", "/orders/a", "/leases/a"),
    *("/blocks", f"/blocks?after={encode([1, 1, 1, 1])}", "/blocks?from=1", "/blocks?from=0&to=1"),
    *(f"/blocks/1/devices?{each}after={encode(['a'])}" for each in ("", "status=failed&", "device=a&")),
    *("/transactions?address=a", f"/transactions?address=a&after={encode([1, 1, 1, 1])}"),
]


@pytest.mark.parametrize("path", LISTS)
async def test_nothing_is_sorted_or_searched_for(life: tuple[Life, Path], path: str) -> None:
    database, asked = Visitors(f"sqlite:///{life[1]}"), list[tuple[str, Any]]()
    engine = database.engine.sync_engine

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT") and "watermarks" not in statement.partition("WHERE")[0]:
            asked.append((statement, parameters))

    transport = httpx2.ASGITransport(application(database))
    async with httpx2.AsyncClient(transport=transport, base_url="http://api") as http:
        assert (await http.get(PREFIX + path.removesuffix("&"))).status_code in (200, 404)
    lists = [each for each in asked if "LIMIT" in each[0]]
    assert lists
    async with database.reading() as connection:
        for statement, parameters in lists:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            for step in (row.detail for row in plan):
                # The lives of one device are sorted, which are few.
                assert "TEMP B-TREE" not in step or path == "/devices/a", (statement, step)
                assert not step.startswith("SCAN") or path == "/blocks", (statement, step)
    await database.close()
