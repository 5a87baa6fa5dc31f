"""The keeper's transactions: each action once, whatever is lost on the way, and whoever kills the keeper.

An action is written down as an intent under its key; then transactions are signed, written down as
attempts, and only then sent, as :mod:`keeper.chain.landing` does it; nothing is signed anew before the fate
of the last attempt is certain and written down. What a crash leaves is an intent without an attempt
(nothing was sent), or an attempt whose signature can be asked about.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, Signer, TransactionExpired, TransactionFailed, TransactionRecord, landing
from keeper.chain.connect import writing
from keeper.chain.fees import FeePolicy
from keeper.chain.landing import POLL_SECONDS, SIGNINGS, Fate
from keeper.clients.errors import explain
from keeper.db import Database, Leader
from keeper.sender.intents import Action, AttemptState, Failure, IntentState, Stopped, classify
from keeper.sender.pack import Pack, Part, packs
from keeper.sender.store import Store, signature_of

PORTION = 500
"""Actions that are written down at a time: the first of thousands needn't wait for the last."""


@dataclass(slots=True)
class Results:
    """What became of the actions of one call."""

    landed: Callable[[], None]
    records: list[TransactionRecord] = field(default_factory=list)
    """Transactions that landed, including those of earlier calls."""
    failures: list[Exception] = field(default_factory=list)


def _nothing() -> None:
    """What happens when a transaction lands, unless told otherwise."""


