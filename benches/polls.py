"""Ten thousand devices that wait for news at one challenge service, over real sockets.

``python benches/polls.py`` opens a connection for each device from an address of its own, spread over the
time after which a poll is answered and asked anew. For a while nothing else happens; then other devices
commit from theirs. It measures what those who wait take of the service's memory and processor, what they add
to a commit, and how long it takes until all have heard of a ping. It renews the table in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import psutil
import uvloop
from flood import SEED, commit, device, home
from idl_codec import table, write_section
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.operator.descriptors import require_descriptors  # noqa: E402
from keeper.operator.limits import Limits  # noqa: E402
from keeper.operator.operator import Operator  # noqa: E402
from keeper.operator.roster import Entry, Roster  # noqa: E402
from keeper.operator.running import served  # noqa: E402
from keeper.operator.service import POLL_SECONDS  # noqa: E402
from keeper.operator.waves import Held  # noqa: E402
from keeper.pow.clock import Network, Ping, Wave, WaveKind  # noqa: E402
from keeper.pow.profiles import read_profiles  # noqa: E402
from keeper.pow.verification import Here  # noqa: E402
from keeper.rewards.peers import Peers  # noqa: E402
from keeper.runtime.listen import listen  # noqa: E402

SECTION = "polls.py"
WAITING, DEVICES, SECONDS = 10_000, 500, 8.0
"""Devices that wait, devices that commit, and in how many seconds these do."""
CONNECTIONS = 16_384
IDLE = 10.0
"""Seconds in which nothing but polls comes."""
PLACES = 250
"""Addresses of a network of loopback that are used."""
PING = 1
"""The slot of the ping that all are told of."""


class Measured(NamedTuple):
    """What was measured with so many that wait."""

    waiting: int
    mib: float
    ms: float
    """Of processor time for a poll, while nothing else comes."""
    taken: int
    late: list[float]
    heard: list[float]


async def serve() -> None:
    """The service with an open wave; tells its port and when the wave began, then obeys lines."""
    require_descriptors(CONNECTIONS)
    genesis = Hash(bytes(32))
    profiles = read_profiles()

    async def genesis_hash() -> str:
        return str(genesis)

    chain: Any = SimpleNamespace(genesis_hash=genesis_hash)
    port: Any = SimpleNamespace(chain=chain, log=None)
    limits = Limits(connections=CONNECTIONS, trusted=frozenset())
    network = Network(bytes(genesis), Pubkey.default(), 0)
    with tempfile.TemporaryDirectory() as folder:
        operator = Operator(
            port, Keypair(), network, profiles, Path(folder), Here(), Peers([]), limits=limits
        )
        intake = operator.desk.intake
        known = [device(number) for number in range(DEVICES)]
        kind = profiles[7].classes[0]
        entries = {bytes(at): Entry(at, key.pubkey(), kind, 1, 0) for key, at in known}
        intake.roster = Roster(entries, {})
        for number, (_, at) in enumerate(known):
            intake.gate.proved(home(number), bytes(at), time.monotonic())
        wave = Wave(1, 0, bytes(32), 0, SEED, WaveKind.PRODUCT, False)
        intake.waves[SEED] = Held(wave, time.monotonic())
        listener = listen("0.0.0.0", 0, "")
        async with served(operator, listener):
            print(json.dumps([listener.getsockname()[1], intake.waves[SEED].seen]), flush=True)
            while (await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)).strip():
                begun = time.monotonic()
                operator.desk.news.ping(Ping(1, PING, 0, SEED))
                print(json.dumps(begun), flush=True)


def address(number: int) -> str:
    """Where a device that waits is: not where one that commits is."""
    return f"127.2.{number // PLACES}.{1 + number % PLACES}"


async def wait(port: int, number: int, after: float, answers: list[int], news: list[float]) -> None:
    """Poll from ``after`` seconds on again and again, as a worker does; notes when it was told something."""
    await asyncio.sleep(after)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address(number), 0))
    try:
        while True:
            writer.write(b"GET /pow/waves?after=0 HTTP/1.1\r\nhost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            answers[0] += 1
            if body["pings"]:
                news.append(time.monotonic())
                return
    finally:
        writer.close()


async def measure(port: int, seen: float, waiting: int, service: subprocess.Popen[str]) -> Measured:
    """With so many polls under way."""
    process = psutil.Process(service.pid)
    before = process.memory_info().rss
    answers, news = [0], list[float]()
    starts = [POLL_SECONDS * number / max(1, waiting) for number in range(waiting)]
    polls = [asyncio.create_task(wait(port, *each, answers, news)) for each in enumerate(starts)]
    await asyncio.sleep(POLL_SECONDS + 3)
    if failed := [each for each in polls if each.done()]:
        raise SystemExit(f"a poll failed: {failed[0].exception()!r}")
    taken = process.memory_info().rss - before
    spent, answered = _seconds(process), answers[0]
    await asyncio.sleep(IDLE)
    polls_ms = 1000 * (_seconds(process) - spent) / max(1, answers[0] - answered)
    draw, begun = random.Random(1), time.monotonic()
    times = [begun + draw.random() * SECONDS for _ in range(DEVICES)]
    found = await asyncio.gather(*(commit(port, seen, number, at) for number, at in enumerate(times)))
    heard = []
    if waiting:
        assert service.stdin is not None
        assert service.stdout is not None
        service.stdin.write("tell\n")
        service.stdin.flush()
        told = json.loads(await asyncio.to_thread(service.stdout.readline))
        await asyncio.gather(*polls)
        heard = sorted(each - told for each in news)
    late = sorted(each for each in found if each is not None)
    return Measured(waiting, taken / (1 << 20), polls_ms, len(late), late, heard)


def _seconds(process: psutil.Process) -> float:
    """Of processor time that a process has used."""
    times = process.cpu_times()
    return times.user + times.system


def run(waiting: int) -> Measured:
    """A service of its own for each number."""
    pipe = subprocess.PIPE
    command = [sys.executable, __file__, "--serve"]
    service = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert service.stdin is not None
    assert service.stdout is not None
    try:
        port, seen = json.loads(service.stdout.readline())
        found = uvloop.run(measure(port, seen, waiting, service))
    finally:
        service.stdin.close()
        service.wait()
    if found.taken < DEVICES or len(found.heard) < waiting:
        raise SystemExit(f"{found.taken} commits were taken, {len(found.heard)} of {waiting} have heard")
    return found


def row(found: Measured) -> list[str]:
    """Of the table."""
    mib = f"{found.mib:.0f} ({1024 * found.mib / found.waiting:.1f} kB each)" if found.waiting else "-"
    late = (statistics.median(found.late), found.late[int(len(found.late) * 0.99)], found.late[-1])
    heard = f"{found.heard[-1]:.2f}" if found.heard else "-"
    share = found.ms * found.waiting / POLL_SECONDS / 1000
    cost = f"{found.ms:.2f} ({share:.0%} of a core)" if found.waiting else "-"
    cells = [f"{found.waiting:,}", mib, cost, f"{found.taken} of {DEVICES}"]
    return [*cells, *(f"{x:.1f}" for x in late), heard]


def main() -> None:
    """Measure, or be the service."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", action="store_true")
    if parser.parse_args().serve:
        uvloop.run(serve())
        return
    require_descriptors(WAITING + DEVICES)
    rows = [row(run(waiting)) for waiting in (0, WAITING // 10, WAITING)]
    head = [
        "waiting",
        "memory, MiB",
        "a poll, ms",
        "commits taken",
        "later by, ms",
        "99 %",
        "most",
        "all have heard, s",
    ]
    load, limit = os.getloadavg()[0], resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    machine = f"{os.cpu_count()} cores at a load of {load:.0f}, Python {platform.python_version()}"
    said = f"{DEVICES} devices commit within {SECONDS:g} s; all share {machine}; `ulimit -n` is {limit:,}."
    write_section(SECTION, f"{table(head, rows)}\n\n{said}\n")


if __name__ == "__main__":
    main()
