"""The chain that an operator names: an RPC node, or an embedded chain in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from keeper.chain import Chain
from keeper.chain.embedded import EmbeddedChain


@asynccontextmanager
async def connect(
    where: str, *, live: bool = False, keep: bool = True, websocket: str | None = None
) -> AsyncIterator[Chain]:
    """Open the chain at ``where``, an http(s) URL or a file that ``ionet demo`` wrote.

    With ``live`` a chain from a file follows the wall clock, and what was executed on it is saved on the
    way out, unless it is not to ``keep`` that; without, it stays as it was. Whoever executed nothing saves
    nothing: another process may have it open, too.
    """
    if where.startswith(("http://", "https://")):
        from keeper.chain.rpc import RpcChain  # noqa: PLC0415 - the RPC client, which no file needs

        chain = RpcChain.at(where, websocket)
        try:
            yield chain
        finally:
            await chain.close()
        return
    embedded = EmbeddedChain.load(Path(where))
    if not live:
        yield embedded
        return
    embedded.follow_wall_clock()
    try:
        yield embedded
    finally:
        if keep:
            embedded.checkpoint()
