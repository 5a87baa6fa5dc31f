"""Where a worker hears of waves: a node of its choice, or what more than half of its operators say alike.

Either is enough. A node is believed as far as its owner chose it; of operators no minority is, however it
lies: it can neither make a device work for a block that isn't there nor keep one from it, since everything
is counted by the whole of what was said, and each operator is asked on its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from keeper.chain import ChainError, ChainReader, Commitment, Head
from keeper.pow.clock import ClockError, Network, Ping, Wave, WaveClock, epoch_start
from keeper.pow.replay import clock_at, first_at
from keeper.worker.client import EpochAt, Item, News, OpenAt, Operator, OperatorError, PingAt, WaveAt

REMEMBERED = 512
"""Things that are remembered of what an operator says: those of two days."""
SHORTEST_SECONDS = 1.0
"""From asking an operator to asking it again, at least: one that always has something new to say would keep
the processor from its work."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before an operator or a node that failed is asked again, the last from then on."""
LOOK_SECONDS = 1.0
"""How often a node is asked for the next block."""
PENDING_SLOTS = 1_500
"""So long after a wave its opening's block is waited for: ten minutes, in which a cluster may stand still."""


class Source(Protocol):
    """Tells of waves, pings and openings, each once."""

    async def look(self) -> News:
        """Wait for something, or for a while; may bring nothing new. Raises nothing that a server causes."""

    async def close(self) -> None:
        """Stop asking."""


