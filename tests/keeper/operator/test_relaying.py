"""The relay as its own process, over real sockets: what it hands on, and what a kill costs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator

import pytest
import structlog
from solders.keypair import Keypair

from keeper.compute.relay import BOUND, MAGIC, bind
from keeper.operator.clusters import relaying
from keeper.operator.clusters.relaying import Relaying, RelayRefused
from keeper.operator.metrics import Metrics
from tests.keeper.compute.messages import NETWORK, ORDER

ONE, OTHER, THIRD = (Keypair.from_seed(bytes([each]) * 32) for each in (1, 2, 3))
LOG = structlog.get_logger()


class Member:
    """A member's socket, connected to the relay."""

    def __init__(self, relay: Relaying, signer: Keypair) -> None:
        self.signer = signer
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(("127.0.0.1", relay.port))

    async def take(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.socket, 2_048)

    async def bind(self, link: bytes) -> None:
        """Bind a link, as often as it takes: a process that starts has no links for a moment."""
        while True:
            ms = time.time_ns() // 1_000_000
            self.socket.send(bind(NETWORK, ORDER, link, ms, self.signer))
            try:
                async with asyncio.timeout(0.1):
                    assert await self.take() == link + BOUND.pack(MAGIC, ms)
                    return
            except (TimeoutError, ConnectionRefusedError):
                continue


@pytest.fixture
async def relay(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Relaying]:
    monkeypatch.setattr(relaying, "AGAIN_SECONDS", 0.0)
    found = Relaying("127.0.0.1", 0, NETWORK, 25_000_000, LOG, Metrics())
    async with found.running():
        yield found


async def talk(one: Member, other: Member, mine: bytes, theirs: bytes) -> None:
    one.socket.send(mine + b"\x04 hello")
    assert await other.take() == theirs + b"\x04 hello"
    other.socket.send(theirs + b"\x04 and back")
    assert await one.take() == mine + b"\x04 and back"


async def test_two_members_talk_and_a_killed_relay_has_the_same_links_again(relay: Relaying) -> None:
    one, other = Member(relay, ONE), Member(relay, OTHER)
    mine, theirs = relay.open(ORDER, ONE.pubkey(), OTHER.pubkey())
    assert relay.open(ORDER, OTHER.pubkey(), ONE.pubkey()) == (theirs, mine)
    await one.bind(mine)
    await other.bind(theirs)
    await talk(one, other, mine, theirs)
    first = relay.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    while relay.pid in (None, first):
        await asyncio.sleep(0.01)
    await one.bind(mine)
    await other.bind(theirs)
    await talk(one, other, mine, theirs)


async def test_who_leaves_has_no_link_any_more_and_the_others_have(relay: Relaying) -> None:
    mine, theirs = relay.open(ORDER, ONE.pubkey(), OTHER.pubkey())
    gone, _ = relay.open(ORDER, ONE.pubkey(), THIRD.pubkey())
    one, other = Member(relay, ONE), Member(relay, OTHER)
    await one.bind(gone)
    relay.keep_only(lambda order: {ONE.pubkey(), OTHER.pubkey()})
    await one.bind(mine)
    await other.bind(theirs)
    await talk(one, other, mine, theirs)
    # What was closed is unknown: nobody answers, and an answer to what came later is the next that comes.
    ms = time.time_ns() // 1_000_000 + 1
    one.socket.send(bind(NETWORK, ORDER, gone, ms, ONE))
    await talk(one, other, mine, theirs)
    assert relay.open(ORDER, ONE.pubkey(), THIRD.pubkey())[0] != gone
    relay.keep_only(lambda order: set())
    assert relay._metrics.links._value.get() == 0


async def test_what_it_did_is_counted(relay: Relaying) -> None:
    one, other = Member(relay, ONE), Member(relay, OTHER)
    mine, theirs = relay.open(ORDER, ONE.pubkey(), OTHER.pubkey())
    await one.bind(mine)
    await other.bind(theirs)
    one.socket.send(bytes([9]) * 20)
    await talk(one, other, mine, theirs)
    figures = relay._metrics
    while not figures.relayed._value.get():
        await asyncio.sleep(0.01)
    assert figures.relayed._value.get() == len(b"\x04 hello") + len(b"\x04 and back")
    assert figures.bound._value.get() == 2
    assert figures.dropped.labels("unknown_link")._value.get() >= 1


async def test_a_process_whose_service_is_gone_ends() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        number, given = there.fileno(), (NETWORK.genesis.hex(), str(NETWORK.program), "1")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", relaying.MODULE, str(number), *given),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=[number],
        )
        process.stdin.close()
        assert await process.wait() == 0


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        with pytest.raises(RelayRefused, match="set IONET_RELAY to another address, or off"):
            Relaying("127.0.0.1", there.getsockname()[1], NETWORK, 1, LOG, Metrics())
