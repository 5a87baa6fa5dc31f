"""Hours read from chains: the embedded one, through a node, while it goes on, and after its clock jumped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest
from solders.hash import Hash
from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Commitment, Head
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.errors import NodeRefused
from keeper.chain.records import Clock
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


class Cluster:
    """Blocks in nine of ten slots, as fast as clusters are, by turns: what an embedded chain has not."""

    def __init__(self, seconds: int) -> None:
        self.heads: list[Head] = []
        self.asked = 0
        self.begins = 0
        """The first slot of the node's history."""
        slot, time = 1_000, float(START)
        while time < START + seconds:
            slot, time = slot + 1, time + (0.39 if int(time) // 400 % 2 else 0.46)
            if slot % 10:
                self.heads.append(Head(slot, bytes(32), int(time)))

    async def clock(self, commitment: Commitment) -> Clock:
        return Clock(self.heads[-1].slot, self.heads[-1].time)

    async def slot(self, commitment: Commitment) -> int:
        return self.heads[-1].slot

    async def head(self, slot: int, commitment: Commitment) -> Head | None:
        self.asked += 1
        if slot < self.begins:
            raise NodeRefused(f"the node hasn't got the first block from slot {slot} on")
        return next((each for each in self.heads if each.slot >= slot), None)


async def test_near_a_known_block_few_questions_find_the_next_one() -> None:
    """A market's ticks, one after the other, each when it is final; before that no block is asked for."""
    cluster, near = Cluster(2_000), None
    chain, heads = cast("ChainReader", cluster), cluster.heads
    counts = []
    for time in range(START + 30, START + 1_980, 30):
        cluster.heads = [each for each in heads if each.time < time]
        cluster.asked = 0
        assert await first_at(chain, time, FINALIZED, near) is None
        assert cluster.asked == 0
        cluster.heads = [each for each in heads if each.time < time + 3]
        found = await first_at(chain, time, FINALIZED, near)
        assert found == next(each for each in heads if each.time >= time)
        near = found
        counts.append(cluster.asked)
    assert max(counts[1:]) <= 7
    assert sum(counts) <= 6 * len(counts)


async def test_near_any_block_the_first_from_a_time_on_is_the_same() -> None:
    cluster = Cluster(900)
    chain = cast("ChainReader", cluster)
    for near in (cluster.heads[0], cluster.heads[700], cluster.heads[-1]):
        for time in range(START - 5, START + 905, 41):
            expected = next((each for each in cluster.heads if each.time >= time), None)
            assert await first_at(chain, time, FINALIZED, near) == expected


@pytest.mark.parametrize("near", [None, 0, 700, -1])
async def test_a_guess_before_a_nodes_history_is_none_that_ends_the_search(near: int | None) -> None:
    """What the node has is found, whatever the guess; of what it hasn't it is said that others have more."""
    cluster = Cluster(900)
    chain = cast("ChainReader", cluster)
    known = cluster.heads[near] if near is not None else None
    cluster.begins = cluster.heads[1_000].slot
    there = cluster.heads[1_001:]
    for time in range(there[0].time + 1, START + 900, 29):
        expected = next(each for each in there if each.time >= time)
        assert await first_at(chain, time, FINALIZED, known) == expected
    for time in (START - 5, START + 100, cluster.heads[1_000].time - 1):
        with pytest.raises(NodeRefused, match="hasn't got"):
            await first_at(chain, time, FINALIZED, known)
