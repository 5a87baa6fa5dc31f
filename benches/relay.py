"""The relay of clusters against bare sockets: megabytes a second, and processor seconds for a gigabyte.

``python benches/relay.py`` sends WireGuard's size of datagrams over loopback, 64 on their way at a time, by
turns: straight from one socket to another, through a process that only receives and sends, and through the
relay's own process with its links, binds and budgets. What strangers send costs is measured beside. It renews
the table in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from idl_codec import table, write_section
from solders.keypair import Keypair
from solders.pubkey import Pubkey

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.compute.relay import BOUND, LINK, bind  # noqa: E402
from keeper.compute.wire import Network  # noqa: E402
from keeper.operator.clusters import relaying  # noqa: E402
from keeper.operator.clusters.relay_process import opening  # noqa: E402

SECTION = "relay.py"
PAYLOAD, WINDOW = 1_452, 64
"""Bytes behind the link's id: WireGuard's datagram at an MTU of 1,380 and a bit. On their way at a time."""
NETWORK = Network(bytes(32), Pubkey.from_bytes(bytes([7]) * 32))
ORDER = Pubkey.from_bytes(bytes([8]) * 32)
BARE = """
import socket, sys
own = socket.socket(fileno=int(sys.argv[1])); own.setblocking(True)
to = ("127.0.0.1", int(sys.argv[2]))
while True:
    own.sendto(own.recv(2048), to)
"""
TICK = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """Of carrying ``size`` bytes: seconds, and the carrier's processor seconds in and out of the kernel."""

    size: int
    seconds: float
    user: float
    system: float

    @property
    def rate(self) -> float:
        """MB/s."""
        return self.size / self.seconds / 1e6

    def a_gigabyte(self, seconds: float) -> float:
        """Processor seconds for a gigabyte."""
        return seconds / (self.size / 1e9)


def udp(port: int = 0) -> socket.socket:
    """A socket of loopback's with room for what is on its way."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.bind(("127.0.0.1", port))
    made.settimeout(2.0)
    return made


def used(process: subprocess.Popen[bytes] | None) -> tuple[float, float]:
    """Processor seconds of a process so far, in and out of the kernel."""
    if process is None:
        return 0.0, 0.0
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / TICK, int(fields[12]) / TICK


def carry(
    source: socket.socket,
    target: socket.socket,
    data: bytes,
    to: int,
    size: int,
    by: subprocess.Popen[bytes] | None,
) -> Cost:
    """Send ``size`` bytes, :data:`WINDOW` datagrams at a time, and receive all of them."""
    count, sent, got = size // PAYLOAD, 0, 0
    before, began = used(by), time.perf_counter()
    while got < count:
        while sent < count and sent - got < WINDOW:
            source.sendto(data, ("127.0.0.1", to))
            sent += 1
        target.recv(2_048)
        got += 1
    seconds = time.perf_counter() - began
    user, system = (now - then for now, then in zip(used(by), before, strict=True))
    return Cost(count * PAYLOAD, seconds, user, system)


def straight(size: int) -> Cost:
    """Without anybody between."""
    source, target = udp(), udp()
    return carry(source, target, os.urandom(PAYLOAD + LINK), target.getsockname()[1], size, None)


def bare(size: int) -> Cost:
    """Through a process that only receives and sends."""
    source, target, own = udp(), udp(), udp()
    number = own.fileno()
    command = [sys.executable, "-c", BARE, str(number), str(target.getsockname()[1])]
    process = subprocess.Popen(command, pass_fds=[number])
    try:
        data = os.urandom(PAYLOAD + LINK)
        carry(source, target, data, own.getsockname()[1], 100 * PAYLOAD, process)
        return carry(source, target, data, own.getsockname()[1], size, process)
    finally:
        process.kill()
        process.wait()


def started(own: socket.socket) -> subprocess.Popen[bytes]:
    """The relay's process on a socket."""
    number = own.fileno()
    own.setblocking(False)
    given = str(number), NETWORK.genesis.hex(), str(NETWORK.program), str(1 << 40)
    command = [sys.executable, "-m", relaying.MODULE, *given]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    return subprocess.Popen(command, pass_fds=[number], cwd=REPOSITORY, **pipes)  # type: ignore[call-overload, no-any-return]


