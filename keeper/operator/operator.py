"""An operator at work: follows the chain, seals and posts what devices send, collects what others have.

Everything it touches is given, so that a test or the demo drives it step by step. A service runs its parts
beside each other (:mod:`keeper.operator.running`), as none may wait for another: what a wave's clock shows
hangs on :meth:`Operator.watch` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic as now

from structlog.typing import FilteringBoundLogger

from keeper.chain import ChainError, Commitment, Signer
from keeper.compute.liveness import Wave as Still
from keeper.jobs.port import Port
from keeper.operator.book import Book
from keeper.operator.collecting import Collecting
from keeper.operator.desk import Desk
from keeper.operator.hours import Hours
from keeper.operator.intake import Intake
from keeper.operator.limits import Gate, Limits
from keeper.operator.line import CARRIES, Line
from keeper.operator.metrics import Metrics
from keeper.operator.posting import Postings
from keeper.operator.sealing import advance
from keeper.operator.store import Store
from keeper.operator.watching import Watcher
from keeper.pow.clock import Network, epoch_start
from keeper.pow.connectivity import TRANSFER
from keeper.pow.profiles_by_hour import ByHour
from keeper.pow.replay import first_at
from keeper.pow.verification import Verifier
from keeper.rewards.peers import Peers

BOOK = "state.db"
ROSTER_SECONDS = 20.0
"""How old the list of devices may be."""
HOURS_BACK = 2
"""Postings for earlier hours aren't looked for, but for those that :mod:`keeper.operator.behind` looks at."""
WAVE_SECONDS, CLOCK_SECONDS = 40, 10
"""From a wave's block until no hired device works on it, with room; what the chain's time may be off."""
SLOTS_A_SECOND = 3
"""At most: a cluster makes 2.5."""


class Operator:
    """One operator's service without its HTTP side."""

    def __init__(  # noqa: PLR0913 - all that it touches
        self,
        port: Port,
        signer: Signer,
        network: Network,
        profiles: ByHour,
        folder: Path,
        verifier: Verifier,
        peers: Peers,
        *,
        limits: Limits | None = None,
        carries: int = CARRIES,
        transfer: int = TRANSFER,
        monotonic: Callable[[], float] = now,
        metrics: Metrics | None = None,
        roster_seconds: float = ROSTER_SECONDS,
        durable: bool = True,
    ) -> None:
        """Go on from what is in ``folder``; ``port`` acts as ``signer``.

        The operator's line ``carries`` so many bytes a second; ``transfer`` bytes measure a device's.
        The list of devices may be ``roster_seconds`` old. A folder that isn't ``durable`` may lose what it
        has when the machine ends: for a simulation, which nobody resumes.

        Raises StoreUnusable, BookUnusable.
        """
        store, book = Store(folder, durable=durable), Book(folder / BOOK, durable=durable)
        gate = Gate(limits or Limits())
        gate.recall(book.homes(), monotonic())
        self._roster_seconds = roster_seconds
        self.desk = Desk(
            chain=port.chain,
            port=port,
            signer=signer,
            network=network,
            profiles=profiles,
            store=store,
            book=book,
            intake=Intake(gate, profiles),
            postings=Postings(port.chain, 0, network),
            monotonic=monotonic,
            log=port.log,
            metrics=metrics or Metrics(),
        )
        self._watcher = Watcher(self.desk)
        self.collecting = Collecting(self.desk, peers, verifier)
        self.line = Line(self.desk, carries, transfer)
        self._hours = Hours(self.desk, self.line, self._watcher.is_over)
        self._roster_at = float("-inf")
        self.looked_at = float("-inf")
        """Monotonic, when the chain's newest block was last seen."""

    @property
    def log(self) -> FilteringBoundLogger:
        """Where it tells what it does."""
        return self.desk.log

    def figures(self) -> bytes:
        """What Prometheus reads, as of now."""
        desk, metrics = self.desk, self.desk.metrics
        metrics.unverified.set(desk.book.unverified_count())
        metrics.devices.set(len(desk.intake.roster.entries))
        metrics.age.set(desk.monotonic() - self.looked_at if self.looked_at > float("-inf") else -1)
        return metrics.text()

    async def step(self) -> None:
        """Everything that is due, one after the other."""
        await self.watch()
        await self.work()
        await self.collecting.verify()
        await self.collecting.exchange()

    async def watch(self) -> None:
        """See new blocks; a chain that doesn't answer is asked again the next time."""
        desk = self.desk
        try:
            if not desk.postings.since:
                desk.postings.since = await self._postings_since()
            await self._watcher.look()
            self.looked_at = desk.monotonic()
            if self.looked_at - self._roster_at >= self._roster_seconds:
                await desk.refresh_roster()
                self._roster_at = self.looked_at
            await self._tell_epoch()
        except ChainError as error:
            desk.log.warning("pow.chain_waits", reason=str(error))

    async def _postings_since(self) -> int:
        """A slot before all postings that matter."""
        chain, network = self.desk.chain, self.desk.network
        clock = await chain.clock(Commitment.CONFIRMED)
        now = clock.unix_timestamp
        first = min(await self.collecting.behind.first(now), network.hour_of(now) - HOURS_BACK)
        return max(1, clock.slot - SLOTS_A_SECOND * (now - network.start_of(first)))

    async def _tell_epoch(self) -> None:
        """Tell the first block of the day that plots are made from, once it is final."""
        desk = self.desk
        day = epoch_start((await desk.chain.clock(Commitment.FINALIZED)).unix_timestamp)
        if desk.news.day != day and (head := await first_at(desk.chain, day, Commitment.FINALIZED)):
            desk.news.epoch(day, head)

    async def work(self) -> None:
        """Bring waves and hours on. Raises StoreUnusable, BookUnusable."""
        if self.looked_at == float("-inf"):
            return
        for held in sorted(self.desk.intake.waves.values(), key=lambda each: each.wave.slot):
            await advance(self.desk, held)
        await self._hours.step()
        self.desk.save_homes()
        self.desk.book.save()

    def stills(self) -> list[Still]:
        """When sandboxes stand still: the waves that are in work, with what clocks may be off."""
        return [
            Still(held.wave.time - CLOCK_SECONDS, held.wave.time + WAVE_SECONDS + CLOCK_SECONDS)
            for held in self.desk.intake.waves.values()
        ]

    def close(self) -> None:
        """Keep what isn't on the disk yet."""
        self._hours.save_answers()
        self.desk.save_homes()
        self.desk.book.save()
        self.desk.book.close()
