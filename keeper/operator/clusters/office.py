"""An operator's board at work: on a thread of its own, with those who wait for what is said next.

The wave's clock, which times are taken by, runs in the event loop: no disk holds that up.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain import ChainError, ChainReader, Signer
from keeper.compute import knocks, wire
from keeper.compute.board import Board, BoardUnusable, Taken
from keeper.compute.bodies import ANSWERS_PROBES, Kind, Probed
from keeper.compute.liveness import GRID_SECONDS
from keeper.compute.probe import SEED
from keeper.compute.refusals import Why, WireError
from keeper.compute.relay import asks
from keeper.compute.wire import Message, Network
from keeper.operator.clusters.directory import Directory
from keeper.operator.clusters.knocking import Knocking
from keeper.operator.clusters.probing import Prober
from keeper.operator.clusters.witness import Witness
from keeper.operator.metrics import Metrics

T = TypeVar("T")
BOARD = "board.db"
FORGET_SECONDS = 3_600.0
"""How long an order isn't there before what was said in it goes: a node may lack accounts for a while."""
MOST_QUEUED = 512
"""Messages that wait for the board's thread, a tenth of a second's; of further ones only those wait whose
senders are known where they come from."""
MAX_WAITING = 16_384
"""Readers that wait for a message, of all orders; further ones are answered at once."""


class Links(Protocol):
    """What hands out a relay's links."""

    port: int

    def open(self, order: Pubkey, one: Pubkey, other: Pubkey) -> tuple[bytes, bytes]:
        """The links of a pair: one's own, and the other's."""
        ...

    def keep_only(self, parties: Callable[[Pubkey], set[Pubkey]]) -> None:
        """Close the links of whoever has no part in an order any more."""
        ...


