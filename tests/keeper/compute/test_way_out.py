"""A renter's code in a real sandbox fetches a page by TLS through its agent, and nothing else."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from nacl.public import PrivateKey
from structlog.testing import capture_logs

from keeper.compute import proxy as module
from keeper.compute import runtime
from keeper.compute.egress import Address
from keeper.compute.proxy import VARIABLES, Proxy
from keeper.compute.runtime import Runtime
from keeper.compute.sandbox import Job
from keeper.worker.serving.machine import Machine, Share
from tests.keeper.compute.agent_child import NAME, PUBLIC
from tests.keeper.compute.sandboxing import ADDRESS, LIMITS, PYTHON, USER, folder
from tests.programs.world import key

pytestmark = pytest.mark.usefixtures("possible")

PAGE = b"weights" * 20_000
ASKS = """if 1:
    import json, os, socket, ssl, sys, time, urllib.request

    def fetched(url, proxies=None):
        trusted = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile="/data/ca.pem"))
        handlers = [trusted] if proxies is None else [trusted, urllib.request.ProxyHandler(proxies)]
        try:
            return len(urllib.request.build_opener(*handlers).open(url, timeout=60).read())
        except OSError as error:
            return str(getattr(error, "reason", error))

    round = 0
    while True:
        while not os.path.exists(f"/data/ask{round}"):
            time.sleep(0.01)
        found = {each: fetched(each) for each in json.load(open(f"/data/ask{round}"))}
        found["without"] = fetched("https://93.184.216.34/", {})
        open("/data/part", "w").write(json.dumps(found))
        os.rename("/data/part", f"/data/found{round}")
        round += 1
"""


def certificate(place: Path) -> ssl.SSLContext:
    """A server's side of TLS for the name, by a certificate of its own."""
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    whose = ["-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-keyout", str(place / "key.pem"), "-out", str(place / "ca.pem")]
    command = ["openssl", "req", "-x509", *kind, *whose, *files]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "ca.pem", place / "key.pem")
    return context


@asynccontextmanager
async def website(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A page by TLS at a port of this machine."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


class Device:
    """A machine that serves a lease, as its agent has it; its renter's code asks what the test says."""

    def __init__(self, place: Path, allowed: Sequence[str]) -> None:
        self.machine = Machine(
            place,
            place,
            lambda: LIMITS,
            [],
            structlog.get_logger(),
            user=USER,
            python=PYTHON,
            share=Share(allowed=tuple(allowed), most_out=1 << 30, unconfined=True),
        )
        self.data = place / "lease/data"
        self._round = 0

    async def begin(self, certificates: Path) -> None:
        order, signer = key("order").pubkey(), key("worker")
        await self.machine.open("lease", order, signer, bytes(PrivateKey.generate()), ADDRESS)
        self.data.mkdir(parents=True)
        (self.data / "ca.pem").write_bytes((certificates / "ca.pem").read_bytes())
        (self.data / "ca.pem").chmod(0o644)
        assert self.machine._sandbox is not None
        await self.machine._sandbox.run(Job([PYTHON, "-I", "-S", "-c", ASKS], {**VARIABLES}, (), LIMITS))

    async def asks(self, *urls: str) -> dict[str, object]:
        (self.data / "ask").write_text(json.dumps(urls))
        (self.data / "ask").rename(self.data / f"ask{self._round}")
        found = self.data / f"found{self._round}"
        self._round += 1
        while not found.exists():
            assert not self.machine.ended, self.machine.ended
            await asyncio.sleep(0.01)
        return dict(json.loads(found.read_text()))


@asynccontextmanager
async def device(
    monkeypatch: pytest.MonkeyPatch, certificates: Path, allowed: Sequence[str]
) -> AsyncIterator[Device]:
    """One whose names lead to the test's server, though it connects to what it takes for public addresses."""
    installed = Runtime(Path("/usr"), Path("/usr"))
    monkeypatch.setattr(runtime, "find", lambda place: installed)
    names = {f"{NAME}.": [PUBLIC], "inside.models.example.": ["10.0.0.1", "127.0.0.1"]}

    async def resolve(self: Proxy, name: str) -> Sequence[str]:
        return names[name]

    with folder() as place:
        async with website(certificate(certificates)) as port:

            async def dial(address: Address, wanted: int) -> module.Streams:
                assert (str(address), wanted) == (PUBLIC, 443)
                return await asyncio.open_connection("127.0.0.1", port)

            monkeypatch.setattr(Proxy, "_look_up", resolve)
            monkeypatch.setattr(module, "_dial", dial)
            made = Device(place, allowed)
            try:
                yield made
            finally:
                await made.machine.end()


async def test_a_job_fetches_a_page_by_tls_where_it_is_asked_for_and_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, other, inside = f"https://{NAME}/", "https://evil.example/", f"https://inside.{NAME}/"
    unreachable, shut = "[Errno 101] Network is unreachable", "[Errno 111] Connection refused"
    with capture_logs() as logs:
        async with device(monkeypatch, tmp_path, [NAME, f"*.{NAME}"]) as made:
            await made.begin(tmp_path)
            machine = made.machine
            assert machine.lets_out
            # Nothing is open before the renter asks.
            await machine.let_out(False)
            assert await made.asks(page) == {page: shut, "without": unreachable}
            await machine.let_out(True)
            found = await made.asks(page, other, inside)
            refused = found.pop(other), found.pop(inside)
            assert found == {page: len(PAGE), "without": unreachable}
            assert str(refused[0]).startswith("Tunnel connection failed: 403 evil.example isn't on the list")
            assert str(refused[1]).startswith(f"Tunnel connection failed: 403 inside.{NAME} has no public")
            # A wave stops the renter's processes and nothing of the way out.
            await machine.freeze()
            await machine.let_out(True)
            await machine.thaw()
            assert (await made.asks(page))[page] == len(PAGE)
            await machine.let_out(False)
            assert (await made.asks(page))[page] == shut
            await machine.let_out(True)
            assert (await made.asks(page))[page] == len(PAGE)
            used = machine._meters["lease"]
            assert (used.connections, used.refused) == (3, 2)
            assert used.received > 3 * len(PAGE)
            way_out = machine._way_out
            assert way_out is not None
        assert (machine._way_out, machine._meters) == (None, {})
    told = [each["event"] for each in logs if str(each["event"]).startswith("worker.egress")]
    opened, named, closed = "worker.egress_opened", "worker.egress_name", "worker.egress_closed"
    assert told == [opened, named, closed, opened, named, closed]


async def test_a_supplier_without_a_list_lets_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with device(monkeypatch, tmp_path, []) as made:
        await made.begin(tmp_path)
        await made.machine.let_out(True)
        assert not made.machine.lets_out
        assert made.machine._way_out is None
        page = f"https://{NAME}/"
        assert (await made.asks(page))[page] == "[Errno 111] Connection refused"


async def test_a_port_that_the_renters_code_has_taken_is_its_own_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its code does to the port, its node goes on."""
    with capture_logs() as logs:
        async with device(monkeypatch, tmp_path, [NAME]) as made:
            await made.begin(tmp_path)
            machine = made.machine
            assert machine._spaces is not None
            taken = await machine._spaces.socket("tcp")
            taken.bind(("0.0.0.0", module.LISTENS))
            taken.listen()
            for _ in range(3):
                await machine.let_out(True)
            assert machine._way_out is None
            assert not machine.ended
            taken.close()
            await machine.let_out(False)
            await machine.let_out(True)
            assert machine._way_out is not None
    failed = [each["reason"] for each in logs if each["event"] == "worker.egress_failed"]
    assert failed == ["[Errno 98] Address already in use"]
