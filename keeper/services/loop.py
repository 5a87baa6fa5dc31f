"""The keeper's loop: every job at its interval, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from solders.keypair import Keypair
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, ChainError, ChainUnreachable, TransactionExpired, TransactionFailed
from keeper.clients.errors import explain
from keeper.services.due import Job


async def run_once(name: str, job: Job, chain: Chain, payer: Keypair, log: FilteringBoundLogger) -> bool:
    """Run one job now; log what goes wrong instead of raising it. True when nothing did.

    Whatever failed is tried again at the job's next time, as the jobs are idempotent.
    """
    log = log.bind(job=name)
    try:
        await job(chain, payer, log)
    except ChainUnreachable as error:
        log.warning("chain.unreachable", reason=str(error))
    except TransactionExpired as error:
        log.warning("transaction.expired", reason=str(error))
    except TransactionFailed as error:
        log.error("job.refused", reason=explain(error))
    except ChainError as error:
        log.error("job.refused", reason=str(error))
    except Exception:
        # A defect in one job must not stop the others.
        log.exception("job.failed")
    else:
        return True
    return False


async def run(
    chain: Chain,
    payer: Keypair,
    *,
    jobs: Mapping[str, Job],
    every: float,
    log: FilteringBoundLogger,
    stop: asyncio.Event,
) -> None:
    """Run ``jobs``, by name, at once and then every ``every`` seconds until ``stop`` is set.

    Jobs look often instead of at each hour's end: the chain's clock decides what is due, and it
    may differ from this machine's. One job runs at a time, as they pay from one key; a job that is
    late runs once, not as often as it was missed. The one under way is finished before returning.
    """
    turn = asyncio.Lock()

    async def take_turn(name: str) -> None:
        async with turn:
            await run_once(name, jobs[name], chain, payer, log)

    scheduler = AsyncIOScheduler(timezone=UTC)
    for name in jobs:
        scheduler.add_job(
            take_turn,
            "interval",
            args=[name],
            id=name,
            seconds=every,
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    log.info("keeper.started", payer=str(payer.pubkey()), jobs=list(jobs), every_seconds=every)
    scheduler.start()
    try:
        await stop.wait()
    finally:
        scheduler.pause()
        async with turn:
            scheduler.shutdown(wait=False)
        log.info("keeper.stopped")
