"""The relay on loopback, with real sockets: a pair talks, and nobody else gets a word in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from solders.keypair import Keypair

from keeper.budgets import Rate
from keeper.compute.relay import BOUND, LINK, MAGIC, MAX_PAYLOAD, MOST_WAITING, Dropped, Relay, bind
from keeper.compute.wire import CLOCK_MS
from tests.keeper.compute.messages import DEVICE, MS, NETWORK, OPERATOR, ORDER

ONE, OTHER, STRANGER = (Keypair.from_seed(bytes([each]) * 32) for each in (1, 2, 3))


class Peer(asyncio.DatagramProtocol):
    """A member's socket."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()
        self.told: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address) -> None:
        (self.told if data.startswith(MAGIC, LINK) else self.got).put_nowait(data)

    def send(self, data: bytes) -> None:
        self.transport.sendto(data)


class Field:
    """A relay, a clock that stands still, and its peers."""

    def __init__(self, rate: Rate) -> None:
        self.ms, self.monotonic = MS, 0.0
        self.relay = Relay(NETWORK, lambda: self.ms, lambda: self.monotonic, rate)
        self.one, self.other, self.stranger = Peer(), Peer(), Peer()
        self.mine, self.theirs = self.relay.open(ORDER, ONE.pubkey(), OTHER.pubkey())

    async def send(self, peer: Peer, data: bytes) -> Dropped | None:
        """Send, and wait until the relay has had it; why it was dropped."""
        before, seen = self.relay.dropped.copy(), self.seen.qsize()
        peer.send(data)
        while self.seen.qsize() == seen:
            await asyncio.sleep(0)
        found = self.relay.dropped - before
        return next(iter(found), None)

    async def bound(self) -> None:
        assert await self.send(self.one, bind(NETWORK, ORDER, self.mine, MS, ONE)) is None
        assert await self.send(self.other, bind(NETWORK, ORDER, self.theirs, MS, OTHER)) is None


@asynccontextmanager
async def field(rate: Rate = Rate(10_000_000, 10_000_000)) -> AsyncIterator[Field]:
    loop, here = asyncio.get_running_loop(), Field(rate)
    here.seen = asyncio.Queue()

    class Watched(asyncio.DatagramProtocol):
        connection_made = here.relay.connection_made
        error_received = here.relay.error_received

        def datagram_received(self, data, address):
            here.relay.datagram_received(data, address)
            here.seen.put_nowait(data)

    transport, _ = await loop.create_datagram_endpoint(Watched, local_addr=("127.0.0.1", 0))
    at = transport.get_extra_info("sockname")
    transports = [transport]
    for peer in (here.one, here.other, here.stranger):
        made, _ = await loop.create_datagram_endpoint(lambda peer=peer: peer, remote_addr=at)
        transports.append(made)
    try:
        yield here
    finally:
        for each in transports:
            each.close()


async def test_a_pair_talks_both_ways_each_under_its_own_link() -> None:
    async with field() as here:
        await here.bound()
        assert await here.send(here.one, here.mine + b"hello") is None
        assert await here.other.got.get() == here.theirs + b"hello"
        assert await here.send(here.other, here.theirs + b"yes") is None
        assert await here.one.got.get() == here.mine + b"yes"
        assert here.relay.relayed_bytes == 8 and not here.relay.dropped


async def test_a_third_party_injects_nothing() -> None:
    async with field() as here:
        stranger = here.stranger
        assert await here.send(stranger, here.mine + b"x") is Dropped.NOT_BOUND
        await here.bound()
        assert await here.send(stranger, here.mine + b"x") is Dropped.OTHER_ADDRESS
        assert await here.send(stranger, bytes(LINK) + b"x") is Dropped.UNKNOWN_LINK
        assert await here.send(stranger, b"short") is Dropped.UNKNOWN_LINK
        # Nor may it bind: not by its own key, not by a copy, not by the other member's key.
        forged = bind(NETWORK, ORDER, here.mine, MS + 1, STRANGER)
        assert await here.send(stranger, forged) is Dropped.BAD_BIND
        assert await here.send(stranger, bind(NETWORK, ORDER, here.mine, MS, ONE)) is Dropped.OLD_BIND
        other_end = bind(NETWORK, ORDER, here.mine, MS + 1, OTHER)
        assert await here.send(stranger, other_end) is Dropped.BAD_BIND
        assert here.one.got.empty() and here.other.got.empty() and here.stranger.got.empty()


@pytest.mark.parametrize(
    ("network", "order"),
    [
        (replace(NETWORK, genesis=bytes(32)), ORDER),
        (replace(NETWORK, program=DEVICE), ORDER),
        (NETWORK, DEVICE),
    ],
)
async def test_a_bind_for_another_chain_program_or_order_is_none(network, order) -> None:
    async with field() as here:
        assert await here.send(here.one, bind(network, order, here.mine, MS, ONE)) is Dropped.BAD_BIND


