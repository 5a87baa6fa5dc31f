"""A keeper's status, from its database and its chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from keeper.chain import ChainReader, Commitment, Program
from keeper.db import Database
from keeper.db.tables import (
    BACKLOG,
    COMPARISONS,
    INTENTS,
    LEADERSHIP,
    SIGNATURES,
    WATERMARKS,
)
from keeper.indexer import lookup
from keeper.indexer.guard import require_chain


@dataclass(frozen=True, slots=True)
class ProgramStatus:
    """How far a program is indexed; slots, None where nothing is known yet."""

    name: str
    final_slot: int | None = None
    confirmed_slot: int | None = None
    behind: int | None = None
    """Slots that the chain is ahead of what is indexed as final."""
    transactions: int = 0
    backlog: int = 0
    compared_slot: int | None = None
    compared_at: int | None = None
    compared_accounts: int = 0
    differences: int = 0
    mismatch: str | None = None
    """The first difference of the last comparison that found any, and its slot."""


@dataclass(frozen=True, slots=True)
class KeeperStatus:
    """Everything that ``ionet keeper status`` shows."""

    programs: list[ProgramStatus]
    halts: dict[str, str]
    intents: dict[str, int]
    leader: str | None
    """Whose the lease is; who was killed a moment ago still has it."""
    database: str
    epoch: int = 0
    renewed_at: int | None = None
    """When the lease was last renewed, unix seconds by its holder's clock."""
    exists: bool = True
    """Whether there is a database at all: without one nothing is indexed yet."""
    parked: list[tuple[str, str]] = field(default_factory=list)


async def read_status(chain: ChainReader, where: str, url: str, programs: Sequence[Program]) -> KeeperStatus:
    """Read a status; raises DatabaseError for the database of another chain than that at ``where``."""
    database = Database(url)
    try:
        if not await database.exists():
            nothing = [ProgramStatus(each.name) for each in programs]
            return KeeperStatus(
                nothing, halts={}, intents={}, leader=None, database=database.name, exists=False
            )
        await require_chain(database, chain, where)
        final = await chain.slot(Commitment.FINALIZED)
        async with database.reading() as connection:
            marks = {row.program: row for row in (await connection.execute(sa.select(WATERMARKS))).all()}
            found = []
            for each in programs:
                own = {"program": each.name}
                count = sa.select(sa.func.count())
                indexed = await connection.scalar(count.select_from(SIGNATURES).filter_by(**own))
                waiting = await connection.scalar(count.select_from(BACKLOG).filter_by(**own))
                comparisons = lookup.comparisons(each.name)
                last = (await connection.execute(comparisons.limit(1))).first()
                differing = sa.cast(COMPARISONS.c.differences, sa.Text) != "[]"
                wrong = (await connection.execute(comparisons.where(differing).limit(1))).first()
                mark = marks.get(each.name)
                found.append(
                    ProgramStatus(
                        name=each.name,
                        final_slot=mark.final_slot if mark else None,
                        confirmed_slot=mark.confirmed_slot if mark else None,
                        behind=max(0, final - mark.final_slot) if mark else None,
                        transactions=indexed or 0,
                        backlog=waiting or 0,
                        compared_slot=last.slot if last else None,
                        compared_at=last.at if last else None,
                        compared_accounts=last.accounts if last else 0,
                        differences=len(last.differences) if last else 0,
                        mismatch=_mismatch(wrong),
                    )
                )
            halts = await lookup.halts(connection)
            states = sa.select(INTENTS.c.state, sa.func.count().label("count")).group_by(INTENTS.c.state)
            intents = {state: count for state, count in (await connection.execute(states)).all()}
            parked = sa.select(INTENTS).filter_by(state="parked").order_by(INTENTS.c.id)
            rows = (await connection.execute(parked)).all()
            leader = (await connection.execute(sa.select(LEADERSHIP))).first()
    finally:
        await database.close()
    return KeeperStatus(
        programs=found,
        halts=halts,
        intents=intents,
        leader=leader.holder if leader and leader.claim else None,
        database=database.name,
        epoch=leader.epoch if leader else 0,
        renewed_at=leader.renewed_at if leader else None,
        parked=[(row.key, row.reason) for row in rows],
    )


def _mismatch(row: sa.Row[tuple[object, ...]] | None) -> str | None:
    if row is None:
        return None
    first = row.differences[0]
    return f"slot {row.slot}: {first['kind']} {first['address']} {first['field']}".strip()