class Sender:
    """Sends for one payer: one transaction is under way at a time, whichever job's."""

    def __init__(
        self,
        chain: Chain,
        database: Database,
        leader: Leader,
        payer: Signer,
        *,
        fees: FeePolicy,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Send to ``chain``, remember in ``database``, act only while ``leader`` leads."""
        self.acting: str | None = None
        """The job whose transaction is under way."""
        self._chain = chain
        self._payer = payer
        self._fees = fees
        self._poll_seconds = poll_seconds
        self._store = Store(database, leader, str(payer.pubkey()))
        self._turns = asyncio.Lock()
        self._stopped = False

    @property
    def payer(self) -> Pubkey:
        """Who pays."""
        return self._payer.pubkey()

    async def perform(
        self,
        job: str,
        actions: Sequence[Action],
        log: FilteringBoundLogger,
        landed: Callable[[], None] = _nothing,
    ) -> list[TransactionRecord]:
        """Do every action that isn't done, several in a transaction where they fit; returns the records.

        ``landed`` is called after each transaction that did something. Jobs take turns, a transaction each.
        An action that waits after a refusal, or is parked, is left out. Raises the first failure once
        everything else is done: TransactionFailed (but not for a patient action's refusal, which is
        logged), TransactionExpired; and at once NotLeader, Halted, Stopped, or ChainUnreachable, after which
        the next call goes on where this one stopped.
        """
        outcome = Results(landed)
        for start in range(0, len(actions), PORTION):
            todo = await self._open(job, actions[start : start + PORTION], outcome)
            for each in packs(self._payer.pubkey(), todo):
                await self._send(job, each, outcome, log)
        if outcome.failures:
            raise outcome.failures[0]
        return outcome.records

    async def close_others(self, job: str, named: Collection[str], log: FilteringBoundLogger) -> None:
        """Close what earlier runs of a job left to do and a complete one, which named ``named``, didn't name.

        Others have done it, or it isn't due any more. Named again, it is opened again.
        """
        if count := await self._store.supersede_others(job, named):
            log.info("actions.superseded", count=count)

    async def sweep(self, log: FilteringBoundLogger) -> None:
        """Settle what an earlier keeper left under way, and see landed transactions become final."""
        for attempt in await self._store.attempts(AttemptState.LIVE, AttemptState.LANDED):
            state = await self._look(attempt)
            if state is not None and state != attempt.state:
                log.info("transaction.settled", signature=attempt.signature, state=str(state))

    def stop(self) -> None:
        """Send nothing more: from now on, whoever wants to gets Stopped.

        A transaction that was sent is left to the next process if it hasn't landed yet.
        """
        self._stopped = True

    # -- actions ---------------------------------------------------------------------------------

    async def _open(self, job: str, actions: Sequence[Action], outcome: Results) -> list[Part]:
        """Write actions down, and see what became of those that are under way; returns those to be sent."""
        rows = await self._store.open(job, actions, now=await self._now())
        sent = {
            row.id: row.key for row in rows.values() if row.state in (IntentState.SENT, IntentState.LANDED)
        }
        attempts = await self._store.attempts_of(sent) if sent else {}
        records: dict[str, TransactionRecord | None] = {}
        for attempt in {each.signature: each for each in attempts.values()}.values():
            record = records[attempt.signature] = await self._found(job, attempt)
            if record is not None and record.error is None:
                outcome.records.append(record)
        undone = [
            key
            for intent, key in sent.items()
            if (found := attempts.get(intent)) is None
            or (record := records[found.signature]) is None
            or record.error is not None
        ]
        if undone:
            again = [each for each in actions if each.key in undone]
            rows |= await self._store.open(job, again, now=await self._now())
        named = {each.key: each for each in actions}
        return [(named[key], row.id) for key in named if (row := rows[key]).state == IntentState.OPEN]

    async def _found(self, job: str, attempt: sa.Row[Any]) -> TransactionRecord | None:
        """What became of an earlier attempt, followed to its end.

        None for what expired, and where a node has forgotten what was final.
        """
        if attempt.state == AttemptState.FINAL:
            return (await self._chain.records([signature_of(attempt)]))[0]
        fate = await landing.look(self._chain, signature_of(attempt), attempt.last_valid_height)
        if fate is None:
            async with self._turn(job):
                fate = await self._follow(attempt)
        await self._ended(attempt, fate)
        return fate.record

    async def _now(self) -> int:
        """The chain's clock, unix seconds."""
        return (await self._chain.clock()).unix_timestamp

    # -- one transaction ---------------------------------------------------------------------------

    @asynccontextmanager
    async def _turn(self, job: str) -> AsyncIterator[None]:
        """The right to have a transaction under way, in the order of asking; raises Stopped."""
        async with self._turns:
            self._go_on()
            self.acting = job
            try:
                async with writing(self._chain):
                    yield
            finally:
                self.acting = None

    def _go_on(self) -> None:
        if self._stopped:
            raise Stopped

    async def _send(self, job: str, what: Pack, outcome: Results, log: FilteringBoundLogger) -> None:
        """Send a pack until nothing of it is open."""
        for expired in range(SIGNINGS):
            if not what.parts:
                return
            try:
                async with self._turn(job):
                    record = await self._sign_and_follow(job, what, expired, log)
            except TransactionFailed as refusal:
                await self._divide(job, what, refusal.record, outcome, log)
                return
            if record is not None:
                if record.error is None:
                    outcome.records.append(record)
                    outcome.landed()
                else:
                    await self._divide(job, what, record, outcome, log)
                return
        outcome.failures.append(
            TransactionExpired(f"{job}: {SIGNINGS} transactions expired one after another")
        )

    async def _sign_and_follow(
        self, job: str, what: Pack, expired: int, log: FilteringBoundLogger
    ) -> TransactionRecord | None:
        """One transaction, from its simulation to its end; None when it expired.

        Raises TransactionFailed when the simulation is refused: then nothing was signed.
        """
        now = await self._now()
        spent = await self._store.spent(job, now=now)
        signed = await landing.prepare(
            self._chain, what.instructions, [self._payer], self._fees, expired=expired, spent=spent
        )
        attempt = await self._store.sign(job, signed, what.places, now=now)
        fate = await self._follow(attempt)
        state = await self._ended(attempt, fate)
        log.info("transaction.ended", signature=attempt.signature, state=str(state), price=signed.price)
        return fate.record

    async def _divide(
        self, job: str, what: Pack, refusal: TransactionRecord, outcome: Results, log: FilteringBoundLogger
    ) -> None:
        """A pack was refused: judge the action that was, and send the others without it."""
        if len(what.parts) > 1:
            guilty = what.part_of(refusal.failed_instruction)
            # Too much for one transaction, or no action's in particular: each half by itself.
            for part in what.halves() if guilty is None else [guilty, what.without(guilty)]:
                await self._send(job, part, outcome, log)
            return
        (action, intent), *_ = what.parts
        failure = TransactionFailed(refusal)
        reason = explain(failure)
        kind = classify(refusal)
        if kind is Failure.RETRY:
            outcome.failures.append(failure)
        elif kind is Failure.REFUSED and not await action.still_due():
            await self._store.superseded(intent, reason)
            log.info("keeper.others_were_faster", refusal=reason)
        else:
            fatal = kind is Failure.FATAL
            now = await self._now()
            state = await self._store.refused(intent, reason, park=fatal, patient=action.patient, now=now)
            if action.patient and not fatal:
                log.warning("action.refused", key=action.key, state=str(state), reason=reason)
                return
            log.error("action.refused", key=action.key, state=str(state), reason=reason)
            outcome.failures.append(failure)

    async def _follow(self, attempt: sa.Row[Any]) -> Fate:
        """Send a transaction's bytes until it is on chain, or never will be."""
        return await landing.follow(
            self._chain,
            VersionedTransaction.from_bytes(attempt.transaction),
            attempt.last_valid_height,
            may_send=self._may_send,
            poll_seconds=self._poll_seconds,
        )

    async def _may_send(self) -> None:
        self._go_on()
        await self._store.check()

    async def _look(self, attempt: sa.Row[Any]) -> AttemptState | None:
        """Ask what became of an attempt and write it down; None while it is open."""
        fate = await landing.look(self._chain, signature_of(attempt), attempt.last_valid_height)
        return await self._ended(attempt, fate) if fate else None

    async def _ended(self, attempt: sa.Row[Any], fate: Fate) -> AttemptState:
        """Write down what became of an attempt."""
        if fate.record is None:
            await self._store.expired(attempt.signature, "unknown when its blockhash had run out")
            return AttemptState.EXPIRED
        await self._store.landed(attempt.signature, fate.record, final=fate.final)
        if fate.record.error is not None:
            return AttemptState.FAILED
        return AttemptState.FINAL if fate.final else AttemptState.LANDED
