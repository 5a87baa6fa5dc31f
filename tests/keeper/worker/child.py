"""A worker's process that brings one wave to its end, and dies at a step on the way when told so."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2 as httpx
import structlog
from solders.keypair import Keypair

from keeper.pow.backend import NumpyBackend
from keeper.pow.profiles import read_profiles
from keeper.worker import delivery
from keeper.worker.agent import Agent
from keeper.worker.client import News, Operator
from keeper.worker.state import Store
from keeper.worker.work import Device, Works
from tests.keeper.worker.operators import GENESIS, PROGRAM, device_of, opened, wave

STEPS = "steps.json"
STEP = ("BEGIN", "COMMIT", "INSERT", "UPDATE", "POST", "answer to POST")
SLOT = 3_200
NOW = 1_800_000_000.0
"""Time stands still here, so that nothing depends on how fast processes start."""


def main(
    folder: str, urls: Sequence[str], seed: bytes, die: int | None = None, limit: int | None = None
) -> None:
    """Work until the wave is over; die at the step of number ``die``, or let no file pass ``limit`` bytes.

    A step is a change of the database, before and after which it is killed, or a message, before it goes and
    after it came.
    """
    steps: list[str] = []
    log = os.open(Path(folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)

    def step(what: str) -> None:
        if what.strip().startswith(STEP):
            steps.append(what)
            if len(steps) == die:
                os.kill(os.getpid(), signal.SIGKILL)

    connect = sqlite3.connect

    def connected(*arguments: Any, **more: Any) -> sqlite3.Connection:
        made = connect(*arguments, **more)
        made.set_trace_callback(step)
        return made

    ask = Operator._ask

    async def asked(self, method, path, *rest, **more):
        step(f"{method} {path}")
        answer = await ask(self, method, path, *rest, **more)
        step(f"answer to {method} {path}")
        return answer

    Operator._ask = asked
    sqlite3.connect = connected
    delivery.PAUSES, delivery.OPENING_PAUSE = (0.05,), 0.05
    if limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        asyncio.run(_work(Path(folder), urls, Keypair.from_seed(seed)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
        Path(folder, STEPS).write_text(json.dumps(steps))


async def _work(folder: Path, urls: Sequence[str], worker: Keypair) -> None:
    device = Device(device_of(worker), read_profiles()[0], 1, worker)
    async with httpx.AsyncClient() as http:
        operators = [Operator(url, http) for url in urls]
        await asyncio.gather(*(each.identify() for each in operators))
        store = Store(folder / "state")
        works = Works(NumpyBackend(), [device])
        log = structlog.get_logger()
        network = GENESIS, PROGRAM
        agent = Agent([device], operators, [], works, store, network, log, clock=lambda: NOW)
        agent.resume()
        agent.hear(News(SLOT, (wave(SLOT),)))
        while agent._tasks and not agent.waves.doing.get(device.address, "").startswith("waiting"):
            await asyncio.sleep(0.01)
        agent.hear(News(SLOT + 190, (opened(SLOT),)))
        await agent.settle()
        store.close()
