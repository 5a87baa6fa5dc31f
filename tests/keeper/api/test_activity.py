"""What happened around an address, and in a transaction: the chain's own events."""

from typing import Any

from keeper.clients import staking
from keeper.clients.programs import PROGRAMS
from tests.keeper.api.conftest import Client
from tests.keeper.api.life import Life
from tests.programs.world import key


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
    assert (await api.ask("/transactions")).status_code == 400
    assert (await api.ask("/transactions", address="x", order="asc")).status_code == 400
    assert await api.data("/transactions", address="x") == []
