"""Leases and the buyback under intents: everything once, and a refusal is tried again until it is none."""

from __future__ import annotations

import sqlalchemy as sa
import structlog

from keeper.chain.fees import FeePolicy
from keeper.chain.framework import associated_token_address
from keeper.clients import tokenomics
from keeper.db import Database, Leader
from keeper.db.tables import INTENTS
from keeper.economy.orders import fee
from keeper.jobs.buyback import run_auctions
from keeper.jobs.leases import keep_leases
from keeper.runtime.acting import Acting
from keeper.runtime.balance import BalanceGuard
from keeper.sender.sender import Sender
from tests.keeper.jobs.test_leases import RATE, close, opened
from tests.programs.buyback.world import USDC, BuybackWorld
from tests.programs.orders.world import HOUR, OrdersWorld
from tests.programs.world import World, key

LOG = structlog.get_logger()


async def under_intents(world: World, database: Database, job: str) -> Acting:
    leader = Leader(database, "test")
    await leader.lead()
    sender = Sender(world.chain, database, leader, world.payer, fees=FeePolicy(), poll_seconds=0)
    guard = BalanceGuard(world.chain, world.payer.pubkey(), 0, 0)
    return Acting(world.chain, sender, job, guard.check, LOG, lambda: None)


async def intents(database: Database) -> dict[str, str]:
    async with database.reading() as connection:
        rows = await connection.execute(sa.select(INTENTS).order_by(INTENTS.c.id))
        return {row.key: row.state for row in rows}


async def test_a_renters_account_that_is_gone_and_comes_back(database: Database) -> None:
    world = OrdersWorld.ready()
    renter = world.renter("renter")
    world.let("worker", world.supplier("supplier"))
    order = opened(world, "worker", hours=3, devices=1)
    port = await under_intents(world, database, "leases")

    async def run() -> list[str]:
        world.chain.advance(HOUR)
        return [e.name for e in await keep_leases(port) if e.name != "Earn"]

    assert await run() == ["Refund"]
    close(world, "renter", associated_token_address(renter.pubkey(), tokenomics.MINT))
    world.chain.advance(4 * HOUR)
    assert await run() == ["LeaseEnded", "Worked", "LeaseClosed"]
    closing = f"order:{order.address}:{order.created_at}:close_order"
    before = len(world.chain.transactions())
    for _ in range(10):
        assert await run() == []
        assert (await intents(database))[closing] == "refused", "never parked"
    assert len(world.chain.transactions()) == before, "a refusal that is foreseen costs nothing"
    world.give(renter.pubkey(), 1)
    assert await run() == ["OrderClosed"]
    assert set((await intents(database)).values()) == {"landed"}
    assert await run() == []


async def test_a_payout_account_that_is_gone_and_comes_back(database: Database) -> None:
    """Its money is parked under the keeper's intents, too, and paid from there."""
    world = OrdersWorld.ready()
    world.renter("renter")
    other = world.supplier("other").pubkey()
    world.let("worker", key("other"))
    opened(world, "worker", hours=1, devices=1)
    port = await under_intents(world, database, "leases")
    close(world, "other", associated_token_address(other, tokenomics.MINT))
    world.chain.advance(4 * HOUR)
    assert {"PayParked", "OrderClosed"} < {each.name for each in await keep_leases(port)}
    assert await keep_leases(port) == []
    world.give(other, 1)
    assert [each.name for each in await keep_leases(port)] == ["ParkedPaid"]
    assert world.balance(other) == 1 + RATE - fee(RATE, 25)
    assert set((await intents(database)).values()) == {"landed"}


async def test_auctions_are_named_by_their_numbers(database: Database) -> None:
    world = BuybackWorld.ready()
    world.start(1_000 * USDC)
    port = await under_intents(world, database, "auctions")
    world.chain.advance(86_400)
    await run_auctions(port)
    assert await intents(database) == {"auction:0:close": "landed", "auction:1:start": "landed"}
