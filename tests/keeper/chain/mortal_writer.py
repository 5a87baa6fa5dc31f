"""A process that executes one transaction on a saved chain, and dies at one of the steps of saving it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from keeper.chain import filelock, snapshot
from keeper.chain.saved import SavedChain
from tests.keeper.chain.conftest import ALICE, pay

MODULES = (filelock.__file__, snapshot.__file__)
FUNCTIONS = (
    *("_held", "_is_there", "release"),
    *("write", "_fill", "_sync_folder"),
)
"""What touches files; each of its calls into the system or into SQLite is two steps, before it and after."""


def main(path: str, lamports: int, kill_at: int, told: Connection) -> None:
    """Send; tell how many steps there were, by the function they are in."""
    steps: Counter[str] = Counter()

    def step(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event in ("c_call", "c_return") and code.co_filename in MODULES and code.co_name in FUNCTIONS:
            steps[code.co_name] += 1
            if steps.total() == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    async def send() -> None:
        await SavedChain.load(Path(path)).send([pay(lamports)], [ALICE])

    sys.setprofile(step)
    asyncio.run(send())
    sys.setprofile(None)
    told.send(steps)
