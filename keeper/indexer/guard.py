"""A database belongs to one chain, for good."""

from __future__ import annotations

import sqlalchemy as sa

from keeper.chain import ChainReader
from keeper.db import Database, DatabaseError
from keeper.db.tables import CHAIN

ONLY = 1
"""The id of the one row."""


async def guard(database: Database, chain: ChainReader) -> None:
    """Remember the chain's genesis hash, or compare it: raises DatabaseError for another chain's.

    A test network that was started anew, say, has the same address and nothing else in common.
    """
    genesis = await chain.genesis_hash()
    async with database.transaction() as connection:
        known = (await connection.execute(sa.select(CHAIN.c.genesis_hash))).scalar()
        if known is None:
            await connection.execute(sa.insert(CHAIN).values(id=ONLY, genesis_hash=genesis))
    if known not in (None, genesis):
        raise DatabaseError(
            f"this database is about another chain (genesis {known}) than the one asked for ({genesis}): "
            "name the right one by IONET_CHAIN, or another database by IONET_DATABASE"
        )
