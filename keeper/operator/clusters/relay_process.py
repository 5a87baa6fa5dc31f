"""The relay's own process: ``python -m keeper.operator.clusters.relay_process SOCKET GENESIS PROGRAM BYTES``.

A relay takes what processor there is, and the challenge service's clock must not wait for it. The socket is
the service's, handed down by its number; each line of the standard input opens or closes links; each second a
line of JSON says what was done. It ends with its input, so that a service that is killed leaves none.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Sequence

import uvloop
from solders.pubkey import Pubkey

from keeper.budgets import Rate
from keeper.compute.relay import Relay
from keeper.compute.wire import Network

REPORT_SECONDS = 1.0


def opening(order: Pubkey, one: Pubkey, other: Pubkey, mine: bytes, theirs: bytes) -> bytes:
    """The line that opens a pair's links."""
    return f"open {order} {one} {other} {mine.hex()} {theirs.hex()}\n".encode()


def closing(order: Pubkey, member: Pubkey) -> bytes:
    """The line that closes a member's links."""
    return f"close {order} {member}\n".encode()


def obey(relay: Relay, line: str) -> None:
    """Do what a line says."""
    word, *rest = line.split()
    if word == "open":
        order, one, other = map(Pubkey.from_string, rest[:3])
        relay.put(order, one, other, *map(bytes.fromhex, rest[3:]))
    else:
        order, member = map(Pubkey.from_string, rest)
        relay.close(order, member)


def report(relay: Relay) -> bytes:
    """What was done since the start: a line."""
    dropped = {str(why): count for why, count in relay.dropped.items()}
    found = {"bytes": relay.relayed_bytes, "bound": relay.bound, "dropped": dropped}
    return json.dumps(found).encode() + b"\n"


async def serve(number: int, network: Network, rate: Rate) -> None:
    """Relay until the standard input ends."""
    loop = asyncio.get_running_loop()
    relay = Relay(network, lambda: time.time_ns() // 1_000_000, time.monotonic, rate)
    transport, _ = await loop.create_datagram_endpoint(lambda: relay, sock=socket.socket(fileno=number))
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)

    async def tell() -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            sys.stdout.buffer.write(report(relay))
            sys.stdout.buffer.flush()

    telling = asyncio.create_task(tell())
    while line := await commands.readline():
        obey(relay, line.decode())
    telling.cancel()
    transport.close()


def main(given: Sequence[str]) -> None:
    """Serve by what the command line says."""
    number, genesis, program, rate = given
    network = Network(bytes.fromhex(genesis), Pubkey.from_string(program))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(number), network, Rate(float(rate), float(rate))))


if __name__ == "__main__":
    main(sys.argv[1:])
