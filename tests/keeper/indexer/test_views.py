"""What is looked up: each account in its columns, closed ones too, and the same however it was made."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from keeper.chain import Chain
from keeper.clients import orders, staking
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.db.views import DAY_TOTAL, MENTION, TX, Views
from keeper.economy.supply import IO
from keeper.indexer import ProgramIndexer
from keeper.indexer.folds import FOLDS
from keeper.indexer.implied import account_of
from keeper.indexer.ledger import Ledger
from keeper.indexer.views import addresses
from tests.keeper.indexer.busy import prepared
from tests.keeper.indexer.test_folds import Let, Sold
from tests.programs.world import DAY, World

ALL = list(PROGRAMS.values())
VIEWS = {name: view for program in ALL for name, view in Views(program).by_kind.items()}
LIFE = ("address", "opened_slot", "opened_position", "opened_call")


async def ledgers(chain: Chain, database: Database) -> list[Ledger]:
    found = [await prepared(ProgramIndexer(chain, database, each)) for each in ALL]
    return [Ledger(chain, database, each, FOLDS[each.program.name]) for each in found]


async def rows(database: Database, table: sa.Table, **having: Any) -> list[dict[str, Any]]:
    async with database.reading() as connection:
        found = await connection.execute(sa.select(table).filter_by(**having).order_by(*table.primary_key))
        return [dict(row) for row in found.mappings()]


async def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All that is looked up, as it is in the tables."""
    tables = [MENTION, TX, DAY_TOTAL, *(view.table for view in VIEWS.values())]
    return {table.name: await rows(database, table) for table in tables}


async def indexed(world: World, database: Database) -> list[Ledger]:
    """Each program's accounts and views up to now, by a process of its own; they are the chain's."""
    found = await ledgers(world.chain, database)
    for ledger in found:
        result = await ledger.compare()
        assert (result.differences, result.views) == ([], [])
    return found


async def test_made_bit_by_bit_or_at_once_they_are_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps of a few transactions, by several processes, from the first event again, and in one step."""
    world = Let.started()
    monkeypatch.setattr("keeper.indexer.kept.WINDOW", 7)
    await indexed(world, database)
    world.begin()
    await indexed(world, database)
    world.finish()
    found = await indexed(world, database)
    bit_by_bit = await everything(database)
    assert all(bit_by_bit[table] for table in bit_by_bit)
    monkeypatch.setattr("keeper.indexer.kept.WINDOW", 5_000)
    for ledger in found:
        left: list[int] = []
        await ledger.rebuild(lambda done, all_, left=left: left.append(all_ - done))  # type: ignore[misc]
        assert left[-1] == 0
    assert await everything(database) == bit_by_bit
    assert (await found[0].compare()).differences == []


async def test_a_closed_order_stays_with_its_figures(database: Database) -> None:
    """They are those of the event that closed it; its leases are there, and what they came to."""
    world = Let.started()
    world.begin()
    world.finish()
    await indexed(world, database)
    told = {
        str(event.fields["order"]): event.fields
        for record in world.chain.transactions()
        for event in orders.PROGRAM.events(record)
        if event.name == "OrderClosed"
    }
    closed = {row["address"]: row for row in await rows(database, VIEWS["Order"].table) if row["closed_slot"]}
    assert closed.keys() == told.keys() and len(told) == 4
    for address, row in closed.items():
        names = {
            "close_reason": "reason",
            **{e: e for e in ("deposit", "paid", "fees", "refunded", "surplus")},
        }
        assert {name: row[name] for name in names} == {
            name: told[address][field] for name, field in names.items()
        }
        leases = await rows(database, VIEWS["Lease"].table, order=address)
        assert row["deposit"] == row["paid"] + row["fees"] + row["refunded"]
        assert leases and all(lease["closed_slot"] for lease in leases)
        assert row["opened_slot"] < min(lease["opened_slot"] for lease in leases)
        assert row["closed_slot"] > max(lease["closed_slot"] for lease in leases)


async def test_an_address_has_a_row_for_each_of_its_lives(database: Database) -> None:
    """A renter may number an order as one that is gone: the receipt of that one stays."""
    world = Let.started()
    ruth = world.renter("ruth")
    for price in (3, 2, 1):
        order = world.order(ruth, 1, price=price * IO, devices=1)
        if price == 2:
            await indexed(world, database)
        if price > 1:
            world.do(orders.cancel_order(order), signers=[ruth])
            world.chain.advance(2 * DAY)
            world.do(orders.close_order(world.orders_config(), world.read_order(ruth, 1)))
    await indexed(world, database)
    lives = await rows(database, VIEWS["Order"].table, address=str(order.address))
    assert [life["price"] for life in lives] == [3 * IO, 2 * IO, IO]
    assert [life["closed_slot"] is None for life in lives] == [False, False, True]
    assert [life["state"] for life in lives] == ["cancelled", "cancelled", "open"]


async def test_whoever_is_named_is_found(database: Database) -> None:
    """Every address of every field of every final event, once; and each transaction by its signature.

    An event whose number names an account is found by that account, too.
    """
    world = Sold.started()
    world.begin()
    await indexed(world, database)
    expected, signatures = set(), set()
    for record in world.chain.transactions():
        for program in ALL:
            for found in program.located_events(record):
                signatures.add(str(record.signature))
                about = account_of(program.name, found.event)
                for address in (*addresses(found.event.fields), *([about] if about else ())):
                    place = record.slot, found.outer, found.inner
                    expected.add((str(address), *place, program.name, found.event.name))
    mentions = await rows(database, MENTION)
    columns = ("address", "slot", "outer", "inner", "program", "event")
    assert {tuple(row[name] for name in columns) for row in mentions} == expected
    transactions = await rows(database, TX)
    assert {row["signature"] for row in transactions} >= signatures
    fees = {str(record.signature): record.fee for record in world.chain.transactions()}
    assert all(row["fee"] == fees[row["signature"]] for row in transactions if not row["failed"])


async def test_what_moved_adds_up(database: Database) -> None:
    """Days' sums are what the programs count themselves."""
    world = Let.started()
    world.begin()
    world.finish()
    await indexed(world, database)
    sums: dict[str, int] = {}
    for row in await rows(database, DAY_TOTAL):
        sums[row["name"]] = sums.get(row["name"], 0) + row["amount"]
    money = await rows(database, VIEWS["Order"].table)
    for number, currency in enumerate(("io", "usdc")):
        mine = [row for row in money if row["currency"] == number]
        assert sums[f"escrowed_{currency}"] == sum(row["deposit"] for row in mine)
        assert sums[f"refunded_{currency}"] == sum(row["refunded"] for row in mine)
        assert sums[f"order_fees_{currency}"] == sum(row["fees"] for row in mine)
        assert sums[f"supplied_{currency}"] == sum(row["paid"] for row in mine)
    config = world.staking_config()
    assert sums["staked"] - sums.get("unstaked", 0) - sums.get("slashed", 0) == config.staked


