"""Keepers to test: on an embedded chain, each with a database of its own, acting through its sender."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from keeper.chain import Chain, Signer
from keeper.chain.fees import FeePolicy
from keeper.db import Database, Leader
from keeper.jobs.port import Job
from keeper.rewards.history import History
from keeper.runtime.balance import BalanceGuard
from keeper.runtime.keeper import Keeper, LagLimits
from keeper.runtime.operation import Operation, sender_of

WARNING, STOP = 500_000_000, 50_000_000
LIMITS = LagLimits(lag_slots=1_500, lag_hours=3)


def new_keeper(
    chain: Chain, signer: Signer, database: Database, jobs: Mapping[str, Job], **changed: Any
) -> Keeper:
    """A keeper with the usual limits unless told otherwise, which indexes nothing."""
    options: dict[str, Any] = {
        "name": "a keeper",
        "rewards": Path("/nonexistent"),
        "limits": LIMITS,
        "log": structlog.get_logger(),
        "leader": Leader(database, changed.get("name", "a keeper")),
        **changed,
    }
    leader: Leader = options["leader"]
    guard = BalanceGuard(chain, signer.pubkey(), WARNING, STOP)
    operation = Operation(chain, database, leader, programs=[])
    sender = sender_of(operation, chain, signer, FeePolicy())
    all_jobs = operation.jobs(jobs, sender)
    return Keeper(
        chain=chain,
        sender=sender,
        database=database,
        guard=guard,
        jobs={name: all_jobs[name] for name in jobs},
        **options,
    )


@asynccontextmanager
async def indexed(chain: Chain, file: Path) -> AsyncIterator[History]:
    """Earlier states of a chain, from an index in a file of its own."""
    database = Database(f"sqlite:///{file}")
    await database.upgrade()
    history = History(chain, database)
    await history.prepare()
    try:
        yield history
    finally:
        await database.close()


def figure(keeper: Keeper, name: str, **labels: str) -> float | None:
    """A figure as Prometheus would get it; None when there is none."""
    return keeper.metrics.registry.get_sample_value(name, labels)


def events_of(logs: list[Any]) -> list[str]:
    """The names of what was logged."""
    return [each["event"] for each in logs]
