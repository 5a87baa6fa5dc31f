"""The chain that an operator names: an RPC node, or an embedded chain in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from solana.rpc.async_api import AsyncClient

from keeper.chain import Chain, EmbeddedChain, RpcChain


@asynccontextmanager
async def connect(where: str, *, live: bool = False) -> AsyncIterator[Chain]:
    """Open the chain at ``where``, an http(s) URL or a file that ``ionet demo --save`` wrote.

    With ``live`` a chain from a file follows the wall clock and is saved on the way out; without,
    it stays as it was.
    """
    if where.startswith(("http://", "https://")):
        chain = RpcChain(AsyncClient(where))
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
        embedded.save(Path(where))
