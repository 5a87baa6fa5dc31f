"""A renter's code at its way out: what it asks for and gets, and all that it tries, a test for each."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network

import pytest
import structlog
from structlog.testing import capture_logs

from keeper.budgets import Buckets, Rate
from keeper.compute import proxy as module
from keeper.compute.egress import Address
from keeper.compute.proxy import Meter, Proxy

NAME, PUBLIC = "pypi.org", "93.184.216.34"
LARGE = 1 << 30
ENDS = b"\r\n\r\n"


class Place:
    """A proxy at ports of this machine, to a server that gives back what it hears."""

    def __init__(self, limit: int = LARGE) -> None:
        self.meter = Meter(limit)
        self.names: dict[str, Sequence[str]] = {f"{NAME}.": [PUBLIC]}
        self.asked: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self.own: list[str] = []
        self.heard: list[asyncio.StreamWriter] = []
        self.port = self.shown = self.server = 0

    async def resolve(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        if name not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.names[name]

    async def dial(self, address: Address, port: int) -> module.Streams:
        self.dialled.append((str(address), port))
        return await asyncio.open_connection("127.0.0.1", self.server)

    async def echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(writer)
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def open(self, line: int = LARGE) -> AsyncIterator[Place]:
        budget = Rate(line, line)
        made = Proxy(
            [NAME, "*.hub.example"],
            self.meter,
            (Buckets(budget), Buckets(budget)),
            lambda: [ip_network(each) for each in self.own],
            structlog.get_logger(),
            resolve=self.resolve,
            dial=self.dial,
        )
        inside, shown = bound(), bound()
        self.port, self.shown = inside.getsockname()[1], shown.getsockname()[1]
        async with await asyncio.start_server(self.echo, "127.0.0.1", 0) as server:
            self.server = server.sockets[0].getsockname()[1]
            async with made.open(inside, shown):
                yield self
            assert made._open == 0
            assert all(each.done() for each in made._tasks)

    async def ask(self, request: bytes, port: int = 0) -> bytes:
        """All that is answered to a request, after which nothing is said."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port or self.port)
        try:
            writer.write(request)
            writer.write_eof()
            return await reader.read()
        except OSError:  # It was cut off.
            return b""
        finally:
            writer.transport.abort()

    async def connect(self, target: str = f"{NAME}:443") -> module.Streams:
        """A way to the server."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}".encode() + ENDS)
        assert await reader.readuntil(ENDS) == b"HTTP/1.1 200 Connection established" + ENDS
        return reader, writer


def bound() -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    made.bind(("127.0.0.1", 0))
    made.listen(module.WAITING)
    return made


def connect(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1".encode() + ENDS


async def refusal(place: Place, request: bytes) -> str:
    """The first line of an answer, which has the sentence; the body has it, too."""
    answer = await place.ask(request)
    head, _, body = answer.partition(ENDS)
    line = head.split(b"\r\n")[0].decode().removeprefix("HTTP/1.1 ")
    assert body.decode() == line.partition(" ")[2] + "\n"
    return line


async def test_bytes_go_both_ways_and_are_counted() -> None:
    with capture_logs() as logs:
        async with Place().open() as place:
            reader, writer = await place.connect()
            writer.write(b"hello" * 50_000)
            writer.write_eof()
            assert await reader.read() == b"hello" * 50_000
            again, other = await place.connect("PyPI.Org:443")
            other.write_eof()
            assert await again.read() == b""
            assert (place.meter.sent, place.meter.received, place.meter.connections) == (250_000, 250_000, 2)
    # The machine isn't asked for its name in domains of its own, and the address that was looked at is used.
    assert place.asked == ["pypi.org.", "pypi.org."]
    assert place.dialled == [(PUBLIC, 443), (PUBLIC, 443)]
    told = [(each["event"], each.get("name")) for each in logs]
    assert told == [
        ("worker.egress_opened", None),
        ("worker.egress_name", "pypi.org"),
        ("worker.egress_closed", None),
    ]


async def test_what_is_said_before_the_answer_arrives() -> None:
    """As programs do that wait for nothing."""
    async with Place().open() as place:
        answer = await place.ask(connect(f"{NAME}:443") + b"hello")
        assert answer == b"HTTP/1.1 200 Connection established" + ENDS + b"hello"


ONLY = "405 only CONNECT is served: fetch it by https://, with this proxy as HTTPS_PROXY"
ADDRESSES = "403 this proxy goes to hosts by their names, not to addresses"


def unlisted(name: str) -> str:
    return (
        f"403 {name} isn't on the list of this device's supplier, which http://127.0.0.1:3128/ shows: "
        "bring it by submit --wheel, or by ionet cluster put"
    )


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (connect("evil.example:443"), unlisted("evil.example")),
        (connect("pypi.org.evil.example:443"), unlisted("pypi.org.evil.example")),
        (connect("hub.example:443"), unlisted("hub.example")),
        (connect("pypi.org:80"), "403 port 80 isn't open, of any host: only 443 is"),
        (connect("pypi.org:22"), "403 port 22 isn't open, of any host: only 443 is"),
        (connect("pypi.org:99999"), "403 port 99999 isn't open, of any host: only 443 is"),
        (connect("pypi.org.:443"), ADDRESSES),
        (connect("127.0.0.1:443"), ADDRESSES),
        (connect("[::1]:443"), ADDRESSES),
        (connect("2130706433:443"), ADDRESSES),
        (connect("localhost:443"), ADDRESSES),
        (connect("a@pypi.org:443"), ADDRESSES),
        (connect("*.hub.example:443"), ADDRESSES),
        (connect("pypi.org"), ONLY),
        (connect("pypi.org:443 "), ONLY),
        (connect(" pypi.org:443"), ONLY),
        (connect("pypi.org\t:443"), ONLY),
        (connect("pypi.org\x00:443"), ONLY),
        (connect("pyp\u0456.org:443"), ONLY),
        (b"CONNECT pypi.org:443" + ENDS, ONLY),
        (b"CONNECT pypi.org:443 HTTP/2.0" + ENDS, ONLY),
        (b"connect pypi.org:443 HTTP/1.1" + ENDS, ONLY),
        (b"GET http://pypi.org/ HTTP/1.1" + ENDS, ONLY),
        (b"GET https://pypi.org/ HTTP/1.1" + ENDS, ONLY),
        (b"GET http://127.0.0.1:9464/ HTTP/1.1" + ENDS, ONLY),
        (b"POST http://pypi.org/ HTTP/1.1\r\nContent-Length: 1" + ENDS + b"x", ONLY),
        (b"\r\nCONNECT pypi.org:443 HTTP/1.1" + ENDS, ONLY),
        (b"\x05\x01\x00" + ENDS, ONLY),
    ],
)
async def test_what_is_refused_and_how(request_: bytes, told: str) -> None:
    async with Place().open() as place:
        assert await refusal(place, request_) == told
        assert (place.asked, place.dialled, place.meter.refused) == ([], [], 1)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"],
        ["::1", "fe80::1", "::ffff:127.0.0.1", "::ffff:93.184.216.34"],
        ["224.0.0.1", "ff02::1"],
        ["198.51.100.7"],
        [],
    ],
)
async def test_a_name_that_leads_to_no_public_address_leads_nowhere(addresses: list[str]) -> None:
    async with Place().open() as place:
        place.names[f"{NAME}."] = addresses
        told = "403 pypi.org has no public address that this device may reach: ask its supplier about it"
        assert await refusal(place, connect(f"{NAME}:443")) == told
        assert place.dialled == []


async def test_nor_does_one_on_the_suppliers_own_network() -> None:
    async with Place().open() as place:
        place.own = ["93.184.216.0/24"]
        assert (await refusal(place, connect(f"{NAME}:443"))).startswith("403 pypi.org has no public address")
        assert place.dialled == []


async def test_a_name_that_changes_its_address_is_looked_up_once_for_a_connection() -> None:
    """What was looked at is what is connected to: DNS rebinding has nothing to change in between."""
    answers = iter([[PUBLIC, "127.0.0.1"], ["127.0.0.1"]])

    async def changing(_: str) -> Sequence[str]:
        return next(answers)

    place = Place()
    place.resolve = changing  # type: ignore[method-assign]
    async with place.open():
        _, writer = await place.connect()
        writer.close()
        assert place.dialled == [(PUBLIC, 443)]
        assert (await refusal(place, connect(f"{NAME}:443"))).startswith("403 pypi.org has no public address")
        assert place.dialled == [(PUBLIC, 443)]


async def test_a_name_that_is_not_found_or_does_not_answer() -> None:
    place = Place()

    async def silent(address: Address, port: int) -> module.Streams:
        place.dialled.append((str(address), port))
        raise ConnectionRefusedError

    place.dial = silent  # type: ignore[method-assign]
    async with place.open():
        told = "502 a.hub.example isn't found by this device just now: try again"
        assert await refusal(place, connect("a.hub.example:443")) == told
        place.names["pypi.org."] = [f"93.184.216.{n}" for n in range(9)]
        told = "502 pypi.org doesn't answer this device just now: try again"
        assert await refusal(place, connect(f"{NAME}:443")) == told
        assert place.dialled == [(f"93.184.216.{n}", 443) for n in range(3)]


async def test_a_head_without_an_end_is_cut_off() -> None:
    async with Place().open() as place:
        for request in (b"A" * 100_000, b"CONNECT pypi.org:443 HTTP/1.1\r\n" + b"a: b\r\n" * 20_000):
            answer = await place.ask(request)
            assert not answer or answer.startswith(b"HTTP/1.1 431 a request has 8192 bytes at most\r\n")
        assert place.asked == []
        assert await place.ask(b"CONNECT pypi.org:443 HTTP/1.1\r\n") == b""


async def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.05)
    async with Place().open() as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(b"CONNECT ")
        assert await reader.read() == b""
        writer.close()


async def test_connections_at_a_time_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 3)
    async with Place().open() as place:
        held = [await place.connect() for _ in range(3)]
        told = "429 3 connections are open: end one, and try again"
        assert await refusal(place, connect(f"{NAME}:443")) == told
        held[0][1].write_eof()
        assert await held[0][0].read() == b""
        _, writer = await place.connect()
        for each in (writer, *(writer for _, writer in held)):
            each.close()


async def test_nor_are_more_held_that_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 3)
    async with Place().open() as place:
        held = [await asyncio.open_connection("127.0.0.1", place.port) for _ in range(6)]
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        assert await reader.read() == b""
        for each in (writer, *(writer for _, writer in held)):
            each.close()


async def test_connections_are_taken_at_a_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Further ones wait in the kernel: code that connects without end costs the agent no more for it."""
    monkeypatch.setattr(module, "PACE", Rate(3, 1e-9))
    async with Place().open() as place:
        for _ in range(3):
            await refusal(place, connect("evil.example:443"))
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(connect("evil.example:443"))
        await writer.drain()
        shown = await place.ask(b"GET / HTTP/1.1" + ENDS, place.shown)
        assert json.loads(shown.partition(ENDS)[2])["refused"] == 3
        writer.close()
        assert await reader.read() == b""


