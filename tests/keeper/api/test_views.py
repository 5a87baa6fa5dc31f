"""Devices, orders and leases are the chain's, also those that were closed."""

from typing import Any

import pytest

from keeper.clients import orders, staking
from keeper.economy.orders import Currency
from tests.keeper.api.conftest import Client
from tests.keeper.api.life import WORKERS, Life
from tests.programs.orders.world import ASK_IO
from tests.programs.world import finish, key


def address_of(worker: str) -> str:
    return str(staking.device_address(key(worker).pubkey()))


async def test_devices_are_the_chains(api: Client, world: Life) -> None:
    rows = await api.data("/devices")
    real = {str(address): each for address, each in finish(staking.read_devices(world.chain)).items()}
    assert [row["address"] for row in rows] == sorted(real)
    assert len(rows) == len(WORKERS)
    for row in rows:
        each = real[row["address"]]
        for name in ("worker", "supplier", "payout", "own", "ask_io", "ask_usdc", "registered_at"):
            assert row[name] == str(getattr(each, name)), name
        assert (row["class"], row["country"], row["tier"]) == (each.device_class, each.country, each.tier)


@pytest.mark.parametrize(
    ("asked", "workers"),
    [
        ({"supplier": str(key("supplier a").pubkey())}, ["a1", "a2", "a3"]),
        ({"state": "leased"}, ["a1", "a2", "b1"]),
        ({"state": "ready"}, ["a3", "b2"]),
        ({"state": "ready", "supplier": str(key("supplier b").pubkey())}, ["b2"]),
        ({"class": 1}, list(WORKERS)),
        ({"class": 7}, []),
        ({"country": "CH"}, list(WORKERS)),
        ({"country": "DE"}, []),
        ({"pool": "enterprise"}, list(WORKERS)),
        ({"pool": "community"}, []),
        ({"pool": "community", "class": 1}, []),
        ({"has_offer": "true"}, []),
        ({"has_offer": "false"}, list(WORKERS)),
        ({"closed": "true"}, []),
        ({"payout": "nobody"}, []),
        ({"tier": 1}, []),
        ({"min_stake": 0}, list(WORKERS)),
        ({"min_stake": 2**62}, []),
        ({"min_price": ASK_IO, "max_price": ASK_IO}, list(WORKERS)),
        ({"min_price": ASK_IO + 1}, []),
        ({"max_price": ASK_IO - 1}, []),
        ({"max_price": 0, "currency": "usdc"}, []),
    ],
)
async def test_devices_by_what_one_looks_for(
    api: Client, asked: dict[str, object], workers: list[str]
) -> None:
    rows = await api.data("/devices", **asked)
    assert {row["address"] for row in rows} == set(map(address_of, workers))


async def test_devices_by_stake_and_price(api: Client) -> None:
    rows = await api.data("/devices")
    for sort, name in (("stake", "own"), ("price", "ask_io")):
        for order in ("asc", "desc"):
            expected = sorted(rows, key=lambda row: (int(row[name]), row["address"]), reverse=order == "desc")
            assert await api.data("/devices", sort=sort, order=order) == expected
            first = (await api.ask("/devices", sort=sort, order=order, limit=2)).json()
            rest = await api.data("/devices", sort=sort, order=order, after=first["next"])
            assert first["data"] + rest == expected
    for wrong in ({"sort": "age"}, {"tier": 5}, {"min_stake": -1}, {"max_price": 2**64}):
        assert (await api.ask("/devices", **wrong)).status_code == 400, wrong


async def test_orders_by_a_class_that_they_take(api: Client) -> None:
    rows = await api.data("/orders")
    for number in range(4):
        taking = [row for row in rows if number in row["classes"][: row["class_count"]]]
        assert await api.data("/orders", **{"class": number}) == taking
    assert await api.data("/orders", **{"class": 1}) == rows


async def test_a_device_by_either_name(api: Client) -> None:
    worker = str(key("a1").pubkey())
    found = await api.data(f"/devices/{worker}")
    assert found == await api.data(f"/devices/{address_of('a1')}")
    assert (found["worker"], found["state"], found["closed_at"]) == (worker, "leased", None)
    missing = await api.ask("/devices/abc")
    assert (missing.status_code, missing.json()["detail"]) == (
        404,
        "no device has this address, nor such a worker",
    )


async def test_orders_are_the_chains(api: Client, world: Life) -> None:
    rows = await api.data("/orders", order="asc")
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    for row in rows:
        each = world.read_order(key("renter"), int(row["id"]))
        assert row["address"] == str(each.address)
        for name in ("renter", "deposit", "paid", "refunded", "held", "free", "created_at"):
            assert row[name] == str(getattr(each, name)), name
        assert row["price"] == str(each.terms.price)
        assert row["state"] == ("cancelled" if row["id"] == "4" else "open")
    usdc = await api.data("/orders", currency="usdc")
    assert [row["id"] for row in usdc] == ["2"]
    assert usdc[0]["currency"] == Currency.USDC
    cancelled = await api.data("/orders", state="cancelled", renter=str(key("renter").pubkey()))
    assert [row["id"] for row in cancelled] == ["4"]
    assert await api.data("/orders", renter=str(key("supplier a").pubkey())) == []


async def test_leases_are_the_chains(api: Client, world: Life) -> None:
    rows = await api.data("/leases")
    real = {str(address): each for address, each in finish(orders.read_leases(world.chain)).items()}
    assert {row["address"] for row in rows} == set(real)
    for row in rows:
        each = real[row["address"]]
        for name in ("order", "device", "supplier", "rate", "start", "stop", "paid", "held"):
            assert row[name] == str(getattr(each, name)), name
        assert row == await api.data(f"/leases/{row['address']}")
    first = str(world.read_order(key("renter"), 1).address)
    assert {row["device"] for row in await api.data("/leases", of=first)} == {
        address_of("a1"),
        address_of("b1"),
    }
    assert len(await api.data("/leases", device=address_of("a2"))) == 1


@pytest.mark.parametrize("path", ["/devices", "/orders", "/leases", "/auctions"])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_are_the_whole_list(api: Client, path: str, order: str) -> None:
    whole = await api.data(path, order=order)
    rows: list[Any] = []
    asked: dict[str, object] = {"limit": 2, "order": order}
    while True:
        page = (await api.ask(path, **asked)).json()
        rows += page["data"]
        if page["next"] is None:
            break
        asked["after"] = page["next"]
    assert rows == whole
    assert len(rows) > 2
    other = await api.data(path, order="asc" if order == "desc" else "desc")
    assert other == whole[::-1]
