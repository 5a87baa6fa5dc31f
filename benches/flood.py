"""Commits that come on time while others flood the challenge service: real sockets and signatures.

``python benches/flood.py`` starts the service with its real HTTP side, and a wave that is open. Known devices
commit from addresses of their own; other processes send as fast as they are answered, from 128 addresses:
commits with wrong signatures in those devices' names, or each its own right commit again and again. It renews
the table in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvloop
from idl_codec import write_section
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.budgets import Rate  # noqa: E402
from keeper.operator.intake import COMMIT_BYTES  # noqa: E402
from keeper.operator.limits import Limits  # noqa: E402
from keeper.operator.operator import Operator  # noqa: E402
from keeper.operator.roster import Entry, Roster  # noqa: E402
from keeper.operator.running import served  # noqa: E402
from keeper.operator.waves import Held  # noqa: E402
from keeper.pow.clock import Network, Wave, WaveKind  # noqa: E402
from keeper.pow.messages import Commit, Receipt, decode, size  # noqa: E402
from keeper.pow.profiles import read_profiles  # noqa: E402
from keeper.pow.verification import Here  # noqa: E402
from keeper.rewards.peers import Peers  # noqa: E402
from keeper.runtime.listen import listen  # noqa: E402

SECTION = "flood.py"
DEVICES, SECONDS = 500, 8.0
SEED = bytes([9]) * 32
FLOODERS, ADDRESSES, EACH = 2, 64, 16
"""Processes, addresses of each, and connections from each address."""
WRONG, AGAIN = "wrong signatures", "one's own commit again"
ACCEPTED = 120
"""Commits a second of strangers that the service of this bench looks at; the default is 2,000."""
HEAD = f"POST /pow/commit HTTP/1.1\r\nhost: x\r\ncontent-length: {COMMIT_BYTES}\r\n\r\n".encode()


def device(number: int) -> tuple[Keypair, Pubkey]:
    """A device's worker key and account."""
    return Keypair.from_seed(number.to_bytes(32, "big")), Pubkey.from_bytes(number.to_bytes(32, "little"))


def home(number: int) -> str:
    """Where a device is: loopback has 16 million addresses."""
    return f"127.1.{number // 250}.{1 + number % 250}"


async def serve() -> None:
    """The service with an open wave; says its port and when the wave began, then what it counted."""
    genesis = Hash(bytes(32))
    profiles = read_profiles()

    async def genesis_hash() -> str:
        return str(genesis)

    chain: Any = SimpleNamespace(genesis_hash=genesis_hash)
    port: Any = SimpleNamespace(chain=chain, log=None)
    limits = Limits(strangers=Rate(ACCEPTED, ACCEPTED), trusted=frozenset())
    network = Network(bytes(genesis), Pubkey.default(), 0)
    with tempfile.TemporaryDirectory() as folder:
        operator = Operator(
            port, Keypair(), network, profiles, Path(folder), Here(), Peers([]), limits=limits
        )
        intake = operator.desk.intake
        known = [device(number) for number in range(DEVICES)]
        floods = [device(DEVICES + number) for number in range(FLOODERS * ADDRESSES)]
        members = [*known, *floods]
        entries = {bytes(at): Entry(at, key.pubkey(), profiles[7].classes[0], 1, 0) for key, at in members}
        intake.roster = Roster(entries, {})
        for number, (_, at) in enumerate(known):
            intake.gate.proved(home(number), bytes(at), time.monotonic())
        wave = Wave(1, 0, bytes(32), 0, SEED, WaveKind.PRODUCT, False)
        intake.waves[SEED] = Held(wave, time.monotonic())
        listener = listen("0.0.0.0", 0, "")
        async with served(operator, listener):
            print(json.dumps([listener.getsockname()[1], intake.waves[SEED].seen]), flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
            print(json.dumps(operator.desk.counts), flush=True)


def signed(number: int) -> bytes:
    """The right commit of a device."""
    key, at = device(number)
    return Commit(SEED, at, WaveKind.PRODUCT, 1, 7, 0, bytes([7]) * 32).sign(key).encode()


async def flood(port: int, which: int, kind: str) -> None:
    """Send until told to stop; says how much was answered."""
    draw, sent, stop = random.Random(which), 0, asyncio.Event()

    def garbage() -> bytes:
        _, at = device(draw.randrange(DEVICES))
        return Commit(SEED, at, WaveKind.PRODUCT, 1, 7, 0, draw.randbytes(32)).body() + draw.randbytes(64)

    async def one(number: int) -> None:
        nonlocal sent
        address, own = f"127.{2 + which}.0.{1 + number}", signed(DEVICES + which * ADDRESSES + number)
        while not stop.is_set():
            try:
                place = (address, 0)
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=place)
                while not stop.is_set():
                    writer.write(HEAD + (garbage() if kind == WRONG else own))
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                    await reader.readexactly(length)
                    sent += 1
                writer.close()
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(one(number)) for number in range(ADDRESSES) for _ in range(EACH)]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    stop.set()
    for each in tasks:
        each.cancel()
    print(sent, flush=True)


