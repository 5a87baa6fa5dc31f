"""What can go wrong between us and a chain."""

from __future__ import annotations

from keeper.chain.records import TransactionRecord


class ChainError(Exception):
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


class ChainLocked(ChainError):
    """Another process is writing the saved chain, for longer than anybody waits."""


class ChainNotSaved(ChainError):
    """What was executed can't go into the chain's file, which is as it was."""


class AnotherChain(ChainError):
    """The chain's file is another chain's by now: whoever opened the first must start anew."""
