"""Two sandboxes' networks over real WireGuard: members reach each other, a stranger gets nothing."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from keeper.compute import carrier
from keeper.compute.namespace import Namespaces, SandboxFailed
from keeper.compute.overlay import LEAST_AHEAD, LINE, Overlay, Peer
from tests.keeper.compute.sandboxing import PYTHON, USER, require

pytestmark = pytest.mark.usefixtures("possible")
ONE, OTHER = IPv4Address("10.1.1.1"), IPv4Address("10.250.7.9")


@pytest.fixture(scope="session")
def possible() -> None:
    require()


@asynccontextmanager
async def overlay(
    address: IPv4Address, key: PrivateKey | None = None, rate: int = LINE
) -> AsyncIterator[Overlay]:
    spaces = await Namespaces.open(user=USER, python=PYTHON)
    made = Overlay(spaces, key or PrivateKey.generate(), address, rate=rate)
    try:
        await made.up()
        yield made
    finally:
        made.close()
        await spaces.end()


def public(member: Overlay) -> bytes:
    return bytes(member._key.public_key)


async def join(one: Overlay, other: Overlay, seen: list[bytes] | None = None) -> tuple[Peer, Peer]:
    """Make them each other's peers; what one sends is carried to the other in this process."""
    carried = [] if seen is None else seen

    def carry(to: Peer, data: bytes) -> None:
        carried.append(data)
        to.deliver(data)

    there = Peer(public(other), other.address, lambda data: carry(here, data))
    here = Peer(public(one), one.address, lambda data: carry(there, data))
    await one.add(there)
    await other.add(here)
    return there, here


async def listen(member: Overlay, port: int = 6_379):
    """A server in a member's network, answering what it gets once."""
    made = await member._spaces.socket("tcp")
    made.bind((str(member.address), port))
    made.listen()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        while True:
            taken, _ = await loop.sock_accept(made)
            taken.setblocking(False)
            while data := await loop.sock_recv(taken, 65_536):
                await loop.sock_sendall(taken, data)
            taken.close()

    task = asyncio.create_task(serve())

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        made.close()

    return stop


async def test_members_talk_and_what_is_carried_is_not_what_they_say() -> None:
    seen: list[bytes] = []
    async with overlay(ONE) as one, overlay(OTHER) as other, AsyncExitStack() as stack:
        await join(one, other, seen)
        stack.push_async_callback(await listen(other))
        made = await one.connect(OTHER, 6_379)
        said = b"a secret of the renter's" * 4_000
        sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(made, said))
        got = b""
        while len(got) < len(said):
            got += await asyncio.get_running_loop().sock_recv(made, 65_536)
        await sending
        made.close()
        assert got == said
        assert not any(b"a secret" in each for each in seen)
        assert max(map(len, seen)) <= 1_500


@pytest.mark.parametrize(("out", "into"), [(400_000, LINE), (LINE, 400_000)])
async def test_no_more_goes_out_or_comes_in_than_the_line_is_given(out: int, into: int) -> None:
    """Far more is sent than may be at once: whatever the machine's speed, seconds and bytes fit together."""
    loop = asyncio.get_running_loop()
    async with overlay(ONE, rate=out) as one, overlay(OTHER, rate=into) as other, AsyncExitStack() as stack:
        there, here = await join(one, other)
        stack.push_async_callback(await listen(other))
        began = loop.time()
        made = await one.connect(OTHER, 6_379)
        sending = asyncio.create_task(loop.sock_sendall(made, bytes(400_000)))
        got = 0
        while got < 400_000:
            got += len(await loop.sock_recv(made, 65_536))
        await sending
        made.close()
        seconds = loop.time() - began
        for passed, rate in ((there.sent, out), (here.sent, into), (here.received, into)):
            assert passed <= LEAST_AHEAD + rate * seconds + 2_048 or rate == LINE
        assert here.received > 400_000


def test_what_a_renter_sends_goes_behind_all_else_of_the_machine() -> None:
    for family, level, name in (
        (socket.AF_INET, socket.IPPROTO_IP, socket.IP_TOS),
        (socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
    ):
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            carrier.yields(line)
            assert line.getsockopt(level, name) == 4
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY) == 2


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_an_answer_that_nobody_waits_for_is_no_later_ones() -> None:
    async with overlay(ONE) as one:
        before = descriptors()
        for _ in range(50):
            asking = asyncio.create_task(one._spaces.socket("udp"))
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        with pytest.raises(SandboxFailed, match="can't be made: wg: "):
            await one._spaces.ask("wg", arguments=["set", "wg0", "peer", "rubbish"])
        made = await one._spaces.socket("tcp")
        assert made.type & socket.SOCK_STREAM
        made.close()
        assert descriptors() == before


async def test_who_is_removed_reaches_nobody() -> None:
    async with overlay(ONE) as one, overlay(OTHER) as other, AsyncExitStack() as stack:
        _, here = await join(one, other)
        stack.push_async_callback(await listen(other))
        (await one.connect(OTHER, 6_379)).close()
        await other.remove(here)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await one.connect(OTHER, 6_379)


async def test_a_stranger_with_a_members_carrier_gets_nothing() -> None:
    """It has everything but the key: whoever carries datagrams, such as a relay, can't join."""
    answers: list[bytes] = []
    async with overlay(ONE) as one, overlay(OTHER) as other, overlay(ONE) as stranger:
        known = Peer(public(one), ONE, answers.append)
        await other.add(known)
        await stranger.add(Peer(public(other), OTHER, known.deliver))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await stranger.connect(OTHER, 6_379)
        assert known.received > 0  # It was heard, and hears at most
        assert {each[0] for each in answers} <= {1}  # that the other asks the real member.


async def test_a_member_speaks_under_its_own_address_alone() -> None:
    async with overlay(ONE) as one, overlay(OTHER) as other, AsyncExitStack() as stack:
        false = Peer(public(one), IPv4Address("10.9.9.9"), lambda data: there.deliver(data))  # noqa: PLW0108 - none yet
        there = Peer(public(other), OTHER, false.deliver)
        await one.add(there)
        await other.add(false)
        stack.push_async_callback(await listen(other))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await one.connect(OTHER, 6_379)
        assert false.received > 0


async def test_a_peer_is_added_once_and_rubbish_is_refused() -> None:
    async with overlay(ONE) as one:
        peer = Peer(os.urandom(32), OTHER, lambda _: None)
        await one.add(peer)
        with pytest.raises(SandboxFailed, match=r"10\.250\.7\.9 is in the overlay already"):
            await one.add(peer)
        with pytest.raises(SandboxFailed, match="can't be made: wg: Key is not the correct length"):
            await one.add(Peer(b"short", OTHER, lambda _: None))
