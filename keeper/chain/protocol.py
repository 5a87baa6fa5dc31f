"""What a chain can be asked, whether it runs in this process or behind an RPC node.

The set is small on purpose: only what both can answer truthfully. Amounts are lamports or base
units, times unix seconds, addresses ``solders.pubkey.Pubkey``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from solders.hash import Hash
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

if TYPE_CHECKING:
    from keeper.chain.signer import Signer

MAX_CALL_BYTES = 768
"""Data of a program's call that is kept: more than any event of ours has."""
MAX_COMPUTE_UNITS = 1_400_000
"""What a transaction may compute at most; both chains ask for it, the default is 200,000 a call."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is stored."""

    lamports: int
    data: bytes
    owner: Pubkey
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """The Clock sysvar's part that programs read."""

    slot: int
    unix_timestamp: int


@dataclass(frozen=True, slots=True)
class Memcmp:
    """A filter on program accounts: ``data[offset:]`` starts with ``value``."""

    offset: int
    value: bytes


class InnerInstruction(NamedTuple):
    """A call made by a program during a transaction.

    ``outer`` is the index of the transaction's own instruction that it happened under;
    ``stack_height`` is 2 for a call by that instruction's program, 3 for one deeper. ``data`` is empty
    when it is longer than :data:`MAX_CALL_BYTES`: anybody may name our programs in a transaction and fill
    it with calls of 10 KiB, which take a reader of base58 seconds and all its memory.
    """

    outer: int
    stack_height: int
    program: Pubkey
    accounts: tuple[Pubkey, ...]
    data: bytes


class TransactionRecord(NamedTuple):
    """A transaction that was executed, successful or not.

    ``inner`` is in the order of execution. ``error`` is None or a one-line reason,
    ``failed_instruction`` the index it came from, and ``code`` the number when it was a program's own.
    """

    signature: Signature
    slot: int
    time: int
    signers: tuple[Pubkey, ...]
    programs: tuple[Pubkey, ...]
    inner: tuple[InnerInstruction, ...]
    logs: tuple[str, ...]
    compute_units: int
    fee: int
    error: str | None = None
    failed_instruction: int | None = None
    code: int | None = None


class Commitment(StrEnum):
    """How sure a chain is of what it tells."""

    CONFIRMED = "confirmed"
    """Voted for by two thirds of the stake; may still drop out in theory, and on a chain in a file."""
    FINALIZED = "finalized"
    """Never dropped again."""


class Listed(NamedTuple):
    """A transaction as an address's list has it.

    ``position`` is its index in its slot's block, None where the chain doesn't say: ask for the block.
    """

    signature: Signature
    slot: int
    failed: bool
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Blockhash:
    """What a transaction names to be valid, up to the block of height ``last_valid_height``."""

    hash: Hash
    last_valid_height: int


@dataclass(frozen=True, slots=True)
class Status:
    """A transaction that the chain has: where, how surely (None for less than confirmed), how it ended."""

    slot: int
    commitment: Commitment | None
    error: str | None


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


class Chain(Protocol):
    """A Solana chain."""

    async def genesis_hash(self) -> str:
        """Identify the chain: what was read from another one must not be mixed in."""
        ...

    async def version(self) -> str:
        """What answers, and its version, for people to read."""
        ...

    async def clock(self, commitment: Commitment | None = None) -> Clock:
        """Read the Clock sysvar, as sure as ``commitment`` or as everything else is read."""
        ...

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        """Read accounts, None where there is none, in the order asked."""
        ...

    async def program_accounts(
        self, program: Pubkey, *, size: int | None = None, matches: Sequence[Memcmp] = ()
    ) -> dict[Pubkey, Account]:
        """Read every account that ``program`` owns, of ``size`` bytes, matching all of ``matches``."""
        ...

    async def send(self, instructions: Sequence[Instruction], signers: Sequence[Signer]) -> TransactionRecord:
        """Execute one transaction and wait until it is confirmed; the first signer pays.

        The chain adds the compute limit, behind ``instructions``, so that their indexes stay.
        Raises TransactionFailed, TransactionExpired or ChainUnreachable.
        """
        ...

    async def simulate(
        self, instructions: Sequence[Instruction], signers: Sequence[Signer]
    ) -> TransactionRecord:
        """Execute one transaction without changing anything; a refusal is in the record."""
        ...

    async def history(
        self, address: Pubkey, *, until: Signature | None = None, limit: int | None = None
    ) -> list[TransactionRecord]:
        """Read the transactions that name ``address``, oldest first, after ``until``.

        With ``limit``, the oldest that many; without, all.
        """
        ...

    # -- for the indexer ---------------------------------------------------------------------

    async def slot(self, commitment: Commitment) -> int:
        """The newest slot that is as sure as ``commitment``."""
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

        Ends where ``until`` is met, which is not in it. Raises ChainUnreachable when whoever answers
        has not come as far as ``min_slot``.
        """
        ...

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        """Read confirmed transactions in the order asked, None for those that the chain hasn't got."""
        ...

    async def block(self, slot: int) -> list[Signature]:
        """The signatures of a confirmed slot's transactions in the order of their execution."""
        ...

    async def snapshot(self, program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        """Read every account that ``program`` owns as of one finalized slot, and that slot.

        Raises ChainUnreachable when whoever answers has not come as far as ``min_slot``.
        """
        ...

    async def changed(self, programs: Sequence[Pubkey]) -> None:
        """Return once one of ``programs`` was called, or might have been; may take for ever.

        Nothing but latency may depend on it: notices get lost.
        """
        ...

    # -- for the sender ----------------------------------------------------------------------

    async def blockhash(self) -> Blockhash:
        """A blockhash to sign with."""
        ...

    async def height(self) -> int:
        """The finalized block height: what was valid up to a lower one can never land any more."""
        ...

    async def broadcast(self, transaction: VersionedTransaction) -> None:
        """Hand a signed transaction to the chain, without waiting and without learning what became of it.

        Doing so again is harmless.
        """
        ...

    async def statuses(self, signatures: Sequence[Signature], *, min_slot: int = 0) -> list[Status | None]:
        """What became of transactions, in the order asked; None for those that the chain hasn't got.

        Raises ChainUnreachable when whoever answers has not come as far as ``min_slot``.
        """
        ...

    async def recent_fees(self, writable: Sequence[Pubkey]) -> list[int]:
        """Priority fees that recent slots took from transactions that lock these accounts.

        Micro-lamports per compute unit, the lowest of each slot.
        """
        ...
