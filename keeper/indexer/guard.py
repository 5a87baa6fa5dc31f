"""A database belongs to one chain, for good."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from keeper.chain import ChainReader
from keeper.db import Database, DatabaseError
from keeper.db.tables import CHAIN

ONLY = 1
"""The id of the one row."""
WHAT_TO_DO = (
    "name another database with IONET_DATABASE, such as sqlite:///other.db, or the right chain with --chain "
    "or IONET_CHAIN"
)


async def guard(database: Database, chain: ChainReader, where: str) -> None:
    """Remember which chain a database is about, or compare: raises DatabaseError for another chain's.

    ``where`` is how the chain was named, a URL or a file. A test network that was started anew, say, has the
    same address and nothing else in common.
    """
    genesis, place = await chain.genesis_hash(), place_of(where)
    async with database.transaction() as connection:
        known = (await connection.execute(sa.select(CHAIN))).first()
        if known is None:
            await connection.execute(sa.insert(CHAIN).values(id=ONLY, genesis_hash=genesis, place=place))
        elif known.genesis_hash == genesis and known.place != place:
            await connection.execute(sa.update(CHAIN).values(place=place))
    _refuse(_difference(database, known, genesis, place))


async def require_chain(database: Database, chain: ChainReader, where: str) -> None:
    """The same for a command that only reads: nothing is remembered."""
    _refuse(await other_chain(database, chain, where))


async def other_chain(database: Database, chain: ChainReader, where: str) -> str | None:
    """Which chain a database is about and which one is asked for, in words; None unless they differ."""
    genesis = await chain.genesis_hash()
    async with database.reading() as connection:
        known = (await connection.execute(sa.select(CHAIN))).first()
    return _difference(database, known, genesis, place_of(where))


def place_of(where: str) -> str:
    """What is remembered of where a chain is: a file with its folder, a node without what may be secret."""
    url = urlsplit(where)
    if url.scheme not in ("http", "https"):
        return str(Path(where).resolve())
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"


def _difference(
    database: Database, known: sa.Row[tuple[object, ...]] | None, genesis: str, place: str
) -> str | None:
    if known is None or known.genesis_hash == genesis:
        return None
    if known.place == place:
        before = f"another chain (genesis {known.genesis_hash}) that was at {place}"
        return (
            f"{database.name} is about {before}, and not about the one that is there now (genesis {genesis})"
        )
    before = f"the chain at {known.place}" if known.place else "another chain"
    before += f" (genesis {known.genesis_hash})"
    return f"{database.name} is about {before}, and not about the one at {place} (genesis {genesis})"


def _refuse(difference: str | None) -> None:
    if difference:
        raise DatabaseError(f"{difference}: {WHAT_TO_DO}")
