"""Some honest hours of a small network: devices that prove, operators that publish and attest, claims."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from keeper.audit.sources import Source
from keeper.clients import staking
from keeper.db import Database
from keeper.economy import emission
from keeper.pow.profiles import RULES
from keeper.rewards import publication, publishing
from keeper.rewards.history import History
from keeper.rewards.merge import merge
from keeper.rewards.observed import observations
from keeper.rewards.publication import Manifest
from keeper.rewards.rows import Hour, class_rows, field_rows
from tests.keeper.rewards.hours import PowHours, profiles_in
from tests.programs.staking.world import StakingWorld
from tests.programs.world import HOUR, START, START_MONTH, key

HOURS = 9
NAMES = "worker a", "worker b", "worker late", "worker silent"


@dataclass
class Life:
    """The network, its folders, and its manifests by hour."""

    hours: PowHours
    rewards: Path
    evidence: Path
    manifests: list[Manifest]

    def source(self, *more: Path) -> Source:
        """All of it, for an audit; ``more`` are other operators' folders of published hours."""
        return Source("here", self.hours.world.chain, [self.rewards, *more], [self.evidence])

    def copy(self, folder: Path) -> Path:
        """The published hours in another folder, to falsify there."""
        shutil.copytree(self.rewards, folder)
        return folder


def live(folder: Path) -> Life:
    """Let it live."""
    return asyncio.run(_live(folder))


async def _live(folder: Path) -> Life:
    world = StakingWorld.ready(now=START - HOUR)
    profiles = profiles_in(folder, max(RULES))
    hours = PowHours(folder, world, NAMES, profiles)
    rewards, evidence = folder / "rewards", folder / "pow"
    database = Database(f"sqlite:///{folder}/operators.db")
    await database.upgrade()
    history = History(world.chain, database)
    await history.prepare()
    manifests = []
    for number in range(HOURS + 1):
        # An hour is put together while the next one runs.
        if number < HOURS:
            await _prove(hours, number)
        if number:
            manifests.append(await _publish(hours, history, rewards, number - 1))
            world.attest(number - 1, manifests[-1].attestation)
    world.chain.advance(world.staking_config().params.challenge_window)
    for number in range(HOURS):
        world.do(staking.finalise(number))
    await database.close()
    wallet = world.person("supplier of worker a").pubkey()
    wallet = key("supplier of worker a").pubkey()
    due = publication.claimable(rewards, HOURS - 1, wallet)
    world.do(staking.claim(due.hour, wallet, due.lifetime, due.proof))
    world.chain.advance(60)
    hours.write(evidence)
    shutil.copy(folder / "profiles.json", evidence)
    return Life(hours, rewards, evidence, manifests)


async def _prove(hours: PowHours, number: int) -> None:
    """A wave, its openings, evidence: one device is late in every other hour, one is never there."""
    wave = await hours.to_wave(number)
    proving = hours.devices[:3]
    for each in proving:
        if each is proving[2] and number % 2:
            hours.says(wave, each, [20_000, 20_001, 20_002])
        elif wave.kind:
            await hours.resides(wave, each)
        else:
            hours.says(wave, each, [7_000, 7_001, 7_002])
    hours.seal(wave)
    for each in proving:
        await hours.opens(wave, each)
    await hours.end(number, silent=hours.devices[3:])


async def _publish(hours: PowHours, history: History, rewards: Path, number: int) -> Manifest:
    chain = await hours.chain_hour(history, number)
    start = START + HOUR * number
    past = await history.hour(start)
    work = merge(chain, hours.profiles, hours.files, publication.read_observed(rewards, number))
    rows = field_rows(past.devices, observations(work.observed), past.hired)
    hour = Hour(number, start, emission.cumulative(START_MONTH, number + 1))
    return publishing.publish(rewards, hour, work, rows, class_rows(past.classes, start))