def bound(source: socket.socket, target: socket.socket, to: int, process: subprocess.Popen[bytes]) -> bytes:
    """Open a pair's links and bind both; the source's id."""
    one, other = Keypair(), Keypair()
    mine, theirs = os.urandom(LINK), os.urandom(LINK)
    assert process.stdin is not None
    process.stdin.write(opening(ORDER, one.pubkey(), other.pubkey(), mine, theirs))
    process.stdin.flush()
    for peer, link, signer in ((source, mine, one), (target, theirs, other)):
        while True:
            ms = time.time_ns() // 1_000_000
            peer.sendto(bind(NETWORK, ORDER, link, ms, signer), ("127.0.0.1", to))
            peer.settimeout(0.2)
            try:
                assert len(peer.recv(2_048)) == LINK + BOUND.size
                break
            except TimeoutError:
                continue
        peer.settimeout(2.0)
    return mine


def relayed(size: int) -> Cost:
    """Through the relay."""
    source, target, own = udp(), udp(), udp()
    process = started(own)
    try:
        to = own.getsockname()[1]
        link = bound(source, target, to, process)
        return carry(source, target, link + os.urandom(PAYLOAD), to, size, process)
    finally:
        process.kill()
        process.wait()


def flooded(count: int) -> float:
    """Microseconds of the relay's processor for a datagram of a stranger: a link that nobody has."""
    source, target, own = udp(), udp(), udp()
    process = started(own)
    try:
        to = own.getsockname()[1]
        link = bound(source, target, to, process)
        data, before = os.urandom(LINK + 200), sum(used(process))
        for _ in range(count // WINDOW):
            for _ in range(WINDOW):
                source.sendto(data, ("127.0.0.1", to))
            # What a member sends behind them says that they were read.
            source.sendto(link + b"\x04", ("127.0.0.1", to))
            target.recv(2_048)
        return (sum(used(process)) - before) / count * 1e6
    finally:
        process.kill()
        process.wait()


def report(ways: dict[str, list[Cost]], stranger: float, size: int) -> str:
    """The section: medians of all rounds."""
    rows = []
    for name, costs in ways.items():
        rate = statistics.median(each.rate for each in costs)
        user, system = (
            statistics.median(each.a_gigabyte(getattr(each, part)) for each in costs)
            for part in ("user", "system")
        )
        carrier = (
            f"{user + system:.1f} ({system:.1f} of it the kernel's)" if user + system else "nobody carries"
        )
        rows.append([name, f"{rate:.0f}", carrier])
    shown = table(["way", "MB/s", "core-seconds for a GB"], rows)
    rounds = len(next(iter(ways.values())))
    return (
        f"{shown}\n\n{size / 1e6:.0f} MB in datagrams of {PAYLOAD} bytes behind the link's id, {WINDOW} on "
        f"their way at a time, medians of {rounds} rounds in turns; sender and receiver are one more process "
        f"on the same {os.cpu_count()} cores, with other load. A stranger's datagram costs the relay "
        f"{stranger:.0f} µs. Python {platform.python_version()}.\n"
    )


def main() -> None:
    """Measure and renew the section between the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each way")
    parser.add_argument("--megabytes", type=int, default=100, help="carried in a round")
    given = parser.parse_args()
    size = given.megabytes * 1_000_000
    names = {"straight, socket to socket": straight, "a bare forwarder": bare, "the relay": relayed}
    ways: dict[str, list[Cost]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name, way in names.items():
            ways[name].append(way(size))
    section = report(ways, flooded(20_000), size)
    print(section)
    write_section(SECTION, section)


if __name__ == "__main__":
    main()
