"""A chain whose every action goes through the sender's intents; it is read as it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, TransactionRecord
from keeper.sender import Action
from keeper.sender.sender import Sender

Permit = Callable[[], Awaitable[None]]
"""Raises ChainError while nothing may be sent."""


class ActingChain:
    """``chain`` for one job; jobs send with keeper.jobs.due, which finds ``perform`` here."""

    def __init__(self, chain: Chain, sender: Sender, job: str, permit: Permit) -> None:
        """Read from ``chain``, act through ``sender`` in the name of ``job`` where ``permit`` lets it."""
        self._chain = chain
        self._sender = sender
        self._job = job
        self._permit = permit

    def __getattr__(self, name: str) -> Any:
        """Everything that a chain can be asked."""
        return getattr(self._chain, name)

    async def perform(self, actions: Sequence[Action], log: FilteringBoundLogger) -> list[TransactionRecord]:
        """See :meth:`keeper.sender.sender.Sender.perform`."""
        if actions:
            await self._permit()
        return await self._sender.perform(self._job, actions, log)

    async def send(self, *_: object) -> TransactionRecord:
        """Refused: what is sent past the intents could be done twice."""
        raise TypeError("jobs send with keeper.jobs.due, under a key")


def acting(chain: Chain, sender: Sender, job: str, permit: Permit) -> Chain:
    """``chain`` as a job gets it."""
    return cast(Chain, ActingChain(chain, sender, job, permit))
