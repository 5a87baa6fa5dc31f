"""Indexing speed: events a second into SQLite, and parsing against anchorpy's EventParser on the same logs.

``python benches/indexer.py`` records what the demo's first stakers do, repeats that stream to a million
events behind the Chain protocol, indexes it from nothing, and renews the tables in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from environments import python_of
from idl_codec import Anchorpy, write_section
from inputs import SEED, digest
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import Commitment, Listed, Program, TransactionRecord
from keeper.db import Database
from keeper.demo.network import Network
from keeper.demo.staking import Stakers
from keeper.indexer import ProgramIndexer

SECTION = "indexer.py"
PROGRAM = Program.load("staking")
IN_A_SLOT = 4
"""Transactions of a slot of the stream."""
LOGGED = ("Emitted", "Released", "SeasonClaimed", "Burned")
LOGGING = 20_000
"""Transactions whose logs are parsed, an event each."""
SPREAD_OVER = 2**64
SPREAD = 0x9E3779B97F4A7C15
GATHER = pow(SPREAD, -1, SPREAD_OVER)
"""Transactions' numbers times the golden ratio of 2^64, and back."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Stream:
    """What an indexer asks of a chain, answered by repeating recorded transactions; nothing grows."""

    def __init__(self, records: Sequence[TransactionRecord], transactions: int) -> None:
        """Repeat ``records`` up to so many transactions."""
        self._records = records
        self._transactions = transactions
        self.busy = 0.0
        """Seconds of processor time that the answers took."""
        self.memory: list[int] = []
        """Bytes of memory that this process had whenever transactions were read."""

    async def slot(self, commitment: Commitment) -> int:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return self._transactions // IN_A_SLOT

    async def signatures(
        self,
        address: Pubkey,
        commitment: Commitment,
        *,
        before: Signature | None = None,
        until: Signature | None = None,
        min_slot: int = 0,
        limit: int = 1_000,
    ) -> list[Listed]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        began = time.process_time()
        end = _number(before) if before else self._transactions
        start = max(end - limit, _number(until) + 1 if until else 0)
        numbers = range(end - 1, start - 1, -1)
        found = [Listed(_signature(n), n // IN_A_SLOT, False, n % IN_A_SLOT) for n in numbers]
        self.busy += time.process_time() - began
        return found

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        self.memory.append(_memory())
        began = time.process_time()
        found = [self._record(_number(signature)) for signature in signatures]
        self.busy += time.process_time() - began
        return found

    def _record(self, number: int) -> TransactionRecord:
        found = self._records[number % len(self._records)]
        return found._replace(signature=_signature(number), slot=number // IN_A_SLOT)


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def _signature(number: int) -> Signature:
    """Spread as widely as real ones, which slows every index, and the number can be computed from it."""
    return Signature((number * SPREAD % SPREAD_OVER).to_bytes(8, "big") * (Signature.LENGTH // 8))


def _number(signature: Signature) -> int:
    return int.from_bytes(bytes(signature)[:8], "big") * GATHER % SPREAD_OVER


async def recorded() -> list[TransactionRecord]:
    """The transactions of the demo's stakers, up to their stakes and offers."""
    with tempfile.TemporaryDirectory() as name:
        network = Network.empty()
        stakers = Stakers(network, Path(name), Path(name) / "proofs")
        await network.genesis()
        await stakers.initialise()
        await stakers.onboard(lambda: None)
    return [record for record in network.chain.transactions() if PROGRAM.events(record)]


async def index(records: Sequence[TransactionRecord], least: int) -> tuple[int, float, float, Stream]:
    """Index the stream from nothing into a new file; returns events, seconds, processor seconds, stream."""
    per_round = sum(len(PROGRAM.events(record)) for record in records)
    stream = Stream(records, -(-least * len(records) // per_round))
    with tempfile.TemporaryDirectory() as name:
        database = Database(f"sqlite:///{name}/index.db")
        await database.upgrade()
        indexer = ProgramIndexer(stream, database, PROGRAM)  # type: ignore[arg-type]  # the part that it asks
        await indexer.prepare()
        gc.freeze()  # As the keeper does at its start.
        start, busy = time.perf_counter(), time.process_time()
        done = await indexer.poll()
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
        await database.close()
    return done.events, seconds, busy, stream


def write_logs(folder: Path) -> list[list[str]]:
    """Logs of one event each, in the runtime's words around it."""
    rng = random.Random(SEED)
    program = Program.load("tokenomics")
    sizes = {name: _size(program, name) for name in LOGGED}
    found = []
    for number in range(LOGGING):
        name = LOGGED[number % len(LOGGED)]
        data = sha256(f"event:{name}".encode()).digest()[:8] + rng.randbytes(sizes[name])
        found.append(
            [
                f"Program {program.address} invoke [1]",
                f"Program log: Instruction: {name}",
                f"Program data: {base64.b64encode(data).decode()}",
                f"Program {program.address} consumed 9000 of 200000 compute units",
                f"Program {program.address} success",
            ]
        )
    (folder / "logs").write_text(json.dumps(found))
    return found


def _size(program: Program, event: str) -> int:
    widths = {"pubkey": 32, "u64": 8, "u32": 4, "u8": 1}
    return sum(widths[field["type"]] for field in program.event_fields[event])


def parse(folder: Path, repeats: int) -> tuple[list[float], list[float]]:
    """Seconds of both parsers, in turns; exits when they read different values."""
    transactions = write_logs(folder)
    program = Program.load("tokenomics")
    theirs = Anchorpy(python_of("anchorpy"), folder, "anchorpy_logs.py")
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        gc.collect()
        start = time.perf_counter()
        found = [event for logs in transactions for event in program.logged_events(logs)]
        seconds[0].append(time.perf_counter() - start)
        their_seconds, their_digest = theirs.run("logs")
        seconds[1].append(their_seconds)
        if digest(event.fields.values() for event in found) != their_digest:
            raise SystemExit("the two parsers read different values")
    theirs.close()
    return seconds


def report(
    events: int, seconds: float, busy: float, stream: Stream, parsing: tuple[list[float], list[float]]
) -> str:
    """The section of docs/benchmarks.md."""
    ours, theirs = (statistics.median(times) / LOGGING * 1e6 for times in parsing)
    ratios = sorted(b / a for a, b in zip(*parsing, strict=True))
    indexing = seconds / events * 1e6
    rows: list[list[Any]] = [
        ["", "events", "us each", "a second", "times anchorpy's parser"],
        [":---", "---:", "---:", "---:", "---:"],
        ["anchorpy's EventParser, logs parsed", f"{LOGGING:,}", f"{theirs:.3g}", f"{1e6 / theirs:,.0f}", "1"],
        [
            "`Program.logged_events`, the same logs",
            f"{LOGGING:,}",
            f"{ours:.3g}",
            f"{1e6 / ours:,.0f}",
            f"**{statistics.median(ratios):.3g}** ({ratios[0]:.3g} to {ratios[-1]:.3g})",
        ],
        [
            "`ProgramIndexer.poll`: listed, decoded, in SQLite",
            f"{events:,}",
            f"{indexing:.3g}",
            f"{1e6 / indexing:,.0f}",
            f"{theirs / indexing:.3g}",
        ],
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    quarter, end = (stream.memory[at] / 2**20 for at in (len(stream.memory) // 4, -1))
    packages = ", ".join(f"{name} {version(name)}" for name in ("sqlalchemy", "aiosqlite", "solders"))
    return (
        f"{table}\n\nThe last row took {seconds:.1f} s, and {busy:.1f} s of processor time, of which the "
        f"stream itself {stream.busy:.1f} s: where the first two differ, other work shared the machine. "
        f"The process had {quarter:.0f} MiB of memory after a "
        f"quarter of it, {end:.0f} MiB at the end. {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; {packages}.\n"
    )


def main() -> None:
    """Measure and renew the section between the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="events to index, at least")
    parser.add_argument("--repeats", type=int, default=5, help="rounds of both parsers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        parsing = parse(Path(name), options.repeats)
    events, seconds, busy, stream = asyncio.run(index(asyncio.run(recorded()), options.events))
    section = report(events, seconds, busy, stream, parsing)
    print(section)
    write_section(SECTION, section)


if __name__ == "__main__":
    sys.exit(main())
