"""Answers to pings one by one and together: what they cost a challenge service over real sockets.

``python benches/pongs.py`` starts the service with its real HTTP side. The devices of several agents answer
ping after ping, each signed by its own key: by turns a request for each answer, and one for all of an agent.
What is compared are processor seconds of the service's own process, which other load on the machine changes
little. It renews the table in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvloop
from flood import device, start, told
from idl_codec import table, write_section
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.budgets import Rate  # noqa: E402
from keeper.operator.intake import Asked  # noqa: E402
from keeper.operator.limits import Limits  # noqa: E402
from keeper.operator.operator import Operator  # noqa: E402
from keeper.operator.roster import Entry, Roster  # noqa: E402
from keeper.operator.running import served  # noqa: E402
from keeper.pow.clock import Network, Ping  # noqa: E402
from keeper.pow.messages import Pong  # noqa: E402
from keeper.pow.profiles import read_profiles  # noqa: E402
from keeper.pow.verification import Here  # noqa: E402
from keeper.rewards.peers import Peers  # noqa: E402
from keeper.runtime.listen import listen  # noqa: E402

SECTION = "pongs.py"
AGENTS, EACH = 20, (5, 32)
"""Agents, each on a connection, and how many devices each has."""
PINGS = 12
"""Pings that are answered by each way, the two in turns."""


def seed(number: int) -> bytes:
    """Of a ping."""
    return number.to_bytes(32, "big")


async def serve(pings: int) -> None:
    """The service with its pings; says its port, at each line how long it has computed, last its counts."""
    genesis = Hash(bytes(32))

    async def genesis_hash() -> str:
        return str(genesis)

    many = Rate(1e9, 1e9)
    limits = Limits(device=many, stranger=many, strangers=many, reader=many)
    chain: Any = SimpleNamespace(genesis_hash=genesis_hash)
    port: Any = SimpleNamespace(chain=chain, log=None)
    network = Network(bytes(genesis), Pubkey.default(), 0)
    with tempfile.TemporaryDirectory() as folder:
        operator = Operator(
            *(port, Keypair(), network, read_profiles(), Path(folder), Here(), Peers([])), limits=limits
        )
        intake, profile = operator.desk.intake, read_profiles()[7]
        known = [device(number) for number in range(AGENTS * max(EACH))]
        intake.roster = Roster({bytes(at): Entry(at, key.pubkey(), profile, 1, 0) for key, at in known}, {})
        for number in range(pings):
            ping = Ping(1, number, 0, seed(number))
            intake.pings[ping.seed] = Asked(ping, time.monotonic() + 3_600)
        listener = listen("127.0.0.1", 0, "")
        async with served(operator, listener):
            print(json.dumps(listener.getsockname()[1]), flush=True)
            loop = asyncio.get_running_loop()
            while (await loop.run_in_executor(None, sys.stdin.readline)).strip():
                print(time.process_time(), flush=True)
            print(json.dumps(operator.desk.counts), flush=True)


async def answer(port: int, bodies: list[tuple[str, list[bytes]]]) -> None:
    """Send each agent's requests on a connection of its own, one after the other."""

    async def agent(path: str, mine: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in mine:
            writer.write(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode())
            writer.write(body)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 20"), head
            _, _, length = head.lower().partition(b"content-length: ")
            if length:
                said = await reader.readexactly(int(length.split(b"\r\n")[0]))
                assert set(json.loads(said)) == {None}, said
        writer.close()

    await asyncio.gather(*(agent(*each) for each in bodies))


def measure(each: int) -> list[str]:
    """A row of the table."""
    service = start("--serve", str(2 * PINGS), file=__file__)
    assert service.stdin is not None
    assert service.stdout is not None
    port = json.loads(service.stdout.readline())

    def computed() -> float:
        assert service.stdin is not None
        assert service.stdout is not None
        service.stdin.write("now\n")
        service.stdin.flush()
        return float(service.stdout.readline())

    costs: dict[str, list[float]] = {"/pow/ping": [], "/pow/pings": []}
    for number in range(2 * PINGS):
        path = list(costs)[number % 2]
        bodies = []
        for agent in range(AGENTS):
            keys = [device(agent * each + one) for one in range(each)]
            pongs = [Pong(seed(number), at).sign(key).encode() for key, at in keys]
            bodies.append((path, pongs if path == "/pow/ping" else [b"".join(pongs)]))
        before = computed()
        uvloop.run(answer(port, bodies))
        costs[path].append((computed() - before) / (AGENTS * each))
    counts = told(service)
    if counts != {"ping": 2 * PINGS * AGENTS * each}:
        raise SystemExit(f"not all answers were taken: {counts}")
    alone, together = (statistics.median(some) * 1e6 for some in costs.values())
    ratios = sorted(one / all_ for one, all_ in zip(*costs.values(), strict=True))
    ratio = statistics.median(ratios)
    spread = f"{ratios[1]:.1f} to {ratios[-2]:.1f}"
    return [str(each), f"{alone:,.0f}", f"{together:,.0f}", f"**{ratio:.1f}**", spread]


def main() -> None:
    """Measure, or be the service."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", type=int)
    chosen = parser.parse_args()
    if chosen.serve:
        uvloop.run(serve(chosen.serve))
        return
    head = ["an agent's devices", "one by one, us", "together, us", "times as cheap", "all but the ends"]
    rows = [measure(each) for each in EACH]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    note = f"Median of {PINGS} pings each way, in turns; {AGENTS} agents with a connection each; {machine}."
    write_section(SECTION, f"{table(head, rows)}\n\n{note}\n")


if __name__ == "__main__":
    main()
