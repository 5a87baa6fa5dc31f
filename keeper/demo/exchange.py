"""The demo's operators at the market: their keepers' jobs of ticks and of prices, each with its own folder.

They read one index here, and what one of them has computed the others needn't: they run in one process.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solders.keypair import Keypair

from keeper.chain import Event
from keeper.demo import favour
from keeper.demo.network import Network
from keeper.economy.calendar import HOUR
from keeper.economy.orders import turn_opens
from keeper.indexer.ledger import Ledger
from keeper.jobs.matching import Matcher, match_tick
from keeper.jobs.prices import keep_prices
from keeper.jobs.steps import vote_steps
from keeper.market.facts import Facts
from keeper.market.findings import Replayed
from keeper.market.folder import MarketFolder
from keeper.market.snapshot import Snapshot
from keeper.market.states import States
from keeper.market.steps import StepTable
from keeper.pow.profiles_by_hour import read_profiles_by_hour
from keeper.rewards.proven import Proven

AWAY = 5
"""In every fifth hour an operator is away: in its turn comes the next one."""
FAVOURING, FAVOUR_HOUR = 1, 6
"""From this hour on this operator waits for a tick of its own in which a friend's device could be taken."""


@dataclass(slots=True)
class Once(States):
    """The states that all operators ask for: each is made for the first of them."""

    _ticks: dict[int, Snapshot] = field(default_factory=dict, init=False)
    _hours: dict[int, StepTable] = field(default_factory=dict, init=False)

    async def at(self, tick: int) -> Snapshot | None:
        """See :class:`~keeper.market.states.States`."""
        if tick not in self._ticks and (found := await States.at(self, tick)):
            self._ticks.clear()
            self._ticks[tick] = found
        return self._ticks.get(tick)

    async def steps(self, hour: int) -> StepTable | None:
        """See :class:`~keeper.market.states.States`."""
        if hour not in self._hours and (found := await States.steps(self, hour)):
            self._hours[hour] = found
        return self._hours.get(hour)


def present(hour: int, count: int) -> list[int]:
    """The numbers of the operators, of ``count``, that are there in an hour."""
    away = hour // AWAY % count if hour % AWAY == AWAY - 1 else None
    return [number for number in range(count) if number != away]


def turns(tick: int, hour: int, count: int) -> list[tuple[int, int]]:
    """When each operator, of ``count``, that is there in an hour may match a tick, in turn; its number."""
    return sorted((turn_opens(tick, number, count), number) for number in present(hour, count))


@dataclass(slots=True)
class Exchange:
    """The operators' keepers, as far as they match and make prices."""

    network: Network
    operators: Sequence[Keypair]
    folder: Path
    """Where each has its folder of the market."""
    rewards: Path
    """An operator's folder of reward blocks: all have the same."""
    ledgers: Sequence[Ledger]
    favoured: Replayed | None = None
    """What a replay finds in the tick in which one of them did a favour."""
    _matchers: list[Matcher] = field(init=False)
    _last: States = field(init=False)

    def __post_init__(self) -> None:
        """Ticks and the hour that is over are each followed in an order of their own."""
        profiles, passed = read_profiles_by_hour(), Proven(self.rewards)
        of_last = Facts(self.ledgers)
        of_newest = Facts(self.ledgers, behind=of_last)
        newest, self._last = (
            Once(self.network.chain, each, profiles, passed) for each in (of_newest, of_last)
        )
        places = [self.folder / f"operator-{number + 1}" for number in range(len(self.operators))]
        self._matchers = [Matcher(MarketFolder(place), newest) for place in places]

    def open(self) -> None:
        """Begin with empty folders."""
        shutil.rmtree(self.folder, ignore_errors=True)

    async def prices(self, hour: int) -> tuple[StepTable, list[Event]]:
        """Let the operators that are there vote for the steps of the hour before; one announces them.

        Gives the steps that it has published, and the events of their announcement.
        """
        there = present(hour, len(self.operators))
        for number in there:
            port, folder = self.network.port(self.operators[number]), self._matchers[number].folder
            await vote_steps(port, folder=folder, states=self._last)
            await self.network.look()
        first, ended = there[0], self.network.chain.now() // HOUR - 1
        folder = self._matchers[first].folder
        events = await keep_prices(self.network.port(self.operators[first]), folder=folder)
        await self.network.look()
        return folder.steps(ended), [each for each in events if each.name == "PriceApplied"]

    async def turn(self, tick: int, number: int, hour: int) -> list[Event]:
        """An operator looks at the tick whose turn has begun; gives its matches."""
        matcher, signer = self._matchers[number], self.operators[number]
        leads = number == tick % len(self.operators)
        done = None
        if self.favoured is None and leads and number == FAVOURING and hour >= FAVOUR_HOUR:
            state = await matcher.states.at(tick)
            assert state is not None  # what is executed here is final
            done = await favour.write(self.network.chain, matcher.folder, signer.pubkey(), state)
        events = await match_tick(self.network.port(signer), matcher=matcher)
        matched = [each for each in events if each.name == "LeaseMatched"]
        if done:
            self.favoured = favour.replayed(self.network.checks, matcher.folder, done, matched)
        await self.network.look()
        return matched
