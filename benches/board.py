"""An operator's board and relay with 10,000 workers in orders of 100: what one operator carries.

``python benches/board.py`` starts the service with its real HTTP side in a process of its own. All workers
ask for what is said next, each on a connection that waits. Then their BEATs come, at the rate that 10,000
devices have and as fast as they are taken; at last one message is said in each order, which its 100 readers
hear. The links of all pairs are opened at a relay. It renews the table in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import structlog
import uvloop
from flood import start
from idl_codec import table, write_section
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.budgets import Buckets, Rate  # noqa: E402
from keeper.compute.board import Parties  # noqa: E402
from keeper.compute.bodies import Beat, Body, Joined, Serving  # noqa: E402
from keeper.compute.wire import Message, Network  # noqa: E402
from keeper.operator.clusters import relaying  # noqa: E402
from keeper.operator.clusters.office import Office  # noqa: E402
from keeper.operator.clusters.relay_process import opening  # noqa: E402
from keeper.operator.descriptors import require_descriptors  # noqa: E402
from keeper.operator.limits import Limits  # noqa: E402
from keeper.operator.metrics import Metrics  # noqa: E402
from keeper.operator.operator import Operator  # noqa: E402
from keeper.operator.running import served  # noqa: E402
from keeper.pow.clock import Network as Clock  # noqa: E402
from keeper.pow.profiles import read_profiles  # noqa: E402
from keeper.pow.verification import Here  # noqa: E402
from keeper.rewards.peers import Peers  # noqa: E402
from keeper.runtime.listen import listen  # noqa: E402

SECTION = "board.py"
EACH = 100
"""Workers of an order."""
SENDERS = 50
"""Connections that BEATs come by."""
BEAT_SECONDS, STEADY_SECONDS = 30, 10.0
MANY = Rate(1e9, 1e9)
NETWORK = Network(bytes(32), Pubkey.from_bytes(bytes([7]) * 32))
OPERATOR = Keypair.from_seed(bytes([6]) * 32)
TICK = os.sysconf("SC_CLK_TCK")


def worker(number: int) -> Keypair:
    """A worker's key."""
    return Keypair.from_seed(number.to_bytes(32, "big"))


def order(number: int) -> Pubkey:
    """An order's address."""
    return Pubkey.from_bytes(bytes([9]) * 28 + number.to_bytes(4, "big"))


