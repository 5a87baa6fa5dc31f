"""What tests of an agent share: a wave from its block to its end, and what operators find of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from keeper.pow.codes import Code
from keeper.pow.opening import claim
from keeper.pow.seeds import open_seed, wave_seed
from keeper.pow.verify import verify_batch
from keeper.worker import delivery, sources
from keeper.worker.agent import Agent
from keeper.worker.client import News, OpenAt
from keeper.worker.state import State
from tests.keeper.worker.conftest import PROFILE, WORKER
from tests.keeper.worker.operators import (
    GENESIS,
    PROGRAM,
    Service,
    blockhash,
    device_of,
    opened,
    wave,
)

SLOT = 3_200
HASH = bytes(range(32))
SEED = wave_seed(GENESIS, PROGRAM, SLOT, blockhash(SLOT))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Between tries there is none here; how long they are is no matter."""
    monkeypatch.setattr(delivery, "PAUSES", (0.01,))
    monkeypatch.setattr(delivery, "OPENING_PAUSE", 0.01)
    monkeypatch.setattr(sources, "SHORTEST_SECONDS", 0.01)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def verdict(service: Service, at: OpenAt) -> Code:
    """What an operator finds out about the one opening that it was sent."""
    (opening,) = service.openings
    drawn = open_seed(opening.wave_seed, at.open_slot, at.open_blockhash)
    claimed = claim(drawn, PROFILE, opening.device, opening.root, 1, opening.blob)
    return verify_batch(opening.wave_seed, PROFILE, [claimed])[0]


def newest(agent: Agent):
    (kept,) = agent.store.newest(device_of(WORKER), 5)
    return kept


def is_receipted(agent: Agent) -> bool:
    found = agent.store.newest(device_of(WORKER), 1)
    return bool(found) and found[0].state is State.RECEIPTED


async def run_whole(agent: Agent, slot: int = SLOT) -> None:
    """A wave from its block to its end."""
    agent.hear(News(slot, (wave(slot),)))
    await until(lambda: agent.waves.doing.get(device_of(WORKER), "").startswith("waiting"))
    agent.hear(News(slot + 190, (opened(slot),)))
    await agent.settle()
