"""Operators with keys, folders and databases of their own on one chain, whose market tests let go on."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from keeper.chain import Event
from keeper.clients import orders, staking
from keeper.db import Database
from keeper.economy.orders import FIRST, TICK, turn_opens
from keeper.jobs.matching import Matcher, match_tick
from keeper.jobs.names import MATCHING, PRICES, STEPS
from keeper.jobs.port import Job, Port
from keeper.jobs.prices import keep_prices
from keeper.jobs.steps import vote_steps
from keeper.market.facts import Facts
from keeper.market.folder import MarketFolder
from keeper.market.states import Passed, States
from keeper.pow.profiles import Profile, Profiles
from keeper.rewards.history import History
from keeper.rewards.proven import Proven
from keeper.runtime.keeper import JobOutcome, Keeper
from tests.keeper.runtime.keepers import new_keeper
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import finish


@asynccontextmanager
async def three(
    world: OrdersWorld,
    folder: Path,
    empty: Path,
    profiled: Collection[int] = (),
    passed: Passed | None = None,
) -> AsyncIterator[list[Operator]]:
    """All of a world's operators, each with its own keeper in a folder of ``folder``, until the end."""
    found = [Operator(world, n, folder / f"operator {n}", empty, profiled, passed) for n in range(3)]
    for each in found:
        await each.history.prepare()
    yield found
    for each in found:
        await each.stop()


class Operator:
    """An operator's keeper that can be restarted, with all that is its own."""

    def __init__(
        self,
        world: OrdersWorld,
        number: int,
        folder: Path,
        empty: Path,
        profiled: Collection[int] = (),
        passed: Passed | None = None,
    ) -> None:
        self.world, self.number = world, number
        self.profiles = Profiles([Profile(0, 64, 512, 1024, 24, 8000, classes=tuple(profiled))], b"")
        self.signer = world.operators[number]
        self.folder, self.rewards = MarketFolder(folder / "market"), folder / "rewards"
        self.passed = passed
        folder.mkdir()
        shutil.copy(empty, folder / "keeper.db")
        self.database = Database(f"sqlite:///{folder}/keeper.db")
        self.last: list[Event] = []
        self.keeper = self._new()

    def _new(self) -> Keeper:
        self.history = History(self.world.chain, self.database)
        passed = self.passed or Proven(self.rewards)
        of_last = Facts(self.history.ledgers)
        of_newest = Facts(self.history.ledgers, behind=of_last)
        newest, self.of_last_hour = (
            States(self.world.chain, each, self.profiles, passed) for each in (of_newest, of_last)
        )
        self.matcher = Matcher(self.folder, newest)

        async def matching(port: Port) -> list[Event]:
            self.last = await match_tick(port, matcher=self.matcher)
            return self.last

        async def steps(port: Port) -> list[Event]:
            self.last = await vote_steps(port, folder=self.folder, states=self.of_last_hour)
            return self.last

        async def prices(port: Port) -> list[Event]:
            self.last = await keep_prices(port, folder=self.folder)
            return self.last

        jobs: dict[str, Job] = {MATCHING: matching, STEPS: steps, PRICES: prices}
        name = f"operator {self.number}"
        return new_keeper(self.world.chain, self.signer, self.database, jobs, name=name, matcher=self.matcher)

    async def restart(self) -> None:
        """As after a kill: what isn't in files is gone."""
        await self.stop()
        self.keeper = self._new()

    async def stop(self) -> None:
        await self.keeper.resign()
        await self.database.close()

    async def run(self, job: str) -> JobOutcome | None:
        """Run a job; its events are in ``last``."""
        self.last = []
        return await self.keeper.run_job(job)

    async def match(self) -> list[tuple[str, str]]:
        """Run the job of matching; the orders and devices that it matched."""
        assert await self.run(MATCHING) is JobOutcome.OK, self.keeper.health[MATCHING].reason
        return [
            (str(each.fields["order"]), str(each.fields["device"]))
            for each in self.last
            if each.name == "LeaseMatched"
        ]


def leader(world: OrdersWorld, tick: int) -> int:
    """The number of the operator whose turn comes first."""
    return tick % len(world.operators)


def next_tick(world: OrdersWorld) -> int:
    """The next tick to begin."""
    return world.chain.now() // TICK + 1


def come_to(world: OrdersWorld, tick: int, place: int = 0) -> None:
    """The clock comes to the turn of a tick's leader, or of a substitute."""
    number = (tick + place) % len(world.operators)
    world.chain.warp_to(turn_opens(tick, number, len(world.operators)))
    assert place or world.chain.now() == tick * TICK + FIRST


def leases(world: OrdersWorld) -> list[orders.Lease]:
    """All leases."""
    return list(finish(orders.read_leases(world.chain)).values())


def postings(world: OrdersWorld) -> list[tuple[int, int, bytes]]:
    """What was posted: by whom, of which tick, which hash."""
    keys = [each.pubkey() for each in world.operators]
    return [
        (keys.index(event.fields["operator"]), event.fields["number"], event.fields["hash"])
        for record in world.chain.transactions()
        if record.error is None
        for event in staking.PROGRAM.events(record)
        if event.name == "Posted"
    ]
