"""What can go wrong between us and a chain."""

from __future__ import annotations

from keeper.chain.records import TransactionRecord
from keeper.errors import UserError

NO_LAMPORTS = {"AccountNotFound", "InsufficientFundsForFee"}
"""The chain's own words for a payer without lamports."""


class ChainError(UserError):
    """Anything that went wrong between us and the chain."""


class ChainUnreachable(ChainError):
    """The chain didn't answer: try again later. Whatever was asked may or may not have happened."""

    @property
    def hint(self) -> str:
        """What may be wrong."""
        return "Is the node running, and is --chain (or IONET_CHAIN) right?"


class NodeRefused(ChainError):
    """A node didn't do what it was asked to, and said so; another one may."""

    def __init__(self, message: str, code: int | None = None) -> None:
        """Keep the JSON-RPC error's number, if it had one."""
        super().__init__(message)
        self.code = code


class TransactionExpired(ChainError):
    """The transaction's blockhash ran out before it landed: it never will, and may be signed anew."""


class TransactionFailed(ChainError):
    """The chain executed the transaction and refused it; nothing but the fee changed."""

    def __init__(self, record: TransactionRecord) -> None:
        """Keep what was executed."""
        super().__init__(record.error)
        self.record = record

    @property
    def hint(self) -> str:
        """What may be wrong when the payer has no lamports."""
        poor = (self.record.error or "").partition(" ")[0] in NO_LAMPORTS
        return "Does the key that pays have SOL on this chain?" if poor else ""

    @property
    def code(self) -> int | None:
        """The program's own error number, if it was one."""
        return self.record.code


class ChainLocked(ChainError):
    """Another process has been writing the saved chain for longer than this one waits."""


class ChainNotSaved(ChainError):
    """What was executed can't be written to the chain's file, which is as it was."""


class AnotherChain(ChainError):
    """The chain's file holds another chain now: whoever opened the first one must start again."""
