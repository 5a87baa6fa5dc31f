"""Accounts from events alone: kept, taken up again, compared with the chain; what a difference does."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from keeper.chain import Account, Chain, ChainUnreachable
from keeper.chain.rpc import RpcChain
from keeper.clients import staking
from keeper.clients.programs import PROGRAMS as ALL_PROGRAMS
from keeper.db import Database
from keeper.db.tables import ACCOUNTS, COMPARISONS, HALTS, WATERMARKS
from keeper.indexer import ProgramIndexer
from keeper.indexer.book import Book, FoldError
from keeper.indexer.compare import differences
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from tests.keeper.indexer.busy import PROGRAMS, BusyWorld, NodeWorld, prepared
from tests.programs.world import key

Busy = tuple[Chain, BusyWorld]


async def ledgers(chain: Chain, database: Database) -> list[Ledger]:
    found = [await prepared(ProgramIndexer(chain, database, each)) for each in PROGRAMS]
    return [Ledger(chain, database, each, FOLDS[each.program.name]) for each in found]


async def halted(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(sa.select(HALTS.c.reason))).scalars())


async def stored(database: Database) -> set[tuple[str, str]]:
    async with database.reading() as connection:
        rows = await connection.execute(sa.select(ACCOUNTS.c.address, ACCOUNTS.c.kind))
        return {(row.address, row.kind) for row in rows}


async def on_chain(world: BusyWorld) -> set[tuple[str, str]]:
    return {
        (str(address), program.decode_account(account.data)[0])
        for program in PROGRAMS
        for address, account in (await world.chain.program_accounts(program.address)).items()
    }


def test_every_event_of_every_program_has_its_fold() -> None:
    for program in ALL_PROGRAMS.values():
        assert FOLDS[program.name].keys() == program.event_fields.keys()


async def test_the_accounts_are_the_chains(busy: Busy, database: Database) -> None:
    chain, world = busy
    found = await ledgers(chain, database)
    for acts in (0, 12, 7):
        world.act(acts)
        for each in found:
            result = await each.compare()
            assert result.differences == []
            assert (result.slot, result.accounts) == (
                world.chain.newest_slot(),
                len(await world.chain.program_accounts(each.program.address)),
            )
        assert await stored(database) == await on_chain(world)
    assert await halted(database) == []


async def test_an_account_that_somebody_gives_a_program_is_none_of_its_own(
    busy: Busy, database: Database
) -> None:
    """It costs its rent, and must not stop the keepers: only zeros can be given away."""
    chain, world = busy
    for number, space in enumerate((0, 100)):
        made, lamports = key(f"gift {number}"), 10**7
        gift = CreateAccountParams(
            from_pubkey=world.payer.pubkey(),
            to_pubkey=made.pubkey(),
            lamports=lamports,
            space=space,
            owner=staking.PROGRAM.address,
        )
        world.do(create_account(gift), signers=[made])
    (_, ledger) = await ledgers(chain, database)
    assert (await ledger.compare()).differences == []
    account = world.chain.get(key("gift 1").pubkey())
    assert account is not None and account.owner == staking.PROGRAM.address
    world.chain.set_account(key("gift 1").pubkey(), replace(account, data=b"\0" * 99 + b"\1"))
    (difference,) = (await ledger.compare()).differences
    assert difference.address == str(key("gift 1").pubkey())


async def test_a_new_process_takes_the_accounts_up(busy: Busy, database: Database) -> None:
    chain, world = busy
    world.act(12)
    for each in await ledgers(chain, database):
        assert (await each.compare()).differences == []
    world.act(12)
    for each in await ledgers(chain, database):
        assert (await each.compare()).differences == []


async def test_keepers_in_turns(busy: Busy, database: Database) -> None:
    """Each has accounts in memory; whoever comes second sees that the other went on."""
    chain, world = busy
    one, two = await ledgers(chain, database), await ledgers(chain, database)
    for _ in range(3):
        for keeper in (one, two):
            world.act(6)
            for each in keeper:
                assert (await each.compare()).differences == []


async def test_only_what_is_final_is_folded(served: tuple[RpcChain, NodeWorld], database: Database) -> None:
    chain, world = served
    (_, ledger) = await ledgers(chain, database)
    world.act(6)
    await ledger.compare()
    before = await stored(database)
    world.node.faults.finality_lag = 10**6
    world.act(6)
    with pytest.raises(ChainUnreachable):
        await ledger.compare()
    assert await stored(database) == before
    world.node.faults.finality_lag = 0
    assert (await ledger.compare()).differences == []


async def test_a_node_that_lags_is_not_waited_for(
    served: tuple[RpcChain, NodeWorld], database: Database
) -> None:
    """What is final for it is indexed, and the rest once it has come so far."""
    chain, world = served
    (_, ledger) = await ledgers(chain, database)
    world.act(12)
    newest = world.chain.newest_slot()
    world.node.faults.finality_lag = 3
    with pytest.raises(ChainUnreachable, match=f"indexed up to slot {newest - 3}, not {newest}"):
        await ledger.index(newest)
    assert (await ledger.indexer.watermark()).final_slot == newest - 3
    world.node.faults.finality_lag = 0
    await ledger.index(newest)
    assert (await ledger.indexer.watermark()).final_slot == newest


async def test_an_interrupted_poll_is_no_lag(busy: Busy, database: Database) -> None:
    """Just before its end, with all indexed: ending it gets no further, the next poll does."""
    chain, world = busy
    (_, ledger) = await ledgers(chain, database)
    world.act(6)
    await ledger.index(world.chain.newest_slot())
    async with database.transaction() as connection:
        done = {"target_slot": WATERMARKS.c.final_slot, "target_complete": True}
        await connection.execute(sa.update(WATERMARKS).values(done))
    world.act(6)
    await ledger.index(world.chain.newest_slot())
    assert (await ledger.compare()).differences == []


async def test_accounts_from_a_node_that_is_ahead_of_the_index(
    served: tuple[RpcChain, NodeWorld], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two nodes answer by turns: the comparison is called off, and nothing is held against the accounts."""
    chain, world = served
    (_, ledger) = await ledgers(chain, database)
    world.act(12)
    ahead = chain.snapshot

    async def snapshot(program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        found = await ahead(program, min_slot=min_slot)
        world.node.faults.finality_lag = 3
        return found

    monkeypatch.setattr(chain, "snapshot", snapshot)
    with pytest.raises(ChainUnreachable, match="staking can be indexed up to slot"):
        await ledger.compare()
    async with database.reading() as connection:
        assert (await connection.execute(sa.select(COMPARISONS))).all() == []
    assert await halted(database) == []
    world.node.faults.finality_lag = 0
    monkeypatch.undo()
    assert (await ledger.compare()).differences == []


async def test_a_difference_halts_and_names_the_account(busy: Busy, database: Database) -> None:
    """An account was changed without an event, as by an upgraded program."""
    chain, world = busy
    world.act(3)
    (_, ledger) = await ledgers(chain, database)
    assert (await ledger.compare()).differences == []
    account = world.account(staking.CONFIG)
    stakes = world.staking_config().staked
    offset = account.data.index(stakes.to_bytes(8, "little"))
    data = account.data[:offset] + (stakes + 1).to_bytes(8, "little") + account.data[offset + 8 :]
    world.chain.set_account(staking.CONFIG, replace(account, data=data))
    (difference,) = (await ledger.compare()).differences
    assert (difference.address, difference.kind, difference.field) == (
        str(staking.CONFIG),
        "Config",
        "staked",
    )
    assert (difference.from_events, difference.on_chain) == (stakes, stakes + 1)
    (reason,) = await halted(database)
    assert f"Config {staking.CONFIG} staked: {stakes} from events, {stakes + 1} on chain" in reason
    async with database.reading() as connection:
        rows = (await connection.execute(sa.select(COMPARISONS).order_by(COMPARISONS.c.id))).all()
    assert [len(row.differences) for row in rows] == [0, 1]
    world.chain.set_account(staking.CONFIG, account)
    assert (await ledger.compare()).differences == []
    assert len(await halted(database)) == 1, "it stays until somebody has looked"


async def test_an_account_too_many_and_one_too_few(busy: Busy, database: Database) -> None:
    _, world = busy
    world.act(3)
    program = staking.PROGRAM
    book = Book(program)
    for record in world.chain.transactions():
        for event in program.events(record):
            FOLDS["staking"][event.name](book, event.fields, record.time)
    accounts = await world.chain.program_accounts(program.address)
    found = {address: account.data for address, account in accounts.items()}
    assert differences(book, found) == []
    device = staking.device_address(key("worker 0").pubkey())
    (gone,) = differences(book, {key: data for key, data in found.items() if key != device})
    assert (gone.address, gone.kind, gone.field, gone.on_chain) == (str(device), "Device", "", None)
    book.close("Device", device)
    (surplus,) = differences(book, found)
    assert (surplus.kind, surplus.from_events, surplus.on_chain) == ("", None, found[device].hex())
    book.create("Slash", device, 1)
    (other,) = differences(book, found)
    assert "expected a Slash of staking, found a Device" in other.on_chain


async def test_an_event_that_cannot_have_happened_halts(busy: Busy, database: Database) -> None:
    """One was lost before it, whoever lost it: the fold stops there and says where."""
    chain, world = busy
    world.act(6)
    (_, ledger) = await ledgers(chain, database)
    await ledger.indexer.poll()
    table = ledger.indexer.tables.by_event["DeviceRegistered"].table
    async with database.transaction() as connection:
        await connection.execute(sa.delete(table))
    with pytest.raises(FoldError, match=r"staking, slot \d+, Staked: there is no Device"):
        await ledger.fold()
    result = await ledger.compare()
    assert "there is no Device" in str(result.differences[0].from_events)
    assert "there is no Device" in (await halted(database))[0]


async def test_what_comes_to_light_late_makes_the_accounts_anew(
    served: tuple[RpcChain, NodeWorld], database: Database
) -> None:
    """The newest was kept back when its slot was indexed: accounts were made without it."""
    chain, world = served
    (_, ledger) = await ledgers(chain, database)
    world.act(12)
    names = [record.signature for record in await world.chain.history(staking.PROGRAM.address)]
    world.node.faults.forked_out.add(names[-1])
    await ledger.indexer.poll()
    await ledger.fold()
    world.node.faults.forked_out.clear()
    async with database.transaction() as connection:
        # As if it had been in the anchor's own slot.
        await connection.execute(sa.update(WATERMARKS).values(anchor_slot=0))
    await ledger.indexer.poll()
    assert (await ledger.compare()).differences == []
