"""What a chain reports: accounts, transactions and the clock, the same from both kinds of chain.

Amounts are lamports or base units, times unix seconds, addresses ``solders.pubkey.Pubkey``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

MAX_CALL_BYTES = 768
"""The most bytes of a call's data that are kept: more than any event of ours has."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is stored."""

    lamports: int
    data: bytes
    owner: Pubkey
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """The part of the Clock sysvar that programs read."""

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
    """How sure a chain is of what it reports."""

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


class Tip(NamedTuple):
    """The newest finalized block: its slot, and its height, which skipped slots don't count for."""

    slot: int
    height: int


class Head(NamedTuple):
    """A block without what is in it: its slot, its hash (32 bytes) and its time."""

    slot: int
    blockhash: bytes
    time: int


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """A transaction that the chain has: where, how surely (None for less than confirmed), how it ended."""

    slot: int
    commitment: Commitment | None
    error: str | None
