"""Direct ways between members, over real sockets: bound by their keys, and nobody else says anything."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import structlog
from structlog.testing import capture_logs

from keeper.cli.localnet_child import free_port
from keeper.compute import direct
from keeper.compute.bodies import Endpoint, endpoint
from keeper.compute.direct import Direct, way
from keeper.compute.members import RENTER
from keeper.compute.peers import Other
from keeper.compute.relay import ASKING, BOUND, LINK, bind
from keeper.compute.ways import SILENT_SECONDS, Ways
from keeper.compute.wire import Network
from tests.programs.world import key

ORDER, NETWORK = key("order").pubkey(), Network(bytes(32), key("program").pubkey())
ONE, TWO, STRANGER = key("one"), key("two"), key("three")
LOG = structlog.get_logger()
HERE = "127.0.0.1"
SECONDS = 60


class Member:
    """One whose address may be this machine's own."""

    def __init__(self, signer, port: int = 0, order=ORDER) -> None:
        self.heard: list[tuple[object, bytes]] = []
        self.direct = Direct(NETWORK, order, signer, LOG, port, usable=self._usable)
        self.direct.deliver = lambda member, data: self.heard.append((member, data))

    @staticmethod
    def _usable(endpoints):
        return tuple((HERE, each.port) for each in endpoints)

    async def until(self, holds) -> None:
        async with asyncio.timeout(SECONDS):
            while not holds():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(*members: Member) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.direct.run()) for each in members]
    try:
        yield
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Member, Member, int]]:
    """One who comes, and two who is reached, once there is a way."""
    port = free_port(socket.SOCK_DGRAM)
    one, two = Member(ONE), Member(TWO, port)
    one.direct.want({TWO.pubkey(): [endpoint(HERE, port)]})
    two.direct.want({ONE.pubkey(): []})
    async with running(one, two):
        await one.until(lambda: one.direct.reaches(TWO.pubkey()) and two.direct.reaches(ONE.pubkey()))
        yield one, two, port


async def test_who_is_reached_and_who_comes_hear_each_other() -> None:
    async with pair() as (one, two, _):
        one.direct.send(TWO.pubkey(), b"\x04there")
        await two.until(lambda: two.heard == [(ONE.pubkey(), b"\x04there")])
        two.direct.send(ONE.pubkey(), b"\x04back")
        await one.until(lambda: one.heard == [(TWO.pubkey(), b"\x04back")])
        # Who isn't a member any more is neither heard nor sent to.
        two.direct.want({})
        one.direct.send(TWO.pubkey(), b"\x04late")
        two.direct.send(ONE.pubkey(), b"\x04late")
        await asyncio.sleep(0.2)
        assert len(one.heard) == len(two.heard) == 1 and not two.direct.reaches(ONE.pubkey())


