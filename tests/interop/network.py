"""A network for clients to work on: devices for rent, and four wallets with a reward of an hour to claim."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from keeper.clients import staking
from tests.programs.world import HOUR, START, World, key
from tests.security.orders import stages as orders_stages
from tests.security.people import address, do
from tests.security.staking import stages as staking_stages

WALLETS = staking_stages.EARNING
"""Whose rewards of the first hour wait."""
ONLY_HOUR = 0
TRIES = 240
"""Each a quarter of a second: as long as a loaded machine may take to start it."""


def world() -> World:
    """The chain; what it holds is the same in every run."""
    found = orders_stages.ready()
    found.chain.warp_to(START + HOUR)
    staking_stages.attest(found, ONLY_HOUR)
    found.chain.advance(HOUR)
    do(found, staking.finalise(ONLY_HOUR))
    return found


def due(wallet: str) -> int:
    """What a wallet can claim, base units."""
    return staking_stages.lifetimes(ONLY_HOUR)[address(wallet)]


def write_person(folder: Path, wallet: str) -> None:
    """Somebody's key and proof, as ``ionet localnet`` and ``ionet rewards proof --json`` write them."""
    proof = staking_stages.proof(ONLY_HOUR, wallet)
    write_key(folder / "wallet.json", wallet)
    (folder / "proof.json").write_text(
        json.dumps(
            {
                "hour": ONLY_HOUR,
                "wallet": str(address(wallet)),
                "lifetime": due(wallet),
                "root": staking_stages.said(ONLY_HOUR).root.hex(),
                "proof": [proof[at : at + 32].hex() for at in range(0, len(proof), 32)],
            }
        )
    )


def write_key(path: Path, name: str) -> None:
    """Somebody's key, as Solana's tools write it."""
    path.write_text(json.dumps(list(bytes(key(name)))))
    path.chmod(0o600)


class Localnet:
    """``ionet localnet`` on a saved chain, in a process of its own; RPC at ``url``, notices at ``ws``."""

    def __init__(self, chain: Path) -> None:
        """Start it and wait until it answers; raises RuntimeError with its output when it doesn't."""
        port = _free_pair()
        self.url, self.ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port + 1}"
        keys = chain.parent / "keys"
        keys.mkdir()
        # The owner of the treasury, who gives IO to whoever asks.
        write_key(keys / "admin.json", "admin")
        self._output = chain.parent / "localnet.out"
        command = [sys.executable, "-c", "from keeper.cli.main import main; main()", "localnet"]
        options = ["--chain", str(chain), "--rpc", f"127.0.0.1:{port}", "--keys", str(keys)]
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [*command, *options], cwd=chain.parent, stdout=output, stderr=output
            )
        with ExitStack() as failed:
            failed.callback(self.stop)
            self._wait()
            failed.pop_all()

    def stop(self) -> None:
        """End it as Ctrl+C does."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def _wait(self) -> None:
        for _ in range(TRIES):
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2])), 1).close()
            except OSError:
                time.sleep(0.25)
            else:
                return
        raise RuntimeError(f"ionet localnet doesn't answer:\n{self._output.read_text()}")


def _free_pair() -> int:
    """A port that is free with the one after it."""
    while True:
        with ExitStack() as held:
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                held.enter_context(socket.socket()).bind(("127.0.0.1", port + 1))
            except OSError:
                continue
        return port
