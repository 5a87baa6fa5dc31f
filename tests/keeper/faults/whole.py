"""What must hold of a keeper's database at the end, whatever was in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from solders.pubkey import Pubkey

from keeper.chain import Chain, TransactionRecord
from keeper.clients import programs
from keeper.db import Database
from keeper.db.events import EventTables
from keeper.db.tables import ACCOUNTS, ATTEMPT_INTENTS, ATTEMPTS, COMPARISONS, HALTS, INTENTS
from keeper.db.views import DAY_TOTAL, MENTION, TX, Views
from keeper.runtime.operation import operating
from keeper.sender.intents import AttemptState

PROGRAMS = tuple(programs.PROGRAMS.values())


async def rows(database: Database) -> dict[str, list[Any]]:
    """All events and all accounts of all programs, and all that is looked up."""
    found: dict[str, list[Any]] = {}
    async with database.reading() as connection:
        for program in PROGRAMS:
            found[program.name] = list(await EventTables(program).read(connection, -1, 2**62))
        accounts = (await connection.execute(sa.select(ACCOUNTS))).all()
    found["accounts"] = sorted(tuple(map(str, each)) for each in accounts)
    return found | await looked_up(database)


async def looked_up(database: Database) -> dict[str, list[Any]]:
    """All rows of views, and of what else is made of events to be looked up."""
    found: dict[str, list[Any]] = {}
    views = [view.table for each in PROGRAMS for view in Views(each).by_kind.values()]
    async with database.reading() as connection:
        for table in (MENTION, TX, DAY_TOTAL, *views):
            made = (await connection.execute(sa.select(table))).all()
            found[table.name] = sorted(tuple(map(str, each)) for each in made)
    return found


async def clean_rows(chain: Chain, folder: Path) -> dict[str, list[Any]]:
    """The same of an index that is made from the first transaction on by a good node."""
    url = f"sqlite:///{folder}/clean.db"
    async with operating(chain, "http://127.0.0.1:9", url, "clean") as operation:
        log = structlog.get_logger()
        await operation.index(log)
        assert [each.differences for each in await operation.compare(log)] == [[]] * len(operation.ledgers)
        await operation.index(log)
        return await rows(operation.database)


async def done_once(database: Database, sent: Sequence[TransactionRecord], payer: Pubkey) -> dict[str, int]:
    """Every action was done once, and all that is on chain was written down before.

    ``sent`` is all that the chain executed. Returns counts for people.
    """
    good = {str(each.signature) for each in sent if each.signers[0] == payer and each.error is None}
    bad = {str(each.signature) for each in sent if each.signers[0] == payer and each.error is not None}
    async with database.reading() as connection:
        intents = {row.id: row for row in (await connection.execute(sa.select(INTENTS))).all()}
        attempts = {row.signature: row.state for row in (await connection.execute(sa.select(ATTEMPTS))).all()}
        parts = (await connection.execute(sa.select(ATTEMPT_INTENTS))).all()
        halts = (await connection.execute(sa.select(HALTS))).all()
        compared = (await connection.execute(sa.select(COMPARISONS.c.differences))).scalars().all()
    assert halts == []
    assert [each for each in compared if each] == []
    assert good == {name for name, state in attempts.items() if state == AttemptState.FINAL}
    assert bad == {name for name, state in attempts.items() if state == AttemptState.FAILED}
    effects = Counter(intents[part.intent].key for part in parts if part.signature in good)
    assert [key for key, count in effects.items() if count > 1] == [], "twice with effect"
    landed = {row.key for row in intents.values() if row.state == "landed"}
    assert set(effects) == landed
    return {
        "actions done, each once": len(landed),
        "actions that others did, or not due any more": len(intents) - len(landed),
        "transactions that were signed": len(attempts),
        "that are on chain": len(good),
        "that failed on chain": len(bad),
        "that never landed": sum(state == AttemptState.EXPIRED for state in attempts.values()),
        "comparisons that agreed": len(compared),
    }


def table(title: str, counts: dict[str, int]) -> str:
    """Counts for people."""
    width = max(map(len, counts), default=0)
    lines = [f"  {name:<{width}}  {count:>7,}" for name, count in counts.items()]
    return "\n".join([title, *lines])
