"""Intents and attempts: what is written down before, while and after a transaction is under way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain import ChainError, TransactionRecord


class IntentState(StrEnum):
    """The state of an intent."""

    OPEN = "open"
    """Nothing is under way."""
    SENT = "sent"
    """A signed transaction may land."""
    LANDED = "landed"
    """One has."""
    SUPERSEDED = "superseded"
    """Somebody else did it, or it isn't due any more."""
    REFUSED = "refused"
    """The program refused it; it is tried again later."""
    PARKED = "parked"
    """It was refused too often without being patient, or for good: somebody has to look."""


class AttemptState(StrEnum):
    """The state of a signed transaction."""

    LIVE = "live"
    """It may land."""
    LANDED = "landed"
    """It has, and may still drop out."""
    FINAL = "final"
    """It has, for good."""
    FAILED = "failed"
    """It was executed and refused."""
    EXPIRED = "expired"
    """It can never land any more."""


class Failure(StrEnum):
    """What a refusal means for the intent."""

    RETRY = "retry"
    """Nothing is wrong with it: try again."""
    REFUSED = "refused"
    """The program says no, for now."""
    FATAL = "fatal"
    """It can't succeed until somebody does something."""


RETRYABLE = {
    *("BlockhashNotFound", "AccountInUse", "AlreadyProcessed", "ClusterMaintenance"),
    *("WouldExceedMaxBlockCostLimit", "WouldExceedMaxAccountCostLimit", "WouldExceedAccountDataBlockLimit"),
    *("WouldExceedMaxVoteCostLimit", "ProgramCacheHitMaxLimit", "CommitCancelled"),
}
"""The chain's own names for what passes by itself."""
FATAL = {
    *("AccountNotFound", "InsufficientFundsForFee", "InvalidAccountForFee", "SignatureFailure"),
    *("ProgramAccountNotFound", "SanitizeFailure", "MissingSignatureForFee"),
}
"""And for what doesn't: no lamports, no such program, a wrong signature."""


def classify(record: TransactionRecord) -> Failure:
    """What a refusal means while the action is still due."""
    if record.failed_instruction is None:
        name = (record.error or "").partition(" ")[0]
        if name in RETRYABLE:
            return Failure.RETRY
        if name in FATAL or name.startswith("InsufficientFundsForRent"):
            return Failure.FATAL
    return Failure.REFUSED


class Halted(ChainError):
    """Nothing may be sent: accounts on chain are not what the events make them."""


class Stopped(Exception):
    """This process ends: nothing more is sent. It is no failure; the next one goes on."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do on chain, once: equal keys mean the same thing.

    ``still_due`` tells, after a refusal, whether it is still due; programs do nothing twice.
    A ``patient`` one may be refused for what others have to put right, such as an account that its owner
    closed: it is tried again at least every hour for as long as it is due, and its refusal is no failure.
    """

    key: str
    instructions: tuple[Instruction, ...]
    still_due: Callable[[], Awaitable[object]]
    patient: bool = False


def to_json(instruction: Instruction) -> dict[str, Any]:
    """An instruction as an intent keeps it."""
    return {
        "program": str(instruction.program_id),
        "accounts": [[str(a.pubkey), a.is_signer, a.is_writable] for a in instruction.accounts],
        "data": bytes(instruction.data).hex(),
    }


def from_json(content: dict[str, Any]) -> Instruction:
    """The instruction that an intent keeps."""
    accounts = [
        AccountMeta(Pubkey.from_string(key), signs, writes) for key, signs, writes in content["accounts"]
    ]
    return Instruction(Pubkey.from_string(content["program"]), bytes.fromhex(content["data"]), accounts)
