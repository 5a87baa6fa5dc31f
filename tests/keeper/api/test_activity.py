"""What happened around an address, and in a transaction: the chain's own events."""

from datetime import UTC, datetime
from typing import Any

from keeper.clients import staking
from keeper.clients.programs import PROGRAMS
from tests.keeper.api.conftest import Client
from tests.keeper.api.life import Life
from tests.programs.world import DAY, key


async def whole(api: Client, **asked: object) -> list[Any]:
    rows: list[Any] = []
    while True:
        page = (await api.ask("/transactions", **asked)).json()
        rows += page["data"]
        if page["next"] is None:
            return rows
        asked["after"] = page["next"]


async def test_everything_around_an_address(api: Client, world: Life) -> None:
    renter = str(key("renter").pubkey())
    rows = await whole(api, address=renter, limit=3)
    expected = [
        (record.slot, str(record.signature), each.event.name)
        for record in world.chain.transactions()
        for program in PROGRAMS.values()
        for each in program.located_events(record)
        if renter in map(str, each.event.fields.values())
    ]
    assert sorted((row["slot"], row["signature"], row["event"]) for row in rows) == sorted(expected)
    assert [row["slot"] for row in rows] == sorted((row["slot"] for row in rows), reverse=True)
    of_usdc = str(world.read_order(key("renter"), 2).address)
    payments = await whole(api, address=of_usdc, event="Pay")
    assert {row["event"] for row in payments} == {"Pay"}
    assert [row["currency"] for row in payments] == ["USDC"]
    assert await whole(api, address=renter, program="tokenomics") == []


async def test_an_event_is_about_the_account_that_its_number_names(api: Client) -> None:
    rows = await whole(api, address=str(staking.block_address(1)))
    assert [row["event"] for row in rows] == ["BlockFinalised", "Attested", "Attested"]


async def test_a_transaction(api: Client, world: Life) -> None:
    record = next(each for each in reversed(world.chain.transactions()) if staking.PROGRAM.events(each))
    found = await api.data(f"/tx/{record.signature}")
    assert (found["slot"], found["time"], found["failed"]) == (record.slot, record.time, False)
    assert found["fee"] == str(record.fee)
    names = [each.event.name for each in staking.PROGRAM.located_events(record)]
    assert [each["event"] for each in found["events"]] == names
    assert (await api.ask("/tx/abc")).status_code == 404


async def test_wrong_names(api: Client) -> None:
    wrong = await api.ask("/transactions", address="x", program="nothing")
    assert wrong.json()["detail"].endswith(
        "one of buyback, orders, staking, tokenomics, and 'nothing' is none"
    )
    for wrong in ({"from": "2027-02-30"}, {"to": "-1"}, {"from": "yesterday"}):
        assert (await api.ask("/transactions", **wrong)).status_code == 400, wrong
    assert (await api.ask("/transactions", address="x", order="asc")).status_code == 400
    assert await api.data("/transactions", address="x") == []


async def test_everything_that_happened_and_when(api: Client, world: Life) -> None:
    rows = await whole(api, limit=200)
    every = [
        (record.slot, each.event.name)
        for record in world.chain.transactions()
        for program in PROGRAMS.values()
        for each in program.located_events(record)
    ]
    assert sorted((row["slot"], row["event"]) for row in rows) == sorted(every)
    assert await whole(api, limit=7, program="buyback") == [
        row for row in rows if row["program"] == "buyback"
    ]
    claimed = await whole(api, event="RewardClaimed")
    assert claimed == [row for row in rows if row["event"] == "RewardClaimed"] != []
    at = claimed[0]["time"]
    for asked, expected in (
        ({"from": at}, [row for row in rows if row["time"] >= at]),
        ({"to": at}, [row for row in rows if row["time"] <= at]),
        ({"from": at + 1}, [row for row in rows if row["time"] > at]),
        ({"from": at, "to": at}, [row for row in rows if row["time"] == at]),
        ({"from": rows[0]["time"] + 1}, []),
        ({"to": 0}, []),
        ({"from": 0, "to": 99_999_999_999}, rows),
    ):
        assert await whole(api, limit=50, **asked) == expected, asked
    today = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
    on_it = [row for row in rows if row["time"] // DAY == at // DAY]
    assert await whole(api, limit=200, **{"from": today, "to": today}) == on_it
    supplier = str(key("supplier a").pubkey())
    around = await whole(api, address=supplier)
    assert await whole(api, address=supplier, **{"from": at}) == [row for row in around if row["time"] >= at]