async def test_a_bind_of_another_time_or_with_a_flipped_bit_is_none() -> None:
    async with field() as here:
        for off in (-CLOCK_MS - 1, CLOCK_MS + 1):
            late = bind(NETWORK, ORDER, here.mine, MS + off, ONE)
            assert await here.send(here.one, late) is Dropped.WRONG_CLOCK
        good = bind(NETWORK, ORDER, here.mine, MS, ONE)
        assert await here.send(here.one, good[:-1]) is Dropped.BAD_BIND
        assert await here.send(here.one, good[:-1] + bytes([good[-1] ^ 1])) is Dropped.BAD_BIND


async def test_a_member_that_moved_binds_again() -> None:
    async with field() as here:
        await here.bound()
        assert await here.send(here.stranger, bind(NETWORK, ORDER, here.mine, MS + 1, ONE)) is None
        assert await here.send(here.one, here.mine + b"old") is Dropped.OTHER_ADDRESS
        assert await here.send(here.other, here.theirs + b"new") is None
        assert await here.stranger.got.get() == here.mine + b"new"


async def test_pairs_of_one_order_alone() -> None:
    async with field() as here:
        await here.bound()
        mine, theirs = here.relay.open(OPERATOR, ONE.pubkey(), OTHER.pubkey())
        assert len({mine, theirs, here.mine, here.theirs}) == 4
        assert await here.send(here.one, mine + b"x") is Dropped.NOT_BOUND
        assert await here.send(here.one, bind(NETWORK, OPERATOR, mine, MS, ONE)) is None
        assert await here.send(here.one, mine + b"x") is Dropped.OTHER_END_NOT_BOUND
        assert here.other.got.empty()


async def test_a_pair_keeps_its_links_until_a_member_leaves() -> None:
    async with field() as here:
        await here.bound()
        one, other = ONE.pubkey(), OTHER.pubkey()
        assert here.relay.open(ORDER, one, other) == (here.mine, here.theirs)
        assert here.relay.open(ORDER, other, one) == (here.theirs, here.mine)
        third = here.relay.open(ORDER, one, STRANGER.pubkey())
        here.relay.close(ORDER, other)
        assert await here.send(here.one, here.mine + b"x") is Dropped.UNKNOWN_LINK
        assert here.relay.open(ORDER, one, STRANGER.pubkey()) == third
        assert here.relay.open(ORDER, one, other) != (here.mine, here.theirs)


async def test_a_member_has_its_rate_and_the_other_its_own() -> None:
    async with field(Rate(1_000, 100)) as here:
        await here.bound()
        half = here.mine + bytes(500 - LINK)
        assert [await here.send(here.one, half) for _ in range(3)] == [None, None, Dropped.TOO_MANY]
        assert await here.send(here.other, here.theirs + b"x") is None
        here.monotonic += 5
        assert await here.send(here.one, half) is None


async def test_a_line_that_is_full_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """No line of a test is ever full: what waits for it is said instead."""
    async with field() as here:
        await here.bound()
        waiting = {"bytes": MOST_WAITING + 1}
        monkeypatch.setattr(type(here.relay._transport), "get_write_buffer_size", lambda _: waiting["bytes"])
        assert await here.send(here.one, here.mine + b"lost") is Dropped.LINE_FULL
        waiting["bytes"] = MOST_WAITING
        assert await here.send(here.one, here.mine + b"sent") is None
        assert await here.other.got.get() == here.theirs + b"sent"


async def test_the_longest_datagram_and_a_longer_one() -> None:
    async with field() as here:
        await here.bound()
        assert await here.send(here.one, here.mine + bytes(MAX_PAYLOAD)) is None
        assert await here.send(here.one, here.mine + bytes(MAX_PAYLOAD + 1)) is Dropped.TOO_LONG


async def test_binds_of_an_address_are_limited_before_their_signatures_are_looked_at() -> None:
    async with field() as here:
        found = [
            await here.send(here.stranger, bind(NETWORK, ORDER, here.mine, MS + n, ONE)[:-64] + bytes(64))
            for n in range(61)
        ]
        assert found == [Dropped.BAD_BIND] * 60 + [Dropped.TOO_MANY]


async def test_who_binds_is_told_and_nobody_else() -> None:
    async with field() as here:
        await here.bound()
        assert await here.one.told.get() == here.mine + BOUND.pack(MAGIC, MS)
        assert await here.other.told.get() == here.theirs + BOUND.pack(MAGIC, MS)
        copy = bind(NETWORK, ORDER, here.mine, MS, ONE)
        assert await here.send(here.stranger, copy) is Dropped.OLD_BIND
        assert here.stranger.told.empty() and here.relay.bound == 2
