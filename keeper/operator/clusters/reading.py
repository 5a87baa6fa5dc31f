"""The chain's orders and leases, read again and again in a process of its own: what has changed is told.

10,000 accounts take half a second to read, and the wave's clock runs in the service's event loop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import NamedTuple, Protocol

from keeper.chain import ChainError, ChainReader
from keeper.chain.connect import connect
from keeper.clients import orders
from keeper.clients.records import accounts_of

KINDS = "Lease", "Order"
"""Leases first, as an order outlives its own."""


class Changes(NamedTuple):
    """Of a kind's accounts: what is new or other than before, by address, and what is gone."""

    changed: Mapping[bytes, bytes]
    gone: frozenset[bytes]


class Reader(Protocol):
    """Reads what has changed since its last answer."""

    async def read(self) -> dict[str, Changes]:
        """By kind. Raises ChainError, and then nothing counts as told."""
        ...

    def close(self) -> None:
        """Let go of everything."""


class Here:
    """In this process."""

    def __init__(self, chain: ChainReader | None = None) -> None:
        """Nothing was told yet; without a ``chain`` one is given to each :meth:`of`."""
        self._chain = chain
        self._told: dict[str, dict[bytes, bytes]] = {kind: {} for kind in KINDS}

    async def read(self) -> dict[str, Changes]:
        """See :class:`Reader`."""
        assert self._chain is not None
        return await self.of(self._chain)

    async def of(self, chain: ChainReader) -> dict[str, Changes]:
        """The same, of a chain that was opened for it."""
        there = {kind: await accounts_of(chain, orders.PROGRAM, kind) for kind in KINDS}
        found = {}
        for kind, accounts in there.items():
            known = self._told[kind]
            now = self._told[kind] = {bytes(at): data for at, data in accounts.items()}
            changed = {at: data for at, data in now.items() if known.get(at) != data}
            found[kind] = Changes(changed, frozenset(known.keys() - now.keys()))
        return found

    def close(self) -> None:
        """See :class:`Reader`."""


class Apart:
    """In a process of its own, which ends with this one; one that died is started again."""

    def __init__(self, where: str) -> None:
        """``where`` is the node's URL."""
        self._where = where
        self._pool: ProcessPoolExecutor | None = None
        self._known: dict[str, set[bytes]] = {kind: set() for kind in KINDS}
        self._answers = 0
        """Of this process, as far as they came here."""

    async def read(self) -> dict[str, Changes]:
        """See :class:`Reader`."""
        if self._pool is None:
            self._pool, self._answers = ProcessPoolExecutor(1, get_context("spawn"), _begin), 0
        try:
            work = asyncio.get_running_loop().run_in_executor(self._pool, _read, self._where, self._answers)
            is_whole, found = await work
        except BrokenProcessPool as error:
            self.close()
            raise ChainError("the process that reads orders has died: it is started again") from error
        self._answers += 1
        for kind, changes in list(found.items()):
            known = self._known[kind]
            gone = frozenset(known - changes.changed.keys()) if is_whole else changes.gone
            self._known[kind] = (known | changes.changed.keys()) - gone
            found[kind] = Changes(changes.changed, gone)
        return found

    def close(self) -> None:
        """See :class:`Reader`."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


# -- in that process -----------------------------------------------------------------------------

_state = Here()
_answered = 0


def _begin() -> None:
    """End with whoever started this."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(0)

    Thread(target=watch, daemon=True).start()


def _read(where: str, heard: int) -> tuple[bool, dict[str, Changes]]:
    """What has changed since the answer number ``heard``; everything, where that isn't the last one."""
    global _state, _answered  # noqa: PLW0603 - the process's own
    is_whole = heard != _answered or not heard
    if is_whole:
        _state = Here()

    async def ask() -> dict[str, Changes]:
        async with connect(where, live=True) as chain:
            return await _state.of(chain)

    found = asyncio.run(ask())
    _answered = heard + 1
    return is_whole, found
