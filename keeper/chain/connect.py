"""The chain that an operator names: an RPC node, or an embedded chain in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path

from keeper.chain import Chain, ChainError, ChainReader
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.saved import SavedChain


@asynccontextmanager
async def connect(
    where: str, *, live: bool = False, keep: bool = True, websocket: str | None = None
) -> AsyncIterator[Chain]:
    """Open the chain at ``where``, an http(s) URL or a file that ``ionet demo`` wrote.

    With ``live`` a chain from a file follows the wall clock. With ``keep`` as well, a transaction is on the
    disk once it has been sent, or once the turn that it belongs to has ended (:func:`writing`). Otherwise the
    file stays as it was, and without ``live`` so does the clock.
    """
    if "://" in where and not where.startswith(("http://", "https://")):
        # It isn't repeated, as it may have a key in it.
        raise ChainError("the chain is neither a file nor an http(s) URL: write https://HOST, without quotes")
    if where.startswith(("http://", "https://")):
        from keeper.chain.rpc import RpcChain  # noqa: PLC0415 - the RPC client, which no file needs

        chain = RpcChain.at(where, websocket)
        try:
            yield chain
        finally:
            await chain.close()
        return
    kind = SavedChain if live and keep else EmbeddedChain
    embedded = kind.load(Path(where))
    if live:
        embedded.follow_wall_clock()
    yield embedded


def writing(chain: ChainReader) -> AbstractAsyncContextManager[None]:
    """A turn on a chain in a file, see :meth:`SavedChain.writing`: several transactions, saved once.

    Nothing to do for a node, or for a chain in memory.
    """
    return chain.writing() if isinstance(chain, SavedChain) else nullcontext()


def refresh(chain: ChainReader) -> None:
    """Read what other processes have saved of a chain in a file; a node answers with the newest anyway."""
    if isinstance(chain, SavedChain):
        chain.refresh()


def makes_blocks(chain: ChainReader) -> bool:
    """Whether slots pass by themselves, as a node's do; those of a chain in a file wait for transactions."""
    return not isinstance(chain, EmbeddedChain)