class Operators:
    """What more than half of a worker's operators say."""

    def __init__(
        self,
        operators: Sequence[Operator],
        genesis: bytes,
        program: bytes,
        log: Any,
        pause: float | None = None,
    ) -> None:
        """Those on another chain or of another program are not listened to.

        None is asked again before ``pause`` seconds are over [default: SHORTEST_SECONDS].

        Those that say that they are the same operator count as one, which says what any of them says. None of
        them is left out: nothing shows which of them it is, and a liar would silence whom it claims to be.
        """
        self.operators = operators
        self._pause = SHORTEST_SECONDS if pause is None else pause
        self._network = genesis, program
        self._log = log
        self._polls: dict[asyncio.Task[News | None], Operator] = {}
        self._said: dict[Operator, dict[Item, None]] = {each: {} for each in operators}
        self._slots = dict.fromkeys(operators, 0)
        self._failed = dict.fromkeys(operators, 0)
        self._names: dict[Operator, object] = {each: each for each in operators}
        """Whom each says that it is."""
        self._told: dict[Item, None] = {}
        self._next: dict[Operator, float] = {}

    async def look(self) -> News:
        """Wait until one more operator has said something or failed; gives what most came to say by it."""
        asked = set(self._polls.values())
        for each in self.operators:
            if each not in asked:
                self._polls[asyncio.create_task(self._poll(each))] = each
        done, _ = await asyncio.wait(self._polls, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            operator, news = self._polls.pop(task), task.result()
            if news is not None:
                self._slots[operator] = news.slot
                said = self._said[operator]
                said.update(dict.fromkeys(news.items))
                while len(said) > REMEMBERED:
                    del said[next(iter(said))]
        return News(self._reached(), self._agreed())

    async def close(self) -> None:
        """See :class:`Source`."""
        for task in self._polls:
            task.cancel()
        await asyncio.gather(*self._polls, return_exceptions=True)
        self._polls.clear()

    def _reached(self) -> int:
        """The slot that more than half have come to: no minority moves it beyond what an honest one says."""
        slots: dict[object, int] = {}
        for operator, slot in self._slots.items():
            name = self._names[operator]
            slots[name] = max(slot, slots.get(name, 0))
        silent = [0] * (len(self.operators) - len(slots))
        return sorted([*slots.values(), *silent], reverse=True)[len(self.operators) // 2]

    def _agreed(self) -> tuple[Item, ...]:
        sayers: dict[Item, set[object]] = {}
        for operator, said in self._said.items():
            for item in said:
                sayers.setdefault(item, set()).add(self._names[operator])
        found = [item for item, names in sayers.items() if 2 * len(names) > len(self.operators)]
        new = tuple(sorted((item for item in found if item not in self._told), key=lambda each: each.slot))
        self._told.update(dict.fromkeys(new))
        while len(self._told) > 2 * REMEMBERED:
            del self._told[next(iter(self._told))]
        return new

    async def _poll(self, operator: Operator) -> News | None:
        """Ask one for what it has beyond what it said already; None when it failed, after a pause."""
        events = asyncio.get_running_loop()
        await asyncio.sleep(self._next.get(operator, 0.0) - events.time())
        self._next[operator] = events.time() + self._pause
        try:
            if operator.identity is None:
                self._check(await operator.identify(), operator)
            news = await operator.news(self._slots[operator])
        except OperatorError as error:
            # One that begins anew may be behind what it said: from the start on, then.
            operator.identity, self._slots[operator] = None, 0
            pause = PAUSES[min(self._failed[operator], len(PAUSES) - 1)]
            if not self._failed[operator]:
                self._log.warning("worker.operator_failed", url=operator.url, reason=str(error))
            self._failed[operator] += 1
            await asyncio.sleep(pause)
            return None
        if self._failed[operator]:
            self._log.info("worker.operator_answers", url=operator.url)
            self._failed[operator] = 0
        return news

    def _check(self, identity: Any, operator: Operator) -> None:
        if (identity.genesis, bytes(identity.program)) != self._network:
            operator.identity = None
            raise OperatorError(f"{operator.url} takes another network's waves")
        before, self._names[operator] = self._names[operator], identity.operator
        same = [each.url for each in self.operators if self._names[each] == identity.operator]
        if len(same) > 1 and before != identity.operator:
            self._log.warning("worker.same_operator", operator=str(identity.operator), urls=same)


class Node:
    """What a node has, by the clock of waves: all of it computed here."""

    def __init__(self, chain: ChainReader, network: Network, log: Any, pause: float = LOOK_SECONDS) -> None:
        """``pause`` are the seconds between looks."""
        self.chain = chain
        self.network = network
        self._log = log
        self._pause = pause
        self._clock: WaveClock | None = None
        self._pending: list[Wave] = []
        self._day = 0
        self._epoch: asyncio.Task[Head | None] | None = None
        self._failed = 0

    async def look(self) -> News:
        """Read what the node has beyond what was read before, and pause where that is nothing."""
        found: list[Item] = []
        newest = 0
        try:
            newest = await self.chain.slot(Commitment.CONFIRMED)
            clock = self._clock = self._clock or await self._from_the_hours_start()
            while head := await self.chain.head(clock.next_slot, Commitment.CONFIRMED):
                event = clock.feed(head)
                if isinstance(event, Wave):
                    self._pending.append(event)
                    found.append(WaveAt(event.slot, event.blockhash, event.kind, event.spot, event.time))
                elif isinstance(event, Ping):
                    found.append(PingAt(event.slot, event.seed))
            found += await self._openings(newest)
            found += await self._epochs()
            if not found:
                await asyncio.sleep(self._pause)
        except (ChainError, ClockError) as error:
            if not self._failed:
                self._log.warning("worker.node_failed", reason=str(error))
            self._failed += 1
            await asyncio.sleep(PAUSES[min(self._failed, len(PAUSES)) - 1])
        else:
            if self._failed:
                self._log.info("worker.node_answers")
            self._failed = 0
        return News(newest, tuple(found))

    async def close(self) -> None:
        """See :class:`Source`."""
        if self._epoch is not None:
            self._epoch.cancel()

    async def _from_the_hours_start(self) -> WaveClock:
        """A clock of the hour under way: what it says depends on all that the hour has had."""
        now = (await self.chain.clock(Commitment.CONFIRMED)).unix_timestamp
        return await clock_at(self.chain, self.network, self.network.hour_of(now), Commitment.CONFIRMED)

    async def _openings(self, newest: int) -> list[Item]:
        found: list[Item] = []
        for wave in list(self._pending):
            head = await self.chain.head(wave.open_from, Commitment.FINALIZED)
            if head is not None:
                found.append(OpenAt(wave.slot, head.slot, head.blockhash))
            if head is not None or newest > wave.slot + PENDING_SLOTS:
                self._pending.remove(wave)
        return found

    async def _epochs(self) -> list[Item]:
        """The first block of the day that plots are about next; looked for while everything else goes on."""
        if self._epoch is None:
            now = (await self.chain.clock(Commitment.CONFIRMED)).unix_timestamp
            if self._day == (day := epoch_start(now)):
                return []
            self._day = day
            self._epoch = asyncio.create_task(first_at(self.chain, day, Commitment.FINALIZED))
        if not self._epoch.done():
            return []
        task, self._epoch = self._epoch, None
        day, self._day = self._day, 0
        head = task.result()
        if head is None:
            return []
        self._day = day
        return [EpochAt(head.slot, head.blockhash, day)]
