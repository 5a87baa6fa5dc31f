"""A port whose every action goes through the sender's intents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

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
    landed: Callable[[], None]
    """Called after each transaction that did something."""
    named: set[str] = field(default_factory=set)
    """The keys of all actions that the job has named so far."""

    @property
    def payer(self) -> Pubkey:
        """See :class:`~keeper.jobs.port.Port`."""
        return self.sender.payer

    async def do(self, actions: Sequence[Action]) -> list[TransactionRecord]:
        """See :meth:`keeper.sender.sender.Sender.perform`."""
        if actions:
            await self.permit()
        self.named.update(each.key for each in actions)
        return await self.sender.perform(self.job, actions, self.log, self.landed)

    async def finish(self) -> None:
        """The job has come to its end: what it didn't name any more is nobody's to do."""
        await self.sender.close_others(self.job, self.named, self.log)
