"""What can go wrong between us and a chain."""

from __future__ import annotations

from keeper.chain.records import TransactionRecord
from keeper.errors import UserError


class ChainError(UserError):
    """Anything that went wrong between us and the chain."""


class ChainUnreachable(ChainError):
    """Nobody answered: try again later. Whatever was asked may or may not have happened."""


class TransactionExpired(ChainError):
    """The transaction's blockhash ran out before it landed: it never will, and may be signed anew."""


class TransactionFailed(ChainError):
    """The chain executed the transaction and refused it; nothing but the fee changed."""

    def __init__(self, record: TransactionRecord) -> None:
        """Keep what was executed."""
        super().__init__(record.error)
        self.record = record

    @property
    def code(self) -> int | None:
        """The program's own error number, if it was one."""
        return self.record.code
