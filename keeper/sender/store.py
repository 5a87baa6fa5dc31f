"""The sender's rows: each change of an intent or attempt is a transaction that the leader's epoch guards.

``now`` is the chain's clock: keepers on machines whose clocks differ wait and spend alike. ``updated_at``
alone is this machine's, for people to read.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from solders.signature import Signature
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.chain import TransactionRecord
from keeper.chain.landing import Signed
from keeper.db import Database, Leader
from keeper.db.tables import ATTEMPT_INTENTS, ATTEMPTS, HALTS, INTENTS
from keeper.sender.intents import Action, AttemptState, Halted, IntentState, to_json

DAY = 86_400
PARK_AFTER = 8
"""Refusals after which an action is parked, unless it is patient."""
FIRST_PAUSE, LONGEST_PAUSE = 20, 3_600
"""Seconds from a refusal to the next try: the first, doubled each time, and the longest."""
GONE = "its job doesn't name it any more"
"""Why an intent was closed that nothing came of."""
UNDER_WAY = (AttemptState.LIVE, AttemptState.LANDED)
"""Attempts of which it isn't certain yet what becomes of them."""


class Store:
    """Reads and writes intents and attempts for one payer."""

    def __init__(self, database: Database, leader: Leader, payer: str) -> None:
        """Write to ``database`` while ``leader`` leads."""
        self._database = database
        self._leader = leader
        self._payer = payer

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.transaction() as connection:
            self._epoch = await self._leader.fence(connection)
            yield connection

    async def check(self) -> None:
        """Raise NotLeader unless this keeper leads, Halted while nothing may be sent."""
        async with self._writing() as connection:
            await self._check_halts(connection)

    async def _check_halts(self, connection: AsyncConnection) -> None:
        halt = (await connection.execute(sa.select(HALTS).order_by(HALTS.c.program).limit(1))).first()
        if halt is not None:
            raise Halted(
                f"{halt.program}'s accounts are not what its events make them ({halt.reason}): nothing is "
                "sent until somebody has looked and run ionet keeper resume"
            )

    async def open(self, job: str, actions: Sequence[Action], *, now: int) -> dict[str, sa.Row[Any]]:
        """Write intents down, or find them, in one transaction; returns them by key.

        One that was refused long enough ago, or superseded, is opened again.
        """
        columns = {each.key: self._columns(job, each) for each in actions}
        mine = sa.select(INTENTS).where(INTENTS.c.key.in_(columns))
        async with self._writing() as connection:
            await self._check_halts(connection)
            found = (await connection.execute(mine)).all()
            again = [{"mine": row.id, **columns[row.key]} for row in found if _may_open(row, now)]
            fresh = {"state": IntentState.OPEN, "epoch": self._epoch}
            if again:
                own = sa.update(INTENTS).where(INTENTS.c.id == sa.bindparam("mine"))
                await connection.execute(own, [{**each, **fresh} for each in again])
            known = {row.key for row in found}
            first = {"tries": 0, "not_before": 0, "created_at": now, **fresh}
            new = [{"key": key, **values, **first} for key, values in columns.items() if key not in known]
            if new:
                await connection.execute(sa.insert(INTENTS), new)
            return {row.key: row for row in (await connection.execute(mine)).all()}

    def _columns(self, job: str, action: Action) -> dict[str, Any]:
        """What an intent says of an action, each time that it is named."""
        return {
            "job": job,
            "payer": self._payer,
            "instructions": [to_json(each) for each in action.instructions],
            "updated_at": int(time.time()),
        }

    async def supersede_others(self, job: str, named: Collection[str]) -> int:
        """Close the intents of a job that are not among those that it still names; returns how many.

        What is under way, done or parked stays as it is.
        """
        idle = sa.or_(INTENTS.c.state == IntentState.OPEN, INTENTS.c.state == IntentState.REFUSED)
        own = sa.select(INTENTS.c.id, INTENTS.c.key).filter_by(job=job).where(idle)
        async with self._database.reading() as connection:
            rows = (await connection.execute(own)).all()
        gone = [{"mine": row.id} for row in rows if row.key not in named]
        if gone:
            closed = {"state": IntentState.SUPERSEDED, "reason": GONE, "updated_at": int(time.time())}
            these = sa.update(INTENTS).where(INTENTS.c.id == sa.bindparam("mine"), idle)
            async with self._writing() as connection:
                await connection.execute(these.values(**closed), gone)
        return len(gone)

    async def intent(self, key: str) -> sa.Row[Any] | None:
        """An intent, None when there is none."""
        async with self._database.reading() as connection:
            return (await connection.execute(sa.select(INTENTS).filter_by(key=key))).first()

    async def spent(self, job: str, *, now: int) -> int:
        """Lamports of fees in the last day, including those of what may still land."""
        query = (
            sa.select(sa.func.sum(ATTEMPTS.c.fee))
            .filter_by(job=job)
            .where(ATTEMPTS.c.created_at > now - DAY, ATTEMPTS.c.state != AttemptState.EXPIRED)
        )
        async with self._database.reading() as connection:
            return int(await connection.scalar(query) or 0)

    async def sign(
        self, job: str, signed: Signed, intents: Sequence[tuple[int, int]], *, now: int
    ) -> sa.Row[Any]:
        """Write a signed transaction down; ``intents`` are (id, first instruction). Send it only then."""
        signature = str(signed.signature)
        async with self._writing() as connection:
            await self._check_halts(connection)
            # A chain in a file may sign the same bytes again, when what made them expire was not saved.
            again = sa.select(ATTEMPTS.c.signature).filter_by(signature=signature, state=AttemptState.EXPIRED)
            if await connection.scalar(again):
                for each in (ATTEMPT_INTENTS, ATTEMPTS):
                    await connection.execute(sa.delete(each).filter_by(signature=signature))
            await connection.execute(
                sa.insert(ATTEMPTS).values(
                    signature=signature,
                    job=job,
                    transaction=bytes(signed.transaction),
                    last_valid_height=signed.last_valid_height,
                    state=AttemptState.LIVE,
                    units=signed.units,
                    price=signed.price,
                    fee=signed.fee,
                    created_at=now,
                )
            )
            rows = [{"signature": signature, "intent": id_, "first_instruction": at} for id_, at in intents]
            await connection.execute(sa.insert(ATTEMPT_INTENTS), rows)
            for id_, _ in intents:
                sent = sa.update(INTENTS).filter_by(id=id_, state=IntentState.OPEN)
                done = await connection.execute(
                    sent.values(state=IntentState.SENT, epoch=self._epoch, updated_at=int(time.time()))
                )
                if done.rowcount != 1:
                    raise RuntimeError(f"intent {id_} is not open: a transaction for it is under way")
            return (await connection.execute(sa.select(ATTEMPTS).filter_by(signature=signature))).one()

    async def attempts(self, *states: AttemptState) -> list[sa.Row[Any]]:
        """Attempts in these states, oldest first."""
        query = sa.select(ATTEMPTS).where(ATTEMPTS.c.state.in_(states)).order_by(ATTEMPTS.c.created_at)
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).all())

    async def attempts_of(self, intents: Collection[int]) -> dict[int, sa.Row[Any]]:
        """By intent, the attempt that may land or has; none for those that have none."""
        states = (*UNDER_WAY, AttemptState.FINAL)
        query = (
            sa.select(ATTEMPT_INTENTS.c.intent, ATTEMPTS)
            .join(ATTEMPTS, ATTEMPT_INTENTS.c.signature == ATTEMPTS.c.signature)
            .where(ATTEMPT_INTENTS.c.intent.in_(intents), ATTEMPTS.c.state.in_(states))
        )
        async with self._database.reading() as connection:
            return {row.intent: row for row in (await connection.execute(query)).all()}

    async def landed(self, signature: str, record: TransactionRecord, *, final: bool) -> None:
        """A transaction is on chain: what it carried is done, or open again when it was refused."""
        state = AttemptState.FINAL if final else AttemptState.LANDED
        if record.error is not None:
            state = AttemptState.FAILED
        values = {"state": state, "slot": record.slot, "fee": record.fee, "reason": record.error}
        await self._end(signature, IntentState.LANDED if record.error is None else IntentState.OPEN, **values)

    async def expired(self, signature: str, reason: str) -> None:
        """A transaction is not on chain and can't land any more: what it carried is open again."""
        await self._end(signature, IntentState.OPEN, state=AttemptState.EXPIRED, reason=reason)

    async def _end(self, signature: str, then: IntentState, **values: Any) -> None:
        """Write an end down, unless somebody else who asked has: by now its intents may be in another one."""
        async with self._writing() as connection:
            own = sa.update(ATTEMPTS).filter_by(signature=signature).where(ATTEMPTS.c.state.in_(UNDER_WAY))
            if (await connection.execute(own.values(**values))).rowcount == 0:
                return
            carried = sa.select(ATTEMPT_INTENTS.c.intent).filter_by(signature=signature)
            own = sa.update(INTENTS).where(INTENTS.c.id.in_(carried))
            await connection.execute(own.values(state=then, updated_at=int(time.time())))

    async def refused(self, intent: int, reason: str, *, park: bool, patient: bool, now: int) -> IntentState:
        """An intent was refused: it waits or is parked, a patient one only for ``park``; returns which."""
        async with self._writing() as connection:
            query = sa.select(INTENTS.c.tries).filter_by(id=intent)
            tries = int((await connection.execute(query)).scalar_one()) + 1
            given_up = park or (tries >= PARK_AFTER and not patient)
            state = IntentState.PARKED if given_up else IntentState.REFUSED
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1))
            values = {"state": state, "tries": tries, "not_before": now + pause, "reason": reason}
            own = sa.update(INTENTS).filter_by(id=intent, state=IntentState.OPEN)
            await connection.execute(own.values(updated_at=int(time.time()), **values))
        return state

    async def superseded(self, intent: int, reason: str) -> None:
        """Somebody else did what an intent was about."""
        values = {"state": IntentState.SUPERSEDED, "reason": reason, "updated_at": int(time.time())}
        async with self._writing() as connection:
            own = sa.update(INTENTS).filter_by(id=intent, state=IntentState.OPEN)
            await connection.execute(own.values(**values))


def _may_open(intent: sa.Row[Any], now: int) -> bool:
    """Whether an intent may be tried from now on, whatever came of it before."""
    if intent.state == IntentState.REFUSED:
        return bool(intent.not_before <= now)
    return intent.state in (IntentState.OPEN, IntentState.SUPERSEDED)


async def unpark(database: Database, key: str | None = None) -> int:
    """Let parked intents, or the one of this key, be tried again; returns how many. Needs no leadership."""
    parked = sa.update(INTENTS).filter_by(state=IntentState.PARKED)
    if key is not None:
        parked = parked.filter_by(key=key)
    async with database.transaction() as connection:
        done = await connection.execute(parked.values(state=IntentState.OPEN, tries=0))
    return done.rowcount


def signature_of(attempt: sa.Row[Any]) -> Signature:
    """An attempt's signature."""
    return Signature.from_string(attempt.signature)
