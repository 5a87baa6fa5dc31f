"""What a chain can be asked, whether it runs in this process or behind an RPC node.

The set is small on purpose: only what both can answer truthfully. Amounts are lamports or base
units, times unix seconds, addresses ``solders.pubkey.Pubkey``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

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


@dataclass(frozen=True, slots=True)
class InnerInstruction:
    """A call made by a program during a transaction.

    ``outer`` is the index of the transaction's own instruction that it happened under;
    ``stack_height`` is 2 for a call by that instruction's program, 3 for one deeper.
    """

    outer: int
    stack_height: int
    program: Pubkey
    accounts: tuple[Pubkey, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class TransactionRecord:
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

    async def clock(self) -> Clock:
        """Read the Clock sysvar."""
        ...

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        """Read accounts, None where there is none, in the order asked."""
        ...

    async def program_accounts(
        self, program: Pubkey, *, size: int | None = None, matches: Sequence[Memcmp] = ()
    ) -> dict[Pubkey, Account]:
        """Read every account that ``program`` owns, of ``size`` bytes, matching all of ``matches``."""
        ...

    async def send(
        self, instructions: Sequence[Instruction], signers: Sequence[Keypair]
    ) -> TransactionRecord:
        """Execute one transaction and wait until it is confirmed; the first signer pays.

        The chain adds the compute limit, behind ``instructions``, so that their indexes stay.
        Raises TransactionFailed, TransactionExpired or ChainUnreachable.
        """
        ...

    async def simulate(
        self, instructions: Sequence[Instruction], signers: Sequence[Keypair]
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