async def test_all_bytes_of_a_lease_are_used_and_no_more() -> None:
    with capture_logs() as logs:
        async with Place(limit=100_000).open() as place:
            reader, writer = await place.connect()
            writer.write(b"a" * 40_000)
            assert await reader.readexactly(40_000) == b"a" * 40_000
            other, second = await place.connect()
            writer.write(b"a" * 40_000)
            with suppress(OSError):
                assert len(await reader.read()) <= 20_000
            assert place.meter.sent + place.meter.received <= 100_000
            assert place.meter.left == 0
            second.write(b"a")
            with suppress(OSError):
                assert await other.read() == b""
            used = place.meter.sent + place.meter.received
            told = f"403 the {used} bytes of this lease are used: bring the rest by ionet cluster put"
            assert await refusal(place, connect(f"{NAME}:443")) == told
            assert len(place.dialled) == 2
    assert [each["event"] for each in logs].count("worker.egress_spent") == 1
    # Its next sandbox has none more.
    async with Place(limit=0).open() as place:
        assert (await refusal(place, connect(f"{NAME}:443"))).startswith("403 the 0 bytes of this lease")


async def test_one_that_says_nothing_for_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.1)
    async with Place().open() as place:
        reader, writer = await place.connect()
        with suppress(OSError):
            assert await reader.read() == b""
        writer.close()


