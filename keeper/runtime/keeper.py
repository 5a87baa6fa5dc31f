"""A keeper: its jobs with what they need, what it last saw, and how its jobs are doing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from keeper.chain import (
    ChainError,
    ChainReader,
    ChainUnreachable,
    Event,
    SigningFailed,
    TransactionExpired,
    TransactionFailed,
)
from keeper.chain.connect import makes_blocks, refresh
from keeper.chain.errors import AnotherChain, ChainLocked, ChainNotSaved, NodeRefused
from keeper.clients.errors import explain
from keeper.db import Database, DatabaseError, Leader, NotLeader
from keeper.errors import UserError
from keeper.jobs.matching import Matcher
from keeper.jobs.port import Job, Port
from keeper.market.watch import Watch
from keeper.runtime.acting import Acting
from keeper.runtime.balance import BalanceGuard, Withheld
from keeper.runtime.look import (
    ChainSeen,
    Conflict,
    DatabaseSeen,
    Glance,
    look_at_chain,
    look_at_database,
)
from keeper.runtime.market import MarketFigures
from keeper.runtime.metrics import Metrics
from keeper.sender import Halted, Stopped
from keeper.sender.intents import IntentState
from keeper.sender.sender import Sender


class JobOutcome(StrEnum):
    """How a job's run ended."""

    OK = "ok"
    FAILED = "failed"
    WITHHELD = "withheld"
    """It had something to send, and nothing may be sent now."""


@dataclass(frozen=True, slots=True)
class LagLimits:
    """How far the index (slots) and the network (ended hours) may be behind while a keeper is ready."""

    lag_slots: int
    lag_hours: int


LOOK_SECONDS = 3.0
"""The most that a look takes: whoever hasn't answered by then doesn't answer."""
STILL_SECONDS = 60.0
"""A node whose slots have stood still for so long is of no use."""

PASSING = (asyncio.CancelledError, KeyboardInterrupt, SystemExit, AnotherChain, Stopped)
"""What ends a job and whatever runs it. Anything else is logged, also a panic of a library's native code,
which is no Exception.
"""


@dataclass(slots=True)
class JobHealth:
    """How a job is doing: failed runs since one was good or did something, and why the last one failed.

    ``running_since`` is when it began, or last did something; None while it doesn't run.
    """

    failures: int = 0
    reason: str | None = None
    running_since: float | None = None

    def moved(self) -> None:
        """Something was done on chain: whatever comes next, this run was not for nothing."""
        self.failures = 0
        self.running_since = time.monotonic()