async def serve(workers: int) -> None:
    """The service with its board; tells its port, and ends with its input."""
    require_descriptors(workers + 2_000)

    async def genesis_hash() -> str:
        return str(Hash(bytes(32)))

    chain: Any = SimpleNamespace(genesis_hash=genesis_hash)
    port: Any = SimpleNamespace(chain=chain, log=None)
    limits = Limits(reader=MANY, connections=workers + 2_000, connections_each=workers + 2_000, arrivals=MANY)
    parties = {}
    for number in range(workers // EACH):
        keys = [worker(each).pubkey() for each in range(number * EACH, (number + 1) * EACH)]
        parties[order(number)] = Parties(
            Pubkey.default(), dict.fromkeys(keys, 1), {each: each for each in keys}, keys[0]
        )
    with tempfile.TemporaryDirectory() as name:
        folder, profiles = Path(name), read_profiles()
        operator = Operator(
            *(port, OPERATOR, Clock(bytes(32), Pubkey.default(), 0), profiles, folder, Here(), Peers([])),
            limits=limits,
        )
        office = Office(chain, NETWORK, OPERATOR, folder, structlog.get_logger(), Metrics())
        given = office.board.admission  # All come from one address here.
        given._addresses = given._senders = given._strangers = Buckets(MANY, 1)
        office.board._find = office.directory.parties = parties.get
        listener = listen("127.0.0.1", 0, "")
        async with served(operator, listener, office):
            print(listener.getsockname()[1], flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        office.close()


class Connection:
    """A connection that keeps itself."""

    def __init__(self, port: int) -> None:
        """It is opened with the first question."""
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> Any:
        """A good answer's JSON."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._streams
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        said = await reader.readuntil(b"\r\n\r\n")
        found = await reader.readexactly(int(said.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        if not said.startswith(b"HTTP/1.1 20"):
            raise SystemExit(f"{path}: {found.decode()}")
        return json.loads(found)

    def close(self) -> None:
        """End it."""
        if self._streams is not None:
            self._streams[1].close()


class Beats(NamedTuple):
    """A round of BEATs: how many, seconds, the service's processor seconds, the milliseconds of each."""

    count: int
    seconds: float
    computed: float
    ms: list[float]

    def at(self, share: float) -> float:
        """The milliseconds that so much of them took at most."""
        return sorted(self.ms)[min(len(self.ms) - 1, int(share * len(self.ms)))]


class Driver:
    """All workers, against one service."""

    def __init__(self, service: subprocess.Popen[str], port: int, workers: int) -> None:
        """Nobody is connected yet."""
        self._service, self._port, self.workers = service, port, workers
        self.waiting = 0
        self._nonces: dict[int, bytes] = {}
        self._seq = time.time_ns() // 1_000_000
        self._senders = [Connection(port) for _ in range(SENDERS)]
        self.heard: list[float] = []

    def computed(self) -> float:
        """Processor seconds of the service."""
        fields = Path(f"/proc/{self._service.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def mib(self, pid: int | None = None) -> float:
        """Memory of the service, or of another process."""
        return resident(pid or self._service.pid)

    async def wait(self, number: int) -> None:
        """Wait for what is said next in a worker's order; notes when it was told."""
        connection, path = Connection(self._port), f"/compute/orders/{order(number // EACH)}/messages?after=0"
        try:
            await connection.ask("GET", f"{path}&wait=0")
            self.waiting += 1
            while not (await connection.ask("GET", path))["messages"]:
                continue
            self.heard.append(time.monotonic())
        finally:
            connection.close()

    async def nonces(self, numbers: range) -> None:
        """Ask what BEATs have to repeat."""

        async def some(at: int) -> None:
            for number in numbers[at::SENDERS]:
                path = f"/compute/orders/{order(number // EACH)}/nonces/{worker(number).pubkey()}"
                self._nonces[number] = bytes.fromhex((await self._senders[at].ask("GET", path))["nonce"])

        await asyncio.gather(*map(some, range(SENDERS)))

    def signed(self, number: int, body: Body) -> bytes:
        """A worker's message, now."""
        self._seq += 1
        key, ms = worker(number), time.time_ns() // 1_000_000
        return (
            Message(NETWORK, order(number // EACH), key.pubkey(), 1, self._seq, ms, body).sign(key).encode()
        )

    async def beats(self, numbers: range, rate: float | None) -> Beats:
        """A BEAT of each of these, ``rate`` a second, or as fast as they are taken."""
        bodies = []
        for number in numbers:
            body = Beat(
                OPERATOR.pubkey(), self._nonces[number], Serving.ACTIVE, bytes(28), *(1, 2, 3, 4, 5, 6)
            )
            bodies.append(self.signed(number, body))
        ms: list[float] = []
        self._senders = [Connection(self._port) for _ in range(SENDERS)]  # Idle ones were closed.
        before, began = self.computed(), time.monotonic()

        async def some(at: int) -> None:
            for index in range(at, len(bodies), SENDERS):
                due = began + index / rate if rate else 0.0
                await asyncio.sleep(due - time.monotonic())
                sent = max(due, time.monotonic()) if not rate else due
                taken = await self._senders[at].ask("POST", "/compute/messages", bodies[index])
                ms.append((time.monotonic() - sent) * 1_000)
                self._nonces[numbers[index]] = bytes.fromhex(taken["nonce"])

        await asyncio.gather(*map(some, range(SENDERS)))
        return Beats(len(bodies), time.monotonic() - began, self.computed() - before, ms)

    async def say(self, readers: Sequence[asyncio.Task[None]]) -> list[float]:
        """One message in each order; the seconds until each reader had it."""
        self._senders = [Connection(self._port) for _ in range(SENDERS)]
        begun = time.monotonic()
        bodies = [
            self.signed(number * EACH, Joined(bytes(28), 1, 0, 1)) for number in range(self.workers // EACH)
        ]

        async def some(at: int) -> None:
            for body in bodies[at::SENDERS]:
                await self._senders[at].ask("POST", "/compute/messages", body)

        await asyncio.gather(*map(some, range(SENDERS)))
        await asyncio.gather(*readers)
        return sorted(each - begun for each in self.heard)


def resident(pid: int) -> float:
    """A process's memory, MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def relay_of(workers: int) -> tuple[float, float]:
    """MiB of a relay's process that has the links of all pairs, and the seconds to open them."""
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind(("127.0.0.1", 0))
    number = own.fileno()
    given = str(number), NETWORK.genesis.hex(), str(NETWORK.program), "1"
    command = [sys.executable, "-m", relaying.MODULE, *given]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, pass_fds=[number], cwd=REPOSITORY, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdout.readline()
        empty, began, link = resident(process.pid), time.monotonic(), 0
        for cluster in range(workers // EACH):
            keys = [worker(each).pubkey() for each in range(cluster * EACH, (cluster + 1) * EACH)]
            for index, one in enumerate(keys):
                for other in keys[:index]:
                    link += 2
                    ids = (each.to_bytes(8, "big") for each in (link, link + 1))
                    process.stdin.write(opening(order(cluster), one, other, *ids))
        process.stdin.flush()
        full, opened = 0.0, time.monotonic() - began
        while (now := resident(process.pid)) > full + 0.5:
            full, opened = now, time.monotonic() - began
            time.sleep(1.0)
        return full - empty, opened
    finally:
        process.kill()
        process.wait()


async def drive(driver: Driver, some: int) -> list[list[str]]:
    """The table's rows."""
    workers = driver.workers
    everybody = range(workers)
    await driver.nonces(range(some))
    fast = await driver.beats(range(some), None)
    empty = driver.mib()
    readers = [asyncio.create_task(driver.wait(number)) for number in everybody]
    while driver.waiting < workers:  # noqa: ASYNC110 - readers count themselves
        await asyncio.sleep(0.1)
    await asyncio.sleep(2.0)
    waiting, before, began = driver.mib() - empty, driver.computed(), time.monotonic()
    await asyncio.sleep(STEADY_SECONDS)
    idle = (driver.computed() - before) / (time.monotonic() - began)
    rate = workers / BEAT_SECONDS
    usual = await driver.beats(range(some), rate)
    heard = await driver.say(readers)
    mib, seconds = relay_of(workers)
    pairs = workers * (EACH - 1) // 2
    return [
        [
            f"{workers:,} readers that wait",
            f"{waiting:,.0f} MiB, {idle:.0%} of a core",
        ],
        [
            f"{rate:,.0f} BEATs a second beside them, as {workers:,} devices send",
            f"p50 {usual.at(0.5):.1f} ms, p99 {usual.at(0.99):.0f} ms, "
            f"{usual.computed / usual.seconds:.0%} of a core",
        ],
        [
            f"BEATs as fast as they are taken, {SENDERS} at a time, without readers",
            f"{fast.count / fast.seconds:,.0f} a second, {fast.computed / fast.count * 1e6:,.0f} µs each",
        ],
        [
            f"a message in each of {workers // EACH} orders, which {EACH} readers hear",
            f"the middle one after {heard[len(heard) // 2]:.2f} s, the last after {heard[-1]:.2f} s",
        ],
        [f"{2 * pairs:,} links of all pairs in the relay", f"{mib:,.0f} MiB, opened in {seconds:.0f} s"],
    ]


def main() -> None:
    """Measure, or be the service."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--workers", type=int, default=10_000)
    parser.add_argument("--beats", type=int, default=4_000, help="of each round")
    chosen = parser.parse_args()
    if chosen.serve:
        uvloop.run(serve(chosen.workers))
        return
    require_descriptors(chosen.workers + 2_000)
    load = os.getloadavg()[0]
    service = start("--serve", "--workers", str(chosen.workers), file=__file__)
    try:
        assert service.stdout is not None
        driver = Driver(service, int(service.stdout.readline()), chosen.workers)
        rows = uvloop.run(drive(driver, min(chosen.beats, chosen.workers)))
    finally:
        service.kill()
        service.wait()
    machine = f"{os.cpu_count()} cores at a load of {load:.0f}"
    note = f"One machine for all, {machine}, Python {platform.python_version()}."
    section = f"{table(['what', 'measured'], rows)}\n\n{note}\n"
    print(section)
    write_section(SECTION, section)


if __name__ == "__main__":
    main()