async def test_whoever_does_not_read_is_closed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it doesn't read is neither kept for it nor waited for."""
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.5)
    async with Place().open() as place:
        _, writer = await place.connect()
        writer.write(b"a" * 50_000_000)
        while place.heard and not place.heard[0].is_closing():
            await asyncio.sleep(0.01)
        writer.transport.abort()


async def test_the_end_closes_all_of_it() -> None:
    async with Place().open() as place:
        reader, writer = await place.connect()
        half, waits = await asyncio.open_connection("127.0.0.1", place.port)
        waits.write(b"CONNECT ")
    for each in (reader, half):
        with suppress(OSError):
            assert await each.read() == b""
    for closed in (writer, waits):
        closed.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", place.port)


async def test_it_has_no_more_than_the_sandboxes_line() -> None:
    """The same budget as the overlay's: what isn't there is waited for, and nothing is sent meanwhile."""
    async with Place().open(line=40_000) as place:
        reader, writer = await place.connect()
        began = asyncio.get_running_loop().time()
        writer.write(b"a" * 100_000)
        await reader.readexactly(100_000)
        # 60 kB beyond what may be sent at once, at 40 kB a second.
        assert asyncio.get_running_loop().time() - began >= 1.4
        writer.close()


async def test_its_figures_are_shown_to_members_and_nothing_else_is() -> None:
    async with Place().open() as place:
        _, writer = await place.connect()
        writer.close()
        await refusal(place, connect("evil.example:443"))
        for port in (place.port, place.shown):
            head, _, body = (await place.ask(b"GET / HTTP/1.1" + ENDS, port)).partition(ENDS)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert json.loads(body) == {
                "allowed": [NAME, "*.hub.example"],
                "limit": LARGE,
                "sent": 0,
                "received": 0,
                "connections": 1,
                "refused": 1,
            }
        answer = await place.ask(connect(f"{NAME}:443"), place.shown)
        assert answer.startswith(b"HTTP/1.1 405 there are figures here, at GET /, and no more\r\n")
        assert len(place.dialled) == 1
