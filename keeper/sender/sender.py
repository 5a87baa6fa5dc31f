"""The keeper's transactions: each action once, whatever is lost on the way, and whoever kills the keeper.

An action is written down as an intent under its key; then transactions are signed, written down as
attempts, and only then sent, as :mod:`keeper.chain.landing` does it; nothing is signed anew before the fate
of the last attempt is certain and written down. What a crash leaves is an intent without an attempt
(nothing was sent), or an attempt whose signature can be asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, Signer, TransactionExpired, TransactionFailed, TransactionRecord, landing
from keeper.chain.fees import FeePolicy
from keeper.chain.landing import POLL_SECONDS, SIGNINGS, Fate
from keeper.clients.errors import explain
from keeper.db import Database, Leader
from keeper.sender.intents import Action, AttemptState, Failure, IntentState, classify
from keeper.sender.pack import Pack, packs
from keeper.sender.store import Store, signature_of


@dataclass(slots=True)
class Results:
    """What became of the actions of one call."""

    records: list[TransactionRecord] = field(default_factory=list)
    """Transactions that landed, including those of earlier calls."""
    failures: list[Exception] = field(default_factory=list)


class Sender:
    """Sends for one payer."""

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
        self._chain = chain
        self._payer = payer
        self._fees = fees
        self._poll_seconds = poll_seconds
        self._store = Store(database, leader, str(payer.pubkey()))

    @property
    def payer(self) -> Pubkey:
        """Who pays."""
        return self._payer.pubkey()

    async def perform(
        self, job: str, actions: Sequence[Action], log: FilteringBoundLogger
    ) -> list[TransactionRecord]:
        """Do every action that isn't done, several in a transaction where they fit; returns the records.

        An action that waits after a refusal, or is parked, is left out. Raises the first failure once
        everything else is done: TransactionFailed (but not for a patient action's refusal, which is
        logged), TransactionExpired; and at once NotLeader, Halted, or ChainUnreachable, after which the
        next call goes on where this one stopped.
        """
        outcome = Results()
        todo: list[tuple[Action, int]] = []
        now = await self._now() if actions else 0
        for action in actions:
            row = await self._open(job, action, outcome, now)
            if row is not None:
                todo.append((action, row.id))
        for each in packs(self._payer.pubkey(), todo):
            await self._send(job, each, outcome, log)
        if outcome.failures:
            raise outcome.failures[0]
        return outcome.records

    async def sweep(self, log: FilteringBoundLogger) -> None:
        """Settle what an earlier keeper left under way, and see landed transactions become final."""
        for attempt in await self._store.attempts(AttemptState.LIVE, AttemptState.LANDED):
            state = await self._look(attempt)
            if state is not None and state != attempt.state:
                log.info("transaction.settled", signature=attempt.signature, state=str(state))

    # -- one action ------------------------------------------------------------------------------

    async def _open(self, job: str, action: Action, outcome: Results, now: int) -> sa.Row[Any] | None:
        """Write an action down; None when it is done, or has to wait."""
        row = await self._store.open(job, action, now=now)
        if row.state in (IntentState.SENT, IntentState.LANDED):
            attempt = await self._store.attempt_of(row.id)
            assert attempt is not None
            _, done = await self._follow(attempt)
            if done is not None and done.error is None:
                if done not in outcome.records:
                    outcome.records.append(done)
                return None
            row = await self._store.open(job, action, now=await self._now())
        return row if row.state == IntentState.OPEN else None

    async def _now(self) -> int:
        """The chain's clock, unix seconds."""
        return (await self._chain.clock()).unix_timestamp

    # -- one transaction ---------------------------------------------------------------------------

    async def _send(self, job: str, what: Pack, outcome: Results, log: FilteringBoundLogger) -> None:
        """Send a pack until nothing of it is open."""
        for expired in range(SIGNINGS):
            if not what.parts:
                return
            now = await self._now()
            spent = await self._store.spent(job, now=now)
            try:
                signed = await landing.prepare(
                    self._chain, what.instructions, [self._payer], self._fees, expired=expired, spent=spent
                )
            except TransactionFailed as refusal:
                await self._divide(job, what, refusal.record, outcome, log)
                return
            attempt = await self._store.sign(job, signed, what.places, now=now)
            state, record = await self._follow(attempt)
            log.info("transaction.ended", signature=attempt.signature, state=str(state), price=signed.price)
            if state != AttemptState.EXPIRED:
                assert record is not None  # it has ended on chain
                if record.error is None:
                    outcome.records.append(record)
                else:
                    await self._divide(job, what, record, outcome, log)
                return
        outcome.failures.append(
            TransactionExpired(f"{job}: {SIGNINGS} transactions expired one after another")
        )

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

    async def _follow(self, attempt: sa.Row[Any]) -> tuple[AttemptState, TransactionRecord | None]:
        """Send a transaction's bytes until it is on chain, or never will be, and write that down.

        The record is None for what expired, and where a node has forgotten what was final.
        """
        if attempt.state == AttemptState.FINAL:
            return AttemptState.FINAL, (await self._chain.records([signature_of(attempt)]))[0]
        fate = await landing.look(self._chain, signature_of(attempt), attempt.last_valid_height)
        if fate is None:
            fate = await landing.follow(
                self._chain,
                VersionedTransaction.from_bytes(attempt.transaction),
                attempt.last_valid_height,
                may_send=self._store.check,
                poll_seconds=self._poll_seconds,
            )
        return await self._ended(attempt, fate), fate.record

    async def _look(self, attempt: sa.Row[Any]) -> AttemptState | None:
        """Ask what became of an attempt and write it down; None while it is open."""
        if attempt.state == AttemptState.FINAL:
            return AttemptState.FINAL
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
