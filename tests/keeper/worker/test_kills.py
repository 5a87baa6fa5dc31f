"""A worker killed anywhere in a wave, and started again: one root is ever signed, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from solders.keypair import Keypair

from keeper.pow.codes import Code
from keeper.pow.opening import claim
from keeper.pow.profiles import read_profiles
from keeper.pow.seeds import open_seed, wave_seed
from keeper.pow.verify import verify_batch
from keeper.worker.state import State, Store
from tests.keeper.forks import forks
from tests.keeper.worker import child
from tests.keeper.worker.child import SLOT, STEPS
from tests.keeper.worker.operators import (
    GENESIS,
    PROGRAM,
    Service,
    blockhash,
    device_of,
    opened,
    serving,
    wave,
)

SEED = wave_seed(GENESIS, PROGRAM, SLOT, blockhash(SLOT))
TOGETHER = 4


def seed_of(name: object) -> bytes:
    return sha256(f"worker {name}".encode()).digest()


class Workers:
    """Processes beside three operators, each with a folder and a key by its number."""

    def __init__(self, folder: Path, services: Sequence[Service]) -> None:
        self.folder = folder
        self.services = services
        self._turns = asyncio.Semaphore(TOGETHER)

    def key(self, name: object) -> Keypair:
        return Keypair.from_seed(seed_of(name))

    async def run(self, name: object, **how: int) -> int | None:
        """Run one's process to its end; gives its exit code, below 0 for a signal."""
        worker = self.key(name)
        for service in self.services:
            service.workers[device_of(worker)] = worker.pubkey()
        folder = self.folder / str(name)
        folder.mkdir(exist_ok=True)
        arguments = (str(folder), [each.url for each in self.services], seed_of(name))
        async with self._turns:
            process = forks().Process(target=child.main, args=arguments, kwargs=how)
            process.start()
            while process.exitcode is None:
                await asyncio.sleep(0.01)
        return process.exitcode

    def steps(self, name: object) -> list[str]:
        return json.loads((self.folder / str(name) / STEPS).read_text())

    def outcome(self, name: object) -> tuple[object, ...]:
        """What a worker's disk and the operators have of its wave."""
        device = device_of(self.key(name))
        store = Store(self.folder / str(name) / "state")
        kept = store.wave(device, SEED)
        receipts = {each.operator for each in store.receipts(device, SEED)}
        store.close()
        bodies = {x.encode() for each in self.services for x in each.commits if x.message.device == device}
        return kept.state, kept.ended, len(receipts), len(bodies), self._verdicts(device)

    def _verdicts(self, device) -> list[Code]:
        found = []
        at, profile = opened(SLOT), read_profiles()[0]
        for service in self.services:
            openings = [each for each in service.openings if each.device == device]
            assert len({each.blob for each in openings}) <= 1
            for each in openings[:1]:
                drawn = open_seed(SEED, at.open_slot, at.open_blockhash)
                claimed = claim(drawn, profile, device, each.root, 1, each.blob)
                found += verify_batch(SEED, profile, [claimed])
        return found


async def workers(folder: Path) -> tuple[Workers, list[Service]]:
    services = [Service(f"operator {number}", []) for number in range(3)]
    for service in services:
        await service.tell(wave(SLOT))
    return Workers(folder, services), services


async def test_killed_at_every_step_of_a_wave(tmp_path: Path) -> None:
    """At statements of SQLite's, before messages go, after answers that never arrive."""
    at, services = await workers(tmp_path)
    async with serving(services):
        assert await at.run("whole") == 0
        steps = at.steps("whole")
        wanted = (State.OPENED, "", 3, 1, [Code.PASS] * 3)
        assert at.outcome("whole") == wanted
        assert sum("/pow/commit" in each for each in steps) == 6

        async def killed(number: int) -> int | None:
            end = await at.run(number, die=number)
            assert await at.run(number) == 0
            return end

        numbers = range(1, len(steps) + 1)
        assert set(await asyncio.gather(*map(killed, numbers))) == {-9}
        assert {number: at.outcome(number) for number in numbers if at.outcome(number) != wanted} == {}


async def test_killed_again_and_again(tmp_path: Path) -> None:
    """Each time a step later than before."""
    at, services = await workers(tmp_path)
    async with serving(services):
        kills = 0
        while await at.run("one", die=8 + kills) == -9:
            kills += 1
        assert kills > 1
        assert at.outcome("one") == (State.OPENED, "", 3, 1, [Code.PASS] * 3)


async def test_a_full_disk_signs_nothing(tmp_path: Path) -> None:
    """At every size of which it is full; what was signed before it was is sent, and nothing else."""
    at, services = await workers(tmp_path)
    async with serving(services):
        assert await at.run("whole") == 0
        sizes = range(0, 120_000, 8_192)
        await asyncio.gather(*(at.run(size, limit=size) for size in sizes))
        signed = []
        for size in sizes:
            device = device_of(at.key(size))
            bodies = {
                x.message.body() for each in services for x in each.commits if x.message.device == device
            }
            if bodies:
                store = Store(tmp_path / str(size) / "state")
                assert bodies == {store.wave(device, SEED).body}
                store.close()
                signed.append(size)
        assert 0 not in signed and signed
        assert len(signed) < len(sizes)
