"""A port whose every action goes through the sender's intents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain import ChainReader, TransactionRecord
from keeper.sender import Action
from keeper.sender.sender import Sender

Permit = Callable[[], Awaitable[None]]
"""Raises ChainError while nothing may be sent."""


@dataclass(frozen=True, slots=True)
class Acting:
    """Acts through ``sender`` for ``job``, where ``permit`` allows it; see
    :class:`~keeper.jobs.port.Port`.
    """

    chain: ChainReader
    sender: Sender
    job: str
    permit: Permit
    log: FilteringBoundLogger

    @property
    def payer(self) -> Pubkey:
        """See :class:`~keeper.jobs.port.Port`."""
        return self.sender.payer

    async def do(self, actions: Sequence[Action]) -> list[TransactionRecord]:
        """See :meth:`keeper.sender.sender.Sender.perform`."""
        if actions:
            await self.permit()
        return await self.sender.perform(self.job, actions, self.log)