async def run_once(job: Job, port: Acting) -> tuple[JobOutcome, str | None]:
    """Run one job now; log what goes wrong instead of raising it. Returns the outcome and a reason.

    Whatever failed is tried again at the job's next time, as the jobs are idempotent. Raises only what is
    PASSING.
    """
    log = port.log
    try:
        refresh(port.chain)
        await job(port)
        await port.finish()
    except PASSING:
        raise
    except (Withheld, Halted) as error:
        reason = str(error)
        log.warning("job.withheld", reason=reason)
        return JobOutcome.WITHHELD, reason
    except (ChainUnreachable, NodeRefused, ChainLocked) as error:
        reason = str(error)
        log.warning("chain.unreachable", reason=reason)
    except ChainNotSaved as error:
        reason = str(error)
        log.error("chain.not_saved", reason=reason)
    except TransactionExpired as error:
        reason = str(error)
        log.warning("transaction.expired", reason=reason)
    except SigningFailed as error:
        reason = str(error)
        log.error("signer.failed", reason=reason)
    except TransactionFailed as error:
        reason = explain(error)
        log.error("job.refused", reason=reason)
    except NotLeader as error:
        reason = str(error)
        log.warning("keeper.overtaken", reason=reason)
    except DatabaseError as error:
        reason = str(error)
        log.error("database.unusable", reason=reason)
    except UserError as error:
        reason = str(error)
        log.error("job.refused", reason=reason)
    except BaseException as error:
        # A defect in one job must not stop the others.
        reason = f"{type(error).__name__}: {error}"
        log.exception("job.failed")
    else:
        return JobOutcome.OK, None
    return JobOutcome.FAILED, reason


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Runs jobs while it leads, and remembers how they are doing and what it sees."""

    name: str
    chain: ChainReader
    sender: Sender = field(repr=False)
    database: Database
    leader: Leader
    guard: BalanceGuard
    jobs: Mapping[str, Job]
    rewards: Path
    limits: LagLimits
    log: FilteringBoundLogger
    metrics: Metrics = field(default_factory=Metrics)
    matcher: Matcher | None = None
    """What the job of matching matches with, where it is on."""
    watch: Watch | None = None
    """What computes ticks again, where it does."""
    health: dict[str, JobHealth] = field(init=False)
    seen: ChainSeen | None = field(init=False, default=None)
    known: DatabaseSeen | None = field(init=False, default=None)
    chain_error: str | None = field(init=False, default="not asked yet")
    looked_at: float = field(init=False, default_factory=time.monotonic)
    """When the last look that has ended began, by the monotonic clock; before the first, its own start."""
    lease_error: str | None = field(init=False, default=None)
    """Why the lease couldn't be renewed or asked for the last time; None when it could."""
    moved_at: float = field(init=False, default_factory=time.monotonic)
    """When a higher slot was seen for the last time."""
    _unread: str | None = field(init=False, default="not asked yet")
    _genesis: str | None = field(init=False, default=None)
    _foreign: str | None = field(init=False, default=None)
    _looking: asyncio.Task[None] | None = field(init=False, default=None)
    _at_chain: Glance[ChainSeen] = field(init=False, default_factory=Glance)
    _at_database: Glance[DatabaseSeen] = field(init=False, default_factory=Glance)
    _led: int | None = field(init=False, default=None)
    _beside: str | None = field(init=False, default=None)
    _standing: asyncio.Task[None] | None = field(init=False, default=None)
    _conflicts: set[Conflict] = field(init=False, default_factory=set)
    _balance_low: bool = field(init=False, default=False)
    _halted: Mapping[str, str] = field(init=False, default_factory=dict)
    _market: MarketFigures = field(init=False)

    def __post_init__(self) -> None:
        """Lead nothing yet, know nothing yet."""
        self.health = {name: JobHealth() for name in self.jobs}
        self.metrics.info.labels(self.name, str(self.sender.payer)).set(1)
        self.metrics.balance_warning.set(self.guard.warning)
        self.metrics.balance_stop.set(self.guard.stop)
        self.metrics.leader.set_function(lambda: self.leads)
        self._market = MarketFigures(self.metrics, self.matcher, self.watch)
        for name in self.jobs:
            self.metrics.failing.labels(name).set(0)

    # -- jobs ----------------------------------------------------------------------------------

    async def run_job(self, name: str) -> JobOutcome | None:
        """Run a job if this keeper leads, and keep how it went; None when another leads.

        Raises AnotherChain when the chain's file is another chain's by now: there is nothing left to keep.
        Raises Stopped when the sender was told to stop.
        """
        if not await self.lead():
            return None
        health = self.health[name]
        began = health.running_since = time.monotonic()
        job = self._refuse if self._foreign else self.jobs[name]
        try:
            outcome, reason = await run_once(self._counted(job), self._port(name))
        finally:
            seconds, health.running_since = time.monotonic() - began, None
        health.failures = 0 if outcome is JobOutcome.OK else health.failures + 1
        health.reason = reason
        self.metrics.runs.labels(name, outcome).inc()
        self.metrics.failing.labels(name).set(health.failures)
        self.metrics.duration.labels(name).observe(seconds)
        if outcome is JobOutcome.OK:
            self.metrics.last_success.labels(name).set_to_current_time()
        return outcome

    def _counted(self, job: Job) -> Job:
        """The job, what it did in the figures."""

        async def run(port: Port) -> list[Event]:
            events = await job(port)
            self._market.did(events)
            return events

        return run

    async def _refuse(self, port: Port) -> list[Event]:
        """Do nothing on another chain than the one that this keeper was started on."""
        raise ChainUnreachable(self._foreign)

    def _port(self, job: str) -> Acting:
        landed = self.health[job].moved
        return Acting(self.chain, self.sender, job, self.guard.check, self.log.bind(job=job), landed)

    # -- leadership ----------------------------------------------------------------------------

    @property
    def leads(self) -> bool:
        """Whether this keeper leads at this moment: see :attr:`keeper.db.leader.Leader.leads`."""
        return self.leader.leads

    async def lead(self) -> bool:
        """Whether this keeper leads; takes over when nobody does. False without a database."""
        if self.leader.is_fresh:
            return True
        try:
            leads = await self.leader.lead()
            self.lease_error = None
        except DatabaseError as error:
            self.lease_error = self._lost_database(error)
            leads = False
        except Exception:
            # A defect here must not stop what renews the lease.
            self.log.exception("leadership.failed")
            leads = False
        self._tell_who_leads()
        return leads

    async def settle(self) -> bool:
        """Whether this keeper leads, once that is certain: see :meth:`keeper.db.leader.Leader.settle`."""
        await self.lead()
        try:
            return await self.leader.settle()
        except DatabaseError as error:
            self.lease_error = self._lost_database(error)
            return False
        finally:
            self._tell_who_leads()

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[None]:
        """Meanwhile keep the lease, whatever jobs do, or take over; resigns in the end."""
        self._standing = asyncio.create_task(self._stand())
        try:
            yield
        finally:
            await self.resign()

    async def _stand(self) -> None:
        while True:
            await self.lead()
            await asyncio.sleep(self.leader.pause)

    async def resign(self) -> None:
        """Let another keeper lead, for good."""
        if self._looking is not None:
            self._looking.cancel()
        if self._standing is not None:
            self._standing.cancel()
            await asyncio.wait([self._standing])
            self._standing = None
        await self.leader.resign()
        self._led = None

    def _tell_who_leads(self) -> None:
        leader = self.leader
        if leader.leads and leader.epoch != self._led:
            self._led = leader.epoch
            self.log.info("keeper.leads", holder=leader.holder, epoch=leader.epoch)
        elif self._led is not None and not leader.leads:
            self._led = None
            reason = self.database_error or "another keeper has taken over"
            self.log.warning("keeper.overtaken", reason=reason)
        if leader.other != self._beside:
            self._beside = leader.other
            if self._beside is not None:
                self.log.info("keeper.stands_by", leader=self._beside, takes_over_after_seconds=leader.lease)

    # -- looking -------------------------------------------------------------------------------

    @property
    def database_error(self) -> str | None:
        """Why the database can't be used; None while it can."""
        return self.lease_error or self._unread

    async def look(self) -> None:
        """See how everything is, in LOOK_SECONDS at most, whatever chain and database do.

        One who looks while another does waits for the same. Raises AnotherChain, as :meth:`run_job` does, and
        nothing else.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="a look")
        await asyncio.shield(self._looking)

    async def look_if_older(self, seconds: float) -> None:
        """The same where the last look began longer ago, or there was none."""
        if self._looking is None or time.monotonic() - self.looked_at > seconds:
            await self.look()

    async def _look(self) -> None:
        began = time.monotonic()
        both = self._look_at_database(), self._look_at_chain()
        ends = await asyncio.gather(*both, return_exceptions=True)
        self.metrics.database_up.set(self.database_error is None)
        self.metrics.chain_up.set(self.chain_error is None)
        if self.known:
            self._tell_of_database(self.known)
        if self.seen and self.chain_error is None:
            self._tell_of_chain(self.seen)
        self.looked_at = began
        for each in ends:
            if each is not None:
                raise each

    async def _look_at_database(self) -> None:
        async def look() -> DatabaseSeen:
            await self.lead()
            return await look_at_database(self.database)

        try:
            self.known = await self._at_database.within(LOOK_SECONDS, look)
            self._unread = None
        except TimeoutError:
            reason = f"{self.database.name} hasn't answered for {LOOK_SECONDS:g} seconds"
            if self.database_error != reason:
                self.log.warning("database.unusable", reason=reason)
            self._unread = reason
        except DatabaseError as error:
            self._unread = self._lost_database(error)

    async def _look_at_chain(self) -> None:
        async def look() -> ChainSeen:
            return await look_at_chain(self.chain, self.sender.payer, self.rewards)

        try:
            refresh(self.chain)
            self._saw(await self._at_chain.within(LOOK_SECONDS, look))
            self.chain_error = self._foreign
        except AnotherChain:
            raise
        except (ChainError, TimeoutError) as error:
            silent = f"the chain hasn't answered for {LOOK_SECONDS:g} seconds"
            reason = str(error) if isinstance(error, ChainError) else silent
            if self.chain_error != reason:
                self.log.warning("chain.unreachable", reason=reason)
            self.chain_error = reason

    def _saw(self, seen: ChainSeen) -> None:
        if self._genesis is None:
            self._genesis = seen.genesis
        if seen.genesis != self._genesis:
            foreign = f"the node is about another chain now: genesis {seen.genesis}, not {self._genesis}"
            if self._foreign != foreign:
                self.log.warning("chain.unreachable", reason=foreign)
            self._foreign = foreign
            return
        self._foreign = None
        if self.seen is None or seen.slot > self.seen.slot or not makes_blocks(self.chain):
            self.moved_at = time.monotonic()
        self.seen = seen

    def index_lag(self) -> dict[str, int]:
        """Finalized slots that are not indexed, by program; none for programs that never were."""
        if self.known is None or self.seen is None:
            return {}
        slot = self.seen.slot
        return {program: max(0, slot - indexed) for program, indexed in self.known.indexed.items()}

    def _lost_database(self, error: DatabaseError) -> str:
        """Log why it can't be used, once; returns that."""
        reason = str(error)
        if self.database_error != reason:
            self.log.error("database.unusable", reason=reason)
        return reason

    def _tell_of_database(self, known: DatabaseSeen) -> None:
        self.metrics.leader_epoch.set(known.epoch)
        # A state that nothing is in any more has no row.
        self.metrics.transactions.clear()
        self.metrics.fees.clear()
        for (job, state), (count, fees) in known.attempts.items():
            self.metrics.transactions.labels(job, state).set(count)
            self.metrics.fees.labels(job, state).set(fees)
        for state in IntentState:
            self.metrics.intents.labels(state).set(known.intents.get(state, 0))
        for program in {*known.indexed, *known.halts, *self._halted}:
            self.metrics.mismatch.labels(program).set(program in known.halts)
        for program, reason in known.halts.items():
            if program not in self._halted:
                self.log.error("keeper.halted", program=program, reason=reason)
        self._halted = known.halts

    def _tell_of_chain(self, seen: ChainSeen) -> None:
        metrics = self.metrics
        metrics.chain_slot.set(seen.slot)
        metrics.chain_skew.set(seen.time - time.time())
        metrics.balance.set(seen.balance)
        metrics.emission_lag.set(seen.unminted)
        self._market.saw(seen.time, seen.prices)
        for program, lag in self.index_lag().items():
            metrics.index_lag.labels(program).set(lag)
        low = seen.balance < self.guard.warning
        if low and not self._balance_low:
            self.log.warning("balance.low", lamports=seen.balance, do=self.guard.advice(seen.balance))
        self._balance_low = low
        if blocks := seen.blocks:
            metrics.final_lag.set(blocks.waiting)
            for stage in ("ended", "attested", "final"):
                metrics.block_hour.labels(stage).set(getattr(blocks, stage))
            for each in blocks.conflicts:
                if each not in self._conflicts:
                    operator = str(each.operator)
                    metrics.block_conflicts.labels(operator).inc()
                    self.log.error(
                        "block.conflict", hour=each.hour, operator=operator, said=each.attested.hex()
                    )
            self._conflicts = set(blocks.conflicts)