@pytest.mark.parametrize("change", ["a column", "a row too few", "a row too many"])
async def test_a_changed_row_is_named(database: Database, change: str) -> None:
    """And stops nobody: no money depends on it. Made again, all is well."""
    world = Let.started()
    world.begin()
    ledger = next(e for e in await indexed(world, database) if e.program is staking.PROGRAM)
    view = VIEWS["Device"]
    row = (await rows(database, view.table))[0]
    mine = view.table.c.address == row["address"]
    async with database.transaction() as connection:
        if change == "a column":
            await connection.execute(sa.update(view.table).where(mine).values(own=row["own"] + 1))
        elif change == "a row too few":
            await connection.execute(sa.delete(view.table).where(mine))
        else:
            await connection.execute(sa.insert(view.table).values(**{**row, "opened_slot": 0}))
    result = await ledger.compare()
    assert result.differences == [] and not await ledger.is_halted()
    named = [(each.address, each.kind) for each in result.views]
    assert named == [(row["address"], "view_device")]
    if change == "a column":
        (found,) = result.views
        assert (found.field, found.from_events, found.on_chain) == ("own", row["own"] + 1, row["own"])
    await ledger.rebuild(lambda *_: None)
    assert (await ledger.compare()).views == []


@pytest.mark.parametrize("change", ["a figure", "a row too few"])
async def test_a_changed_receipt_is_named(database: Database, change: str) -> None:
    """There is no account any more to compare with, but the event that closed it."""
    world = Let.started()
    world.begin()
    world.finish()
    ledger = next(e for e in await indexed(world, database) if e.program is orders.PROGRAM)
    table = VIEWS["Order"].table
    row = next(row for row in await rows(database, table) if row["closed_slot"])
    mine = table.c.address == row["address"]
    async with database.transaction() as connection:
        if change == "a figure":
            await connection.execute(sa.update(table).where(mine).values(refunded=row["refunded"] + 1))
        else:
            await connection.execute(sa.delete(table).where(mine))
    (found,) = (await ledger.compare()).views
    assert (found.address, found.kind) == (row["address"], "view_order")
    if change == "a figure":
        assert (found.field, found.from_events) == ("refunded", row["refunded"] + 1)
        assert found.on_chain == row["refunded"]


async def test_amounts_sort_and_add_up_whatever_their_size(database: Database) -> None:
    """Above what an integer of SQLite holds, too."""
    table, amounts = DAY_TOTAL, [2**64 - 1, 0, 9, 10**18, 2**63, 2**63 - 1]
    async with database.transaction() as connection:
        for day, amount in enumerate(amounts):
            row = {"program": "orders", "name": "rent", "day": day, "amount": amount, "count": 1}
            await connection.execute(sa.insert(table).values(**row))
    async with database.reading() as connection:
        ordered = (await connection.scalars(sa.select(table.c.amount).order_by(table.c.amount))).all()
        above = await connection.scalars(sa.select(table.c.day).where(table.c.amount >= 2**63))
        fitting = sa.select(sa.func.sum(table.c.amount)).where(table.c.amount < 10**18 + 1)
        assert list(ordered) == sorted(amounts)
        assert set(above) == {0, 4}
        assert await connection.scalar(fitting) == 10**18 + 9