async def test_a_stranger_who_knows_all_that_is_public_is_not_heard_and_takes_no_way() -> None:
    async with pair() as (one, two, port):
        mine = way(ORDER, ONE.pubkey(), TWO.pubkey())
        ms = time.time_ns() // 1_000_000 + 5_000
        genuine = bind(NETWORK, ORDER, mine, ms, ONE)
        forged = [
            mine + b"\x04said by somebody else",
            bind(NETWORK, ORDER, mine, ms, STRANGER),
            bind(NETWORK, STRANGER.pubkey(), mine, ms, ONE),
            bind(Network(bytes([1]) * 32, NETWORK.program), ORDER, mine, ms, ONE),
            bind(NETWORK, ORDER, bytes(LINK), ms, ONE),
            bind(NETWORK, ORDER, mine, ms - 10_000, ONE),
            bind(NETWORK, ORDER, mine, ms + 3_600_000, ONE),
            genuine[:-1],
            genuine[:-1] + bytes([genuine[-1] ^ 1]),
            mine + BOUND.pack(direct.MAGIC, ms),
        ]
        assert len(genuine) == ASKING
        before = two.direct._ways[ONE.pubkey()].address
        with socket.socket(type=socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            for each in forged:
                other.sendto(each, (HERE, port))
            one.direct.send(TWO.pubkey(), b"\x04after them")
            await two.until(lambda: two.heard)
            assert two.heard == [(ONE.pubkey(), b"\x04after them")]
            assert two.direct._ways[ONE.pubkey()].address == before
            with pytest.raises(BlockingIOError):
                other.recv(2_000)


async def test_an_address_that_answers_nothing_gets_few_binds_and_nothing_else() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as victim:
        victim.bind((HERE, 0))
        victim.setblocking(False)
        one = Member(ONE)
        one.direct.want({TWO.pubkey(): [endpoint(HERE, victim.getsockname()[1])]})
        async with running(one):
            got = []
            async with asyncio.timeout(SECONDS):
                while not got:
                    one.direct.send(TWO.pubkey(), b"\x04secret")
                    await asyncio.sleep(0.05)
                    with suppress(BlockingIOError):
                        got.append(victim.recv(2_000))
            # Neither its own words nor a made-up answer are one.
            for each in (got[0], got[0][:LINK] + BOUND.pack(direct.MAGIC, 7)):
                victim.sendto(each, (HERE, port_of(one)))
            await asyncio.sleep(0.2)
            assert not one.direct.reaches(TWO.pubkey())
        assert [len(each) for each in got] == [ASKING]


def port_of(member: Member) -> int:
    return int(member.direct._transport.get_extra_info("sockname")[1])


def test_only_public_addresses_are_sent_to() -> None:
    private = (
        "10.0.0.1",
        "192.168.1.7",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
    )
    assert direct.usable([endpoint(each, 51_900) for each in private]) == ()
    assert direct.usable([endpoint("93.184.216.34", 0), Endpoint(bytes(15) + b"\1", 51_900)]) == ()
    assert direct.usable([endpoint("93.184.216.34", 51_900)]) == (("93.184.216.34", 51_900),)


async def test_a_port_that_is_taken_leaves_the_relays() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 0))
        made = Member(ONE, other.getsockname()[1])
        with capture_logs() as logs:
            await made.direct.run()
        assert [each["event"] for each in logs] == ["direct.no_port"]
        made.direct.send(TWO.pubkey(), b"lost")
        assert not made.direct.reaches(TWO.pubkey())


async def test_it_is_taken_before_any_relay_and_left_when_nothing_comes_by_it() -> None:
    """Of one member, on a clock of the test's: what goes by the direct way, and what by the relay."""

    class Line:
        def __init__(self) -> None:
            self.sent: list[bytes] = []

        def reaches(self, other) -> bool:
            return True

        def send(self, other, datagram: bytes) -> None:
            self.sent.append(datagram)

    now = 0.0
    found = Ways([], ORDER, ONE, lambda sender, data: None, LOG, lambda: now)
    relay, straight = Line(), Line()
    found._carriers, found._direct = [relay, straight], 1  # type: ignore[list-item]
    other = TWO.pubkey()
    found._from(0)(other, b"\x04")
    found.send(other, b"a")
    assert (relay.sent, straight.sent) == ([b"a"], []), "by the relay until it is there"
    found._from(1)(other, b"\x04")
    found._from(0)(other, b"\x04")
    found.send(other, b"b")
    assert (relay.sent, straight.sent) == ([b"a"], [b"b"]), "though a relay brings the same later"
    now += SILENT_SECONDS
    found.send(other, b"c")
    assert (relay.sent[1:], straight.sent[1:]) == ([b"c"], [b"c"])
    found._from(0)(other, b"\x04")
    found.send(other, b"d")
    assert (relay.sent[2:], straight.sent[2:]) == ([b"d"], []), "nothing came by it: relays carry"


async def test_members_without_any_relay_have_ways_by_it() -> None:
    port = free_port(socket.SOCK_DGRAM)
    one, two = Member(ONE), Member(TWO, port)
    heard: list[tuple[object, bytes]] = []
    there = Ways([], ORDER, ONE, lambda *what: heard.append(what), LOG, direct=one.direct)
    back = Ways([], ORDER, TWO, lambda *what: heard.append(what), LOG, direct=two.direct)
    there.want({TWO.pubkey(): Other(bytes(32), RENTER, (endpoint(HERE, port),))})
    back.want({ONE.pubkey(): Other(bytes(32), RENTER)})
    there.begin(), back.begin()
    try:
        async with asyncio.timeout(SECONDS):
            while (TWO.pubkey(), b"\x04pong") not in heard:
                there.send(TWO.pubkey(), b"\x04ping")
                back.send(ONE.pubkey(), b"\x04pong")
                await asyncio.sleep(0.02)
        assert (ONE.pubkey(), b"\x04ping") in heard
    finally:
        await there.close()
        await back.close()
