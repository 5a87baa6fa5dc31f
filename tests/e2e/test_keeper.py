"""The keeper's own parts on a chain that goes on by itself: index, intents, a node's notices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from keeper.chain import Chain, Commitment, Event
from keeper.chain.fees import FeePolicy
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.db.events import EventTables
from keeper.economy.supply import IO
from keeper.runtime.operation import Operation, operating, sender_of
from keeper.sender import Action
from tests.e2e.live import LiveChain
from tests.e2e.network import Network
from tests.programs.world import key

T = TypeVar("T")
PROGRAMS = (tokenomics.PROGRAM, staking.PROGRAM, orders.PROGRAM, buyback.PROGRAM)
LOG = structlog.get_logger()
NOTICE_SECONDS = 60
WHERE = "http://127.0.0.1:8899"
"""What the database remembers of where the chain is; nobody asks there."""


def run(network: Network, work: Callable[[Chain], Coroutine[Any, Any, T]]) -> T:
    """Let the keeper work on the scenarios' chain."""
    chain = network.pair.world.chain
    return chain.run(work) if isinstance(chain, LiveChain) else asyncio.run(work(chain))


async def indexed(operation: Operation, chain: Chain) -> None:
    """Once everything is final, the database has what the chain's history says, and accounts follow."""
    reached = await chain.slot(Commitment.CONFIRMED)
    while await chain.slot(Commitment.FINALIZED) < reached:
        await asyncio.sleep(0.2)
    await operation.index(LOG)
    for program in PROGRAMS:
        async with operation.database.reading() as connection:
            rows = await EventTables(program).read(connection, -1, 2**62)
        history = await chain.history(program.address)
        expected: list[Event] = [event for record in history for event in program.events(record)]
        assert [event for _, event in rows] == expected
    results = await operation.compare(LOG)
    assert [result.differences for result in results] == [[]] * len(results)


def test_events_alone_make_the_accounts(network: Network, tmp_path: Path) -> None:
    """Whatever the scenarios before this one did; then a little more, from where the index stopped."""
    url = f"sqlite:///{tmp_path}/keeper.db"

    async def work(chain: Chain) -> None:
        async with operating(chain, WHERE, url, "e2e") as operation:
            await indexed(operation, chain)

    run(network, work)
    supplier = network.join("indexed")
    device = network.let("indexed device", supplier, 10 * IO)
    assert network.stake(device, 1) == "stake"
    run(network, work)


def test_the_first_block_from_a_slot_on(network: Network) -> None:
    """Confirmed, and the same once it is final; the next one is another, and not earlier."""

    async def work(chain: Chain) -> None:
        reached = await chain.slot(Commitment.CONFIRMED)
        for slot in range(max(0, reached - 120), reached - 60, 7):
            found = await chain.head(slot, Commitment.CONFIRMED)
            assert found is not None
            assert found.slot >= slot
            assert await chain.head(found.slot, Commitment.CONFIRMED) == found
            following = await chain.head(found.slot + 1, Commitment.CONFIRMED)
            assert following is not None
            assert (following.slot > found.slot, following.time >= found.time) == (True, True)
            assert following.blockhash != found.blockhash
            while (final := await chain.head(slot, Commitment.FINALIZED)) is None:
                await asyncio.sleep(0.2)
            assert final == found

    run(network, work)


def test_an_intent_is_done_once(network: Network, tmp_path: Path) -> None:
    network.join("intent")
    payer, to = key("intent"), Pubkey.new_unique()
    give = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=10**9))

    async def still_due() -> bool:
        return True

    async def work(chain: Chain) -> None:
        async with operating(chain, WHERE, f"sqlite:///{tmp_path}/keeper.db", "e2e") as operation:
            assert await operation.leader.lead()
            sender = sender_of(operation, chain, payer, FeePolicy())
            for _ in range(2):
                (record,) = await sender.perform("e2e", [Action("once", (give,), still_due)], LOG)
                assert record.error is None

    for _ in range(2):
        run(network, work)
    account = network.pair.world.chain.get(to)
    assert account is not None and account.lamports == 10**9


@pytest.mark.validator
def test_a_node_s_notice_wakes_the_keeper(network: Network) -> None:
    supplier = network.join("noticed")
    device = network.let("noticed device", supplier)
    chain = network.pair.world.chain
    assert isinstance(chain, LiveChain)
    # The first notice is the connection's own: what happened before it is unknown.
    chain.run(lambda rpc: asyncio.wait_for(rpc.changed([staking.PROGRAM.address]), NOTICE_SECONDS))
    notice = chain.start(lambda rpc: rpc.changed([staking.PROGRAM.address]))
    assert network.stake(device, 1) == "stake"
    notice.result(NOTICE_SECONDS)
