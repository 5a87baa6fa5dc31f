"""What a chain can be asked, whether it runs in this process or behind an RPC node.

The set is small on purpose: only what both can answer truthfully.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain.records import (
    Account,
    Blockhash,
    Clock,
    Commitment,
    Head,
    Listed,
    Memcmp,
    Tip,
    TransactionRecord,
    TransactionStatus,
)
from keeper.chain.signer import Signer
from keeper.chain.whole import Signed


class ChainReader(Protocol):
    """A Solana chain that can only be read."""

    async def genesis_hash(self) -> str:
        """Identify the chain: what was read from another one must not be mixed in."""
        ...

    async def version(self) -> str:
        """What answers, and its version, for people to read."""
        ...

    async def clock(self, commitment: Commitment | None = None) -> Clock:
        """Read the Clock sysvar at ``commitment``, or at the one that everything else is read at."""
        ...

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        """Read accounts, None where there is none, in the order asked."""
        ...

    async def program_accounts(
        self, program: Pubkey, *, size: int | None = None, matches: Sequence[Memcmp] = ()
    ) -> dict[Pubkey, Account]:
        """Read every account that ``program`` owns, of ``size`` bytes, matching all of ``matches``."""
        ...

    async def history(
        self, address: Pubkey, *, until: Signature | None = None, limit: int | None = None
    ) -> list[TransactionRecord]:
        """Read the transactions that name ``address``, oldest first, after ``until``.

        With ``limit``, only that many of the oldest; without, all.
        """
        ...

    # -- for the indexer ---------------------------------------------------------------------

    async def slot(self, commitment: Commitment) -> int:
        """The newest slot that is as sure as ``commitment``."""
        ...

    async def final_clock(self) -> Clock:
        """Slot and time of the newest finalized bank, in one read; to see, as :meth:`clock` says what holds.

        Of a chain in a file, whose time goes on without it, the time may still be passed by a transaction at
        an earlier one.
        """
        ...

    async def signatures(
        self,
        address: Pubkey,
        commitment: Commitment,
        *,
        before: Signature | None = None,
        until: Signature | None = None,
        min_slot: int = 0,
        limit: int = 1_000,
    ) -> list[Listed]:
        """One page of the transactions that name ``address``, newest first, older than ``before``.

        Ends where ``until`` is met, which is not in it. Raises ChainUnreachable when the node that answers
        has not come as far as ``min_slot``.
        """
        ...

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        """Read confirmed transactions in the order asked, None for those that the chain doesn't have."""
        ...

    async def signed(self, signatures: Sequence[Signature]) -> list[Signed | None]:
        """Read confirmed transactions as they were signed, in the order asked.

        None for those that the chain doesn't have whole.
        """
        ...

    async def block(self, slot: int) -> list[Signature]:
        """The signatures of a confirmed slot's transactions in the order of their execution."""
        ...

    async def head(self, slot: int, commitment: Commitment) -> Head | None:
        """The first block that was made in ``slot`` or later; None while there is none as sure as that.

        What is not None is the same for everybody who asks, for ever when it is finalized.
        """
        ...

    async def snapshot(self, program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        """Read every account that ``program`` owns as of one finalized slot, and that slot.

        Raises ChainUnreachable when the node that answers has not come as far as ``min_slot``.
        """
        ...

    async def changed(self, programs: Sequence[Pubkey]) -> None:
        """Return once one of ``programs`` was called, or might have been; may take forever.

        Nothing but latency may depend on it: notices get lost.
        """
        ...

    # -- what became of transactions ---------------------------------------------------------

    async def tip(self) -> Tip:
        """The newest finalized block: what was valid only up to a lower height can no longer land."""
        ...

    async def statuses(
        self, signatures: Sequence[Signature], *, min_slot: int = 0
    ) -> list[TransactionStatus | None]:
        """What became of transactions, in the order asked; None for those that the chain doesn't have.

        Raises ChainUnreachable when the node that answers has not come as far as ``min_slot``.
        """
        ...


class Chain(ChainReader, Protocol):
    """A Solana chain: what it takes to land a transaction on it, which :mod:`keeper.chain.landing` does."""

    async def simulate(
        self, instructions: Sequence[Instruction], signers: Sequence[Signer]
    ) -> TransactionRecord:
        """Execute one transaction without changing anything; a refusal is in the record."""
        ...

    async def blockhash(self) -> Blockhash:
        """A blockhash to sign with."""
        ...

    async def broadcast(self, transaction: VersionedTransaction) -> None:
        """Hand a signed transaction to the chain, without waiting and without learning what became of it.

        Doing so again is harmless.
        """
        ...

    async def recent_fees(self, writable: Sequence[Pubkey]) -> list[int]:
        """Priority fees that recent slots took from transactions that lock these accounts.

        Micro-lamports per compute unit, the lowest of each slot.
        """
        ...