async def commit(port: int, seen: float, number: int, at: float) -> float | None:
    """Commit at a time; returns how many ms after the sending the receipt's time is, None for none."""
    body = signed(number)
    await asyncio.sleep(max(0.0, at - time.monotonic()))
    begun = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(home(number), 0))
    writer.write(HEAD + body)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        return None
    receipt = decode(Receipt, await reader.readexactly(size(Receipt)))
    writer.close()
    return receipt.message.ms - (begun - seen) * 1000


def start(*arguments: str, file: str = __file__) -> subprocess.Popen[str]:
    """A bench, this one if no other is named, in a process of its own."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, file, *arguments], stdin=pipe, stdout=pipe, text=True)


def told(process: subprocess.Popen[str]) -> Any:
    """What a process says last, after it was told to stop."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    found = json.loads(process.stdout.readline())
    process.wait()
    return found


def measure(kind: str | None) -> list[str]:
    """A row of the table."""
    service = start("--serve")
    assert service.stdout is not None
    port, seen = json.loads(service.stdout.readline())
    flooders = FLOODERS if kind else 0
    others = [start("--flood", str(port), str(which), str(kind)) for which in range(flooders)]
    time.sleep(2.0)
    begun = time.monotonic()

    async def all_commits() -> list[float | None]:
        draw = random.Random(1)
        times = [begun + draw.random() * SECONDS for _ in range(DEVICES)]
        return await asyncio.gather(*(commit(port, seen, number, at) for number, at in enumerate(times)))

    found = uvloop.run(all_commits())
    took = time.monotonic() - begun + 2.0
    offered = sum(told(each) for each in others)
    counts = told(service)
    late = sorted(each for each in found if each is not None)
    past = counts.get("refused_bad_signature", 0) + counts["commit"] - len(late)
    return [
        kind or "nothing",
        f"{offered / took:,.0f}",
        f"{past / took:,.0f}",
        f"{len(late)} of {DEVICES}",
        *(f"{each:.1f}" for each in (statistics.median(late), late[int(len(late) * 0.99)], late[-1])),
    ]


def main() -> None:
    """Measure, or be one of the processes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--flood", nargs=3)
    chosen = parser.parse_args()
    if chosen.serve:
        uvloop.run(serve())
    elif chosen.flood:
        port, which, kind = chosen.flood
        uvloop.run(flood(int(port), int(which), kind))
    else:
        rows = [measure(None), measure(WRONG), measure(AGAIN)]
        head = ["flood of", "a second", "past the budgets", "honest commits", "later by, ms", "99 %", "most"]
        lines = [head, [":---", *["---:"] * 6], *rows]
        table = "\n".join(f"| {' | '.join(row)} |" for row in lines)
        load = os.getloadavg()[0]
        machine = f"{os.cpu_count()} cores at a load of {load:.0f}, Python {platform.python_version()}"
        write_section(
            SECTION,
            f"{table}\n\nStrangers together may send {ACCEPTED} commits a second here. {DEVICES} devices "
            f"commit within {SECONDS:g} s; the flood comes from {FLOODERS * ADDRESSES * EACH:,} "
            f"connections of {FLOODERS * ADDRESSES} addresses; all share {machine}.\n",
        )


if __name__ == "__main__":
    main()
