"""The network's figures are the chain's."""

from keeper.clients import staking, tokenomics
from keeper.economy import emission
from keeper.economy.orders import Currency
from keeper.economy.staking import minimum
from keeper.economy.supply import EMISSION_TOTAL
from tests.keeper.api.conftest import Client
from tests.keeper.api.life import Life
from tests.programs.world import START, finish


async def test_where_all_io_is(api: Client, world: Life) -> None:
    found = {name: int(value) for name, value in (await api.data("/supply")).items()}
    real = finish(tokenomics.read_supply(world.chain))
    for name in ("emitted", "burned", "supply", "locked", "seasons", "rewards", "circulating"):
        assert found[name] == getattr(real, name), name
    assert found["supply"] == found["genesis"] + found["emitted"] - found["burned"] == world.supply()
    assert found["seasons"] == 600 * 10**8
    assert found["burned"] == world.auction(0).cost


async def test_the_network(api: Client, world: Life) -> None:
    found = await api.data("/network")
    config = world.staking_config()
    assert found["staked"] == str(config.staked) == str(world.stake_vault())
    assert found["emission_start"] == START
    assert found["emitted_hours"] == 2
    staking = found["programs"]["staking"]
    assert staking["params"]["operators"] == [str(each) for each in config.params.operators]
    assert staking["params"]["cooldown"] == str(config.params.cooldown)
    assert (staking["stopped"], staking["stopped_until"], staking["proposed"]) == ([], None, {})
    assert found["programs"].keys() == {"tokenomics", "staking", "orders", "buyback"}


async def test_the_emission_is_the_formula(api: Client) -> None:
    months = await api.data("/emission")
    assert len(months) == 240
    assert sum(int(each["amount"]) for each in months) == int(months[-1]["cumulative"]) == EMISSION_TOTAL
    assert months[0]["month"] == "2024-07"
    assert int(months[0]["amount"]) == emission.cumulative_by_month()[1]


async def test_vesting_is_the_genesis_table(api: Client, world: Life) -> None:
    rows = await api.data("/vesting")
    table = finish(tokenomics.read_allocations(world.chain))
    assert [(row["id"], row["label"], row["beneficiary"], row["released"]) for row in rows] == [
        (each.id, each.label, str(each.beneficiary), str(each.released)) for each in table
    ]
    for row, each in zip(rows, table, strict=True):
        assert int(row["vested"]) >= each.released


async def test_classes_are_the_chains(api: Client, world: Life) -> None:
    rows = await api.data("/classes")
    real = finish(staking.read_classes(world.chain))
    assert [row["id"] for row in rows] == sorted(real)
    now = (await api.ask("/classes")).json()["as_of"]["time"]
    for row in rows:
        each = real[row["id"]]
        assert row["name"] == each.name
        assert row["multiplier_now"] == each.multiplier_at(now)
        assert int(row["minimum_stake"]) == minimum(each.multiplier_at(now), 1)
        for currency in Currency:
            assert int(row["prices"][currency.name]["amount"]) == each.price(currency, now).amount


async def test_seasons_are_the_chains(api: Client, world: Life) -> None:
    (row,) = await api.data("/seasons")
    (real,) = finish(tokenomics.read_seasons(world.chain))
    assert row == await api.data("/seasons/1")
    assert row["vault"] == str(real.vault)
    assert [int(each) for each in row["pools"]] == list(real.pools)
    assert (int(row["total"]), int(row["claimed"]), row["root"]) == (
        real.total,
        400 * 10**8,
        real.root.hex(),
    )
    missing = await api.ask("/seasons/2")
    assert (missing.status_code, missing.json()["detail"]) == (404, "there is no season 2")


async def test_how_the_supply_went_adds_up_to_what_it_is(api: Client) -> None:
    now = {name: int(value) for name, value in (await api.data("/supply")).items()}
    months, years = [await api.data("/supply/history", **given) for given in ({}, {"step": "year"})]
    for rows in (months, years):
        assert int(rows[-1]["supply"]) == now["supply"]
        sums = {name: sum(int(row[name]) for row in rows) for name in ("minted", "emitted", "burned")}
        assert sums == {"minted": now["genesis"], "emitted": now["emitted"], "burned": now["burned"]}
        assert [row["starts_at"] for row in rows] == sorted({row["starts_at"] for row in rows})
        supply = 0
        for row in rows:
            supply += int(row["minted"]) + int(row["emitted"]) - int(row["burned"])
            assert supply == int(row["supply"])
    assert len(months) > len(years) == 1
    for wrong in ({"step": "hour"}, {"steps": "year"}):
        assert (await api.ask("/supply/history", **wrong)).status_code == 400
