"""Hours read from chains: the embedded one, through a node, while it goes on, and after its clock jumped."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from solders.hash import Hash
from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Commitment, Head
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.rpc import RpcChain
from keeper.pow.clock import HOUR, HourPlan, Network, Ping, Wave
from keeper.pow.replay import clock_at, events, first_at, read_hour
from tests.keeper.chain.rpc_node import RpcNode, through

CONFIRMED, FINALIZED = Commitment.CONFIRMED, Commitment.FINALIZED
START = 1_700_000_000
GENESIS = Hash(b"\x05" * 32)
NETWORK = Network(bytes(GENESIS), Pubkey(b"\x02" * 32), START)


def chain_at(now: int) -> EmbeddedChain:
    return EmbeddedChain(now=now, genesis=GENESIS, verify_signatures=False)


@pytest.fixture
async def rpc() -> AsyncIterator[tuple[RpcChain, RpcNode]]:
    node = RpcNode(chain_at(START - 10 * HOUR))
    async with through(node) as chain:
        yield chain, node


async def all_heads(chain: ChainReader) -> list[Head]:
    found: list[Head] = []
    while head := await chain.head(found[-1].slot + 1 if found else 0, CONFIRMED):
        found.append(head)
    return found


def mains(plan: HourPlan | None) -> list[Wave]:
    assert plan is not None
    return [each for each in plan.waves if not each.spot]


async def test_an_hour_by_one_jump_by_several_and_by_seconds_has_one_wave() -> None:
    for step in (HOUR, 1_000, 7, 1):
        chain = chain_at(START - 50)
        while chain.now() < START + HOUR:
            chain.advance(step)
        (wave,) = mains(await read_hour(chain, NETWORK, 0))
        assert 60 <= wave.time - START <= 3_300


async def test_an_hour_in_which_the_clock_was_put_back() -> None:
    chain = chain_at(START)
    chain.advance(2_000)
    chain.warp_to(START + 500)
    chain.advance(500)
    chain.warp_to(START + 3 * HOUR)
    for hour in range(2):
        assert len(mains(await read_hour(chain, NETWORK, hour))) == 1


async def test_an_hour_is_none_until_it_is_over() -> None:
    chain = chain_at(START)
    chain.advance(3_290)
    assert await read_hour(chain, NETWORK, 0) is None
    chain.advance(30)
    assert await read_hour(chain, NETWORK, 0) is not None
    assert await read_hour(chain, NETWORK, 1) is None


async def test_through_a_node_an_hour_is_the_same(rpc: tuple[RpcChain, RpcNode]) -> None:
    chain, node = rpc
    node.chain.warp_to(START + 3 * HOUR)
    expected = await read_hour(node.chain, NETWORK, 1)
    assert len(mains(expected)) == 1
    assert await read_hour(chain, NETWORK, 1) == expected


async def test_a_node_with_a_short_history_is_enough(rpc: tuple[RpcChain, RpcNode]) -> None:
    """Of ten days, one hour and what is around it."""
    chain, node = rpc
    node.chain.warp_to(START + 240 * HOUR)
    node.faults.history_from = node.chain.newest_slot() - 4 * 9_000
    begin = START + 238 * HOUR
    found = await first_at(chain, begin, FINALIZED)
    assert found == await first_at(node.chain, begin, FINALIZED)
    assert found is not None
    assert begin <= found.time < begin + 13


async def test_live_is_what_a_replay_finds() -> None:
    chain = chain_at(START - HOUR)
    chain.advance(HOUR + 1_500)
    clock = await clock_at(chain, NETWORK, 0, CONFIRMED)
    live: list[Wave | Ping | None] = []
    while not clock.is_over(1):
        async for event in events(chain, clock, CONFIRMED):
            live.append(event)
        chain.advance(5)
    for hour in range(2):
        assert HourPlan.of(hour, live) == await read_hour(chain, NETWORK, hour)


async def test_a_clock_may_begin_at_an_hour_that_is_to_come() -> None:
    chain = chain_at(START)
    chain.advance(100)
    clock = await clock_at(chain, NETWORK, 5, CONFIRMED)
    assert clock.next_slot <= chain.newest_slot() + 1
    chain.advance(7 * HOUR)
    found = [event async for event in events(chain, clock, CONFIRMED)]
    assert HourPlan.of(5, found) == await read_hour(chain, NETWORK, 5)


async def test_the_first_block_from_a_time_on_is_the_one_that_a_walk_finds() -> None:
    """Whatever pace the chain has had, and wherever the guess falls."""
    chain = chain_at(START)
    for seconds, executed in ((700, 0), (1, 90), (3_000, 0), (0, 200), (50, 3)):
        chain.advance(seconds)
        for _ in range(executed):
            chain._set_clock(chain.newest_slot() + 1, chain.now())
    heads = await all_heads(chain)
    for time in range(START - 100, START + 3_800, 37):
        expected = next((each for each in heads if each.time >= time), None)
        assert await first_at(chain, time, CONFIRMED) == expected