class Office:
    """One operator's; every method but :meth:`refresh` is called from one event loop."""

    def __init__(
        self,
        chain: ChainReader,
        network: Network,
        signer: Signer,
        folder: Path,
        log: FilteringBoundLogger,
        metrics: Metrics,
        *,
        links: Links | None = None,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Go on with what is in ``folder``; ``signer`` is the operator's. Raises BoardUnusable.

        Without ``links`` there is no relay.
        """
        self.witness = Witness(network, signer)
        self.network, self.operator = network, signer.pubkey()
        self.directory = Directory(chain)
        self.board = Board(folder / BOARD, network, self.operator, self.directory.parties)
        self.links = links
        self.knocking: Knocking | None = None
        self.prober = Prober(lambda: secrets.token_bytes(SEED))
        self.unix_ms, self._monotonic = unix_ms, monotonic
        self._log, self._metrics = log, metrics
        self._thread = ThreadPoolExecutor(1, "board")
        self._more: dict[Pubkey, asyncio.Event] = {}
        self._waits = Counter[Pubkey]()
        self._missed: dict[Pubkey, float] = {}
        self._newest: dict[Pubkey, int] = {}
        """Of orders that are on chain: the newest message's number."""
        self._queued = 0
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many readers wait."""
        return self._waits.total()

    async def post(self, data: bytes, address: str) -> Taken:
        """Take a message; raises WireError, BoardUnusable."""
        named = wire.named_in(data)
        if self._queued >= MOST_QUEUED and not (named and self.board.admission.knows(*named, address)):
            raise WireError(Why.TOO_MANY, "too many messages at once: send it again")
        self._queued += 1
        try:
            taken = await self.run(self.board.post, data, address, self.unix_ms(), self._monotonic())
        finally:
            self._queued -= 1
        if taken.number:
            order = wire.order_of(data)
            self._newest[order] = max(self._newest.get(order, 0), taken.number)
            if (event := self._more.pop(order, None)) is not None:
                event.set()
        kind = wire.kind_of(data)
        if kind in (Kind.VIEW, Kind.COMPLAINT, Kind.PROBED):
            self._judged(wire.decode(data, self.network).message)
        elif kind == Kind.BEAT and named and not self.prober.is_idle:
            return replace(taken, probe=await self._probe(*named))
        return taken

    async def accuse(self, data: bytes, address: str) -> None:
        """Keep a proof; raises WireError, BoardUnusable."""
        await self.run(self.board.accuse, data, address, self._monotonic())

    async def after(self, order: Pubkey, number: int, seconds: float) -> list[tuple[int, bytes]]:
        """An order's messages behind a number; waits for one for so long. Raises BoardUnusable."""
        if not seconds or self._closed or self.waiting >= MAX_WAITING:
            return await self.run(self.board.after, order, number)
        # Before it is read: what is said from now on isn't missed.
        event = self._more.setdefault(order, asyncio.Event())
        self._waits[order] += 1
        try:
            # Who asks again after 25 seconds, as all do, doesn't have the file read for nothing.
            if await self._newest_of(order) > number and (
                found := await self.run(self.board.after, order, number)
            ):
                return found
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return []
        finally:
            self._waits[order] -= 1
            if not self._waits[order]:
                del self._waits[order]
                self._more.pop(order, None)
        return await self.run(self.board.after, order, number)

    def links_of(self, data: bytes) -> dict[Pubkey, bytes]:
        """The links of who asks, by the other's key; raises WireError."""
        order, sender = asks(data, self.network, self.unix_ms())
        found = self.directory.parties(order)
        if found is None:
            raise WireError(Why.WRONG_ORDER, f"there is no order {order}")
        if sender not in found.members:
            raise WireError(Why.NOT_A_PARTY, f"{sender} has no lease that runs in order {order}")
        links = self.links
        if links is None:
            return {}
        return {other: links.open(order, sender, other)[0] for other in found.members - {sender}}

    def knocked(self, data: bytes) -> None:
        """Another operator has reached this board; raises WireError for who is none."""
        operators, now = self.directory.operators, self.unix_ms()
        by = knocks.who(data, self.network, self.operator, operators, now)
        others = [each for each in operators if each != self.operator]
        self.witness.reached.knocked(by, others, now // 1_000)

    async def knock(self) -> None:
        """Reach the other operators' boards."""
        if self.knocking is not None:
            await self.knocking.knock()

    async def refresh(self) -> None:
        """Read the chain again; a chain that doesn't answer is asked the next time."""
        try:
            await self.directory.refresh()
        except ChainError as error:
            self._log.warning("board.chain_waits", reason=str(error))
            return
        self._note()
        if self.links is not None:
            self.links.keep_only(self._members)
        self._metrics.orders.set(len(self.directory.orders))
        self._metrics.readers.set(self.waiting)

    async def tidy(self) -> None:
        """Drop what was said in orders that are closed; who notes what is heard doesn't wait for that."""
        if not self.directory.now:
            return
        try:
            await self._forget()
        except BoardUnusable as error:
            self._log.error("board.unusable", reason=str(error))
        self._metrics.kept.set(self.board.room.total)

    async def run(self, do: Callable[..., T], *given: Any) -> T:
        """Do something with the board on its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, do, *given)

    def release(self) -> None:
        """The service ends: nobody waits any longer."""
        self._closed = True
        for each in self._more.values():
            each.set()

    def close(self) -> None:
        """Let go of the file."""
        self._thread.shutdown()
        self.board.close()

    def _judged(self, message: Message) -> None:
        """Note what was said for or against a device."""
        leases, now = self.directory.running_of(message.order), self.unix_ms() // 1_000
        if not isinstance(message.body, Probed):
            self.prober.heard(leases, message.sender, message.body, now)
            return
        for each in leases:
            if each.worker == message.sender and message.body.operator == self.operator:
                self.prober.answered(each, message.body, now)

    async def _probe(self, order: Pubkey, worker: Pubkey) -> bytes:
        """What a worker is asked with the answer to its BEAT, if its agent has said that it can be."""
        for each in self.directory.running_of(order):
            if each.worker == worker and self.prober.knows(each):
                key = await self.run(self.board.key, order, worker, each.number)
                if key is not None and key.capabilities & ANSWERS_PROBES:
                    return self.prober.ask(each, self.unix_ms() // 1_000)
        return b""

    def _members(self, order: Pubkey) -> set[Pubkey]:
        found = self.directory.parties(order)
        return found.members if found else set()

    async def _newest_of(self, order: Pubkey) -> int:
        """The number of the newest message of an order."""
        if order not in self._newest:
            newest = await self.run(self.board.newest, order)
            if self.directory.parties(order) is None:
                return newest  # Anybody can make up orders.
            self._newest[order] = max(newest, self._newest.get(order, 0))
        return self._newest[order]

    def _note(self) -> None:
        """Note what was heard of leases, once a minute."""
        now = self.unix_ms() // 1_000
        running = list(self.directory.running())
        self.prober.keep_only(running)
        if self.witness.note(now, running, self.board.heard(), self.prober.words):
            silent = len(self.witness.silent(now - now % GRID_SECONDS))
            self._metrics.silent.set(silent)
            if silent:
                self._log.warning("board.leases_silent", leases=silent)

    async def observation(self, at: int, lease: Pubkey) -> bytes | None:
        """What was seen of a lease at a minute, signed. Raises TooMany, SigningFailed."""
        return await self.witness.observation(at, lease, self._monotonic())

    async def _forget(self) -> None:
        """Drop what was said in orders that are closed."""
        now, there = self._monotonic(), self.directory.orders
        self._newest = {order: newest for order, newest in self._newest.items() if order in there}
        gone = {each for each in await self.run(self.board.orders) if each not in there}
        self._missed = {each: self._missed.get(each, now) for each in gone}
        for order, since in list(self._missed.items()):
            if now - since >= FORGET_SECONDS:
                await self.run(self.board.forget, order)
                self._log.info("board.order_forgotten", order=str(order))
