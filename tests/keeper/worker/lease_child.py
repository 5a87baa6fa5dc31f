"""A worker's process that accepts one lease, and dies at a step on the way when told so."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import structlog
from solders.keypair import Keypair

from keeper.chain import landing
from keeper.chain.asking import Asker
from keeper.chain.fees import FeePolicy
from keeper.chain.rpc import RpcChain
from keeper.economy.orders import LeaseStatus
from keeper.pow.backend import NumpyBackend
from keeper.worker import accepting
from keeper.worker.lease_book import LeaseBook
from keeper.worker.leases import Leases
from keeper.worker.readiness import Readiness
from keeper.worker.state import Store
from tests.keeper.worker.child import NOW, STEPS
from tests.keeper.worker.leasing import Machines, answering, machine

CHANGES = ("BEGIN", "COMMIT", "INSERT", "UPDATE")
QUICK = 0.01


def main(folder: str, url: str, seed: bytes, die: int | None = None) -> None:
    """Look until the device's lease runs; die at the step of number ``die``.

    A step is a change of the database, or a question to the node, before it goes and after its answer came.
    """
    steps: list[str] = []
    log = os.open(Path(folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)

    def step(what: str) -> None:
        if what.strip().startswith((*CHANGES, "ask", "answer")):
            steps.append(what)
            if len(steps) == die:
                os.kill(os.getpid(), signal.SIGKILL)

    connect = sqlite3.connect

    def connected(*arguments: Any, **more: Any) -> sqlite3.Connection:
        made = connect(*arguments, **more)
        made.set_trace_callback(step)
        return made

    ask = Asker.ask

    async def asked(self, method, *rest, **more):
        step(f"ask {method}")
        answer = await ask(self, method, *rest, **more)
        step(f"answer to {method}")
        return answer

    Asker.ask = asked
    sqlite3.connect = connected
    accepting.POLL_SECONDS = landing.POLL_SECONDS = QUICK
    asyncio.run(_work(Path(folder), url, Keypair.from_seed(seed)))
    Path(folder, STEPS).write_text(json.dumps(steps))


async def _work(folder: Path, url: str, worker: Keypair) -> None:
    device = machine(worker)
    store, chain = Store(folder / "state"), RpcChain(url)
    book, works = LeaseBook(store), Machines(NumpyBackend(), [device])
    ready, log = Readiness([answering()], works), structlog.get_logger()
    leases = Leases(chain, [device], book, ready, FeePolicy(), log, clock=lambda: NOW)
    while not (found := book.newest(device.address, 1)) or found[0].status != LeaseStatus.RUNNING:
        await leases.look()
        await leases.settle()
    await chain.close()
    store.close()
