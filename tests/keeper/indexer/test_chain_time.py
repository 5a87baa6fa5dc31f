"""As of what time an index is: by the chain's clock, which is no machine's, at the final slot."""

from __future__ import annotations

import sqlalchemy as sa

from keeper.chain.rpc import RpcChain
from keeper.clients import staking
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.db.tables import WATERMARKS
from keeper.indexer import lookup
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from keeper.indexer.program import ProgramIndexer
from tests.keeper.indexer.busy import BusyWorld, NodeWorld, prepared


async def folded(chain: object, database: Database) -> lookup.AsOf:
    for program in PROGRAMS.values():
        indexer = await prepared(ProgramIndexer(chain, database, program))  # type: ignore[arg-type]
        await indexer.poll()
        await Ledger(chain, database, indexer, FOLDS[program.name]).fold()  # type: ignore[arg-type]
    async with database.reading() as connection:
        found = await lookup.as_of(connection)
    assert found is not None
    return found


async def test_the_time_is_the_chains(database: Database) -> None:
    world = BusyWorld.started()
    world.act(5)
    first = await folded(world.chain, database)
    assert (first.slot, first.time) == (world.chain.newest_slot(), world.chain.now())
    world.chain.advance(7)
    second = await folded(world.chain, database)
    assert second.time == first.time + 7


async def test_the_time_is_the_final_banks(served: tuple[RpcChain, NodeWorld], database: Database) -> None:
    """What the node's newest bank shows is later."""
    chain, world = served
    world.act(8)
    world.node.faults.finality_lag = 12
    found = await folded(chain, database)
    assert found.slot == world.chain.newest_slot() - 12
    records = await world.chain.history(staking.PROGRAM.address)
    assert found.time == world.chain.now() >= max(each.time for each in records if each.slot <= found.slot)
    mark = await ProgramIndexer(chain, database, staking.PROGRAM).watermark()
    assert (mark.folded_slot, mark.folded_time) == (found.slot, found.time)


async def test_a_part_of_the_backlog_has_the_time_of_its_last_transaction(database: Database) -> None:
    world = BusyWorld.started()
    world.act(20)
    indexer = await prepared(ProgramIndexer(world.chain, database, staking.PROGRAM))
    await indexer.poll()
    kept = Ledger(world.chain, database, indexer, FOLDS["staking"])
    records = [each for each in await world.chain.history(staking.PROGRAM.address) if each.error is None]
    middle = records[len(records) // 2]
    await kept.fold(middle.slot)
    query = sa.select(WATERMARKS).filter_by(program="staking")
    async with database.reading() as connection:
        mark = (await connection.execute(query)).one()
    assert (mark.folded_slot, mark.folded_time) == (middle.slot, middle.time)
    assert mark.final_time == world.chain.now() > middle.time
