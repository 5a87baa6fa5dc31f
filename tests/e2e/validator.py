"""A solana-test-validator of one's own: a fresh ledger, private ports, gone at the end."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from solders.pubkey import Pubkey

from keeper.chain import ChainError, Commitment
from keeper.chain.rpc import RpcChain

NAME = "solana-test-validator"
INSTALLER = Path(__file__).parents[2] / "toolchain/validator"
TICKS_PER_SLOT = 16
"""A quarter of the usual: slots of 100 ms, and finality after about three seconds instead of thirteen."""
SLOT_SECONDS = TICKS_PER_SLOT / 160
PORTS = 64
"""Ports in a row that one validator gets: RPC, websocket, faucet, gossip, the rest for its own use."""
EPOCH_SLOTS = 12_000_000
"""Enough for a jump of ten days into one epoch; each slot takes memory, for who leads it."""
LISTED_SLOTS = 320
"""A snapshot lists the transactions of the last 300 final slots."""
LEDGER_SHREDS = 2_000_000
"""Enough for the transactions of an hour, which comparisons ask for again; the default keeps minutes."""
START_SECONDS = 180
SNAPSHOT_SECONDS = 300
STOP_SECONDS = 60
CLOCK = Path(__file__).with_name("clock.c")
"""For a machine's clock that only the validator sees."""


def binary() -> Path | None:
    """Where the validator is, None where it was not installed."""
    answer = subprocess.run([INSTALLER, "path"], capture_output=True, text=True, check=False)
    return Path(answer.stdout.strip()) if answer.returncode == 0 else None


class Validator:
    """A running validator; ``faucet`` owns all lamports but its own stake."""

    def __init__(self, program: Path, faucet: Pubkey) -> None:
        """Start it and wait until it answers.

        Raises RuntimeError with the end of its output when it doesn't, as :meth:`jump` does.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="ionet-validator-"))
        self._clock = self._folder / "clock"
        self._environment = dict(os.environ)
        self._first_good = 0
        first = _free_ports(PORTS)
        self.url = f"http://127.0.0.1:{first}"
        self._command = [
            *(str(program), "--quiet", "--ledger", str(self._folder / "ledger")),
            *("--bind-address", "127.0.0.1", "--rpc-port", str(first), "--faucet-port", str(first + 2)),
            *("--gossip-port", str(first + 3), "--dynamic-port-range", f"{first + 4}-{first + PORTS - 1}"),
            *("--limit-ledger-size", str(LEDGER_SHREDS)),
        ]
        self._start(
            *("--ticks-per-slot", str(TICKS_PER_SLOT), "--slots-per-epoch", str(EPOCH_SLOTS)),
            *("--mint", str(faucet)),
        )

    def __enter__(self) -> Validator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def jump(self, keep: int, slots: int, ahead: int | None = None) -> None:
        """Start it anew so many slots into the epoch after the next, with what happened up to slot ``keep``.

        With ``ahead`` it sees the machine's clock so many seconds ahead, and as :meth:`set_ahead` says later,
        after further jumps, too: of a time before its last vote's nobody takes its votes.

        It begins with the last snapshot that it has packed, whatever it did afterwards. The first ones after
        a jump are no good: they list transactions of slots before it, which the SlotHistory sysvar with its
        million slots has forgotten, and a validator that starts from one says so and ends.
        """
        self._await_snapshot(max(keep, self._first_good))
        self._end()
        slot = (keep // EPOCH_SLOTS + 2) * EPOCH_SLOTS + slots
        self._first_good = slot + LISTED_SLOTS
        if ahead is not None:
            self._clock.write_bytes(bytes(8))
            self.set_ahead(ahead)
            library = self._folder / "clock.so"
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, CLOCK], check=True)
            self._environment |= {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(self._clock)}
        self._start("--warp-slot", str(slot))

    def set_ahead(self, seconds: int) -> None:
        """After such a jump: let it see the clock so many seconds ahead from now on."""
        with self._clock.open("r+b", buffering=0) as file:
            file.write(seconds.to_bytes(8, sys.byteorder, signed=True))

    def stop(self) -> None:
        """End it and remove its ledger."""
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _await_snapshot(self, slot: int) -> None:
        deadline = time.monotonic() + SNAPSHOT_SECONDS
        while max(map(_slot_of, (self._folder / "ledger").glob("snapshot-*.tar.zst")), default=0) < slot:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{NAME} made no snapshot of slot {slot} or later")
            time.sleep(0.2)

    def _start(self, *options: str) -> None:
        with (self._folder / "output").open("w") as output:
            self._process = subprocess.Popen(
                [*self._command, *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )
        with ExitStack() as failed:
            failed.callback(self.stop)
            self._wait()
            failed.pop_all()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.2)
        said = (self._folder / "output").read_text().splitlines()[-20:]
        raise RuntimeError("\n".join([f"{NAME} doesn't answer at {self.url}", *said]))

    def _answers(self) -> bool:
        async def slot() -> int:
            chain = RpcChain(self.url)
            try:
                return await chain.slot(Commitment.CONFIRMED)
            finally:
                await chain.close()

        # In a thread of its own: a scenario's loop may run in this one.
        with ThreadPoolExecutor(1) as aside:
            answer = aside.submit(lambda: asyncio.run(slot()))
        try:
            return answer.result() > 0
        except ChainError:
            return False


def _slot_of(snapshot: Path) -> int:
    """The slot in a name like snapshot-200-HASH.tar.zst."""
    return int(snapshot.name.split("-")[1])


def _free_ports(count: int) -> int:
    """The first of ``count`` ports in a row that nobody uses, TCP and UDP."""
    while True:
        first = random.randrange(20_000, 60_000, count)
        with ExitStack() as held:
            try:
                for port in range(first, first + count):
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        held.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
            except OSError:
                continue
        return first
