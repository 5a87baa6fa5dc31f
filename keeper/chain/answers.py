"""What a node's answers say, as records of ours: from JSON alone, no node is asked here.

Each function reads the result of one method and raises ValueError for anything but an answer to what was
asked. What follows from the state of a slot comes with that slot, first. Transactions that have landed are in
:mod:`keeper.chain.landed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import Field, StrictBool, TypeAdapter
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.errors import ChainUnreachable, NodeRefused
from keeper.chain.failure import Failure, describe_json
from keeper.chain.records import (
    Account,
    Blockhash,
    Clock,
    Commitment,
    Head,
    Listed,
    Memcmp,
    Tip,
    TransactionStatus,
)
from keeper.chain.shapes import (
    Address,
    BlockHash,
    Data,
    Error,
    Name,
    Number,
    Position,
    Shape,
    Slot,
    Time,
)

Json = Any
T = TypeVar("T")

UNIX_TIMESTAMP_OFFSET = 32
"""Where the Clock sysvar keeps its unix time (i64); its slot (u64) comes first."""
CLOCK_LENGTH = 40
LONGER = "ask one with a longer history"
LEVELS = {"confirmed": Commitment.CONFIRMED, "finalized": Commitment.FINALIZED}


class _Context(Shape):
    slot: Slot


class _InContext(Shape, Generic[T]):
    context: _Context
    value: T


class _Account(Shape):
    lamports: Number
    data: Data
    owner: Address
    executable: StrictBool
    space: Number | None = None


class _Owned(Shape):
    pubkey: Address
    account: _Account


class _Listed(Shape):
    signature: Name
    slot: Slot
    err: Error
    transactionIndex: Position | None = None


class _Status(Shape):
    slot: Slot
    err: Error
    confirmationStatus: Literal["processed", "confirmed", "finalized"] | None


class _Blockhash(Shape):
    blockhash: BlockHash
    lastValidBlockHeight: Slot


class _Epoch(Shape):
    absoluteSlot: Slot
    blockHeight: Slot


class _Simulated(Shape):
    err: Error
    logs: list[str] | None
    unitsConsumed: Number | None = None


class _Fee(Shape):
    prioritizationFee: Number


class _Version(Shape):
    core: str = Field(alias="solana-core")


class _Block(Shape):
    signatures: list[Name]


class _Head(Shape):
    blockhash: BlockHash
    parentSlot: Slot
    blockTime: Time | None


_SLOT = TypeAdapter[int](Slot)
_HASH = TypeAdapter[Any](BlockHash)
_NAME = TypeAdapter[Any](Name)
_VERSION = TypeAdapter(_Version)
_ACCOUNT = TypeAdapter(_InContext[_Account | None])
_ACCOUNTS = TypeAdapter(_InContext[list[_Account | None]])
_OWNED = TypeAdapter(_InContext[list[_Owned]])
_LIST = TypeAdapter(list[_Listed])
_STATUSES = TypeAdapter(_InContext[list[_Status | None]])
_LATEST = TypeAdapter(_InContext[_Blockhash])
_EPOCH = TypeAdapter(_Epoch)
_SIMULATED = TypeAdapter(_InContext[_Simulated])
_FEES = TypeAdapter(list[_Fee])
_BLOCK = TypeAdapter(_Block | None)
_SLOTS = TypeAdapter(list[Slot])
_HEAD = TypeAdapter(_Head | None)


def genesis_hash(result: Json) -> str:
    """Read getGenesisHash."""
    return str(_HASH.validate_python(result))


def version(result: Json) -> str:
    """Read getVersion."""
    return _VERSION.validate_python(result).core


def slot(result: Json) -> int:
    """Read getSlot."""
    return _SLOT.validate_python(result)


def clock(result: Json) -> tuple[int, Clock]:
    """Read getAccountInfo of the Clock sysvar; raises NodeRefused if there is none."""
    answer = _ACCOUNT.validate_python(result)
    if answer.value is None:
        raise NodeRefused("the node has no Clock sysvar")
    data = _account(answer.value).data
    if len(data) != CLOCK_LENGTH:
        raise ValueError(f"a clock of {len(data)} bytes")
    now = int.from_bytes(data[UNIX_TIMESTAMP_OFFSET:], "little", signed=True)
    return answer.context.slot, Clock(_SLOT.validate_python(int.from_bytes(data[:8], "little")), now)


def accounts(result: Json, count: int) -> tuple[int, list[Account | None]]:
    """Read getMultipleAccounts of ``count`` addresses."""
    answer = _ACCOUNTS.validate_python(result)
    return answer.context.slot, [_account(each) if each else None for each in _of(answer.value, count)]


def program_accounts(
    result: Json, program: Pubkey, size: int | None, matches: Sequence[Memcmp], min_slot: int
) -> tuple[int, dict[Pubkey, Account]]:
    """Read getProgramAccounts: accounts of ``program``, of that size, that match.

    Raises ChainUnreachable for a node below ``min_slot``.
    """
    answer = _OWNED.validate_python(result)
    return _reached(answer.context, min_slot), _owned(answer.value, program, size, matches)


def signatures(result: Json) -> list[Listed]:
    """Read getSignaturesForAddress."""
    return [
        Listed(each.signature, each.slot, each.err is not None, each.transactionIndex)
        for each in _LIST.validate_python(result)
    ]


def block(result: Json, slot: int) -> list[Signature]:
    """Read the signatures of getBlock; raises NodeRefused where the node has no such block."""
    return _there(_BLOCK.validate_python(result), slot).signatures


def first_block(result: Json, slot: int) -> int | None:
    """Read getBlocksWithLimit of one from ``slot`` on: its slot, None if there is none."""
    found = _SLOTS.validate_python(result)
    if len(found) > 1 or any(each < slot for each in found):
        raise ValueError("a block that wasn't asked for")
    return found[0] if found else None


def head(result: Json, slot: int, first: int) -> Head:
    """Read getBlock of ``slot``, as the first block that was made in ``first`` or later.

    Its parent must be earlier than that: a node whose history begins later names its own first block instead.
    Raises NodeRefused for such a node and one that hasn't got the block, ChainUnreachable for one that
    doesn't know its time yet: what follows from times must not depend on who is asked.
    """
    found = _there(_HEAD.validate_python(result), slot)
    if slot and found.parentSlot >= slot:
        raise ValueError("a block before its parent")
    if slot and found.parentSlot >= first:
        raise NodeRefused(f"the node hasn't got the first block from slot {first} on; {LONGER}")
    if found.blockTime is None:
        raise ChainUnreachable(f"the RPC node doesn't know the time of the block of slot {slot} yet")
    return Head(slot, bytes(found.blockhash), found.blockTime)


def blockhash(result: Json) -> tuple[int, Blockhash]:
    """Read getLatestBlockhash."""
    answer = _LATEST.validate_python(result)
    return answer.context.slot, Blockhash(answer.value.blockhash, answer.value.lastValidBlockHeight)


def tip(result: Json) -> Tip:
    """Read getEpochInfo."""
    found = _EPOCH.validate_python(result)
    return Tip(found.absoluteSlot, found.blockHeight)


def taken(result: Json, sent: Signature) -> None:
    """Read sendTransaction: the node took the one that was sent."""
    if _NAME.validate_python(result) != sent:
        raise ValueError("it is about another transaction")


def statuses(result: Json, count: int, min_slot: int) -> list[TransactionStatus | None]:
    """Read getSignatureStatuses of ``count``; raises ChainUnreachable for a node below ``min_slot``."""
    found = _STATUSES.validate_python(result)
    _reached(found.context, min_slot)
    return [_status(each) if each else None for each in _of(found.value, count)]


def recent_fees(result: Json) -> list[int]:
    """Read getRecentPrioritizationFees."""
    return [each.prioritizationFee for each in _FEES.validate_python(result)]


class Simulated(NamedTuple):
    """What a simulation used and logged, and how it failed, None if it didn't."""

    slot: int
    units: int
    logs: list[str]
    failure: Failure | None


def simulated(result: Json) -> tuple[int, Simulated]:
    """Read simulateTransaction."""
    answer = _SIMULATED.validate_python(result)
    slot, value = answer.context.slot, answer.value
    failure = describe_json(value.err) if value.err is not None else None
    if value.unitsConsumed is None and failure is None:
        # The compute limit follows from them: with a guess it would fail on chain, for a fee.
        raise ValueError("a simulation without its units")
    return slot, Simulated(slot, value.unitsConsumed or 0, value.logs or [], failure)


def _owned(
    found: list[_Owned], program: Pubkey, size: int | None, matches: Sequence[Memcmp]
) -> dict[Pubkey, Account]:
    owned = {each.pubkey: _account(each.account) for each in found}
    for account in owned.values():
        fits = size in (None, len(account.data)) and all(
            account.data.startswith(each.value, each.offset) for each in matches
        )
        if account.owner != program or not fits:
            raise ValueError("an account that wasn't asked for")
    if len(owned) != len(found):
        raise ValueError("an account twice")
    return owned


def _account(found: _Account) -> Account:
    data = found.data
    if found.space not in (None, len(data)):
        raise ValueError(f"{len(data)} of {found.space} bytes")
    return Account(found.lamports, data, found.owner, found.executable)


def _status(found: _Status) -> TransactionStatus:
    error = describe_json(found.err)[0] if found.err is not None else None
    return TransactionStatus(found.slot, LEVELS.get(found.confirmationStatus or ""), error)


def _there(found: T | None, slot: int) -> T:
    if found is None:
        raise NodeRefused(f"the node hasn't got the block of slot {slot}; {LONGER}")
    return found


def _of(found: list[T], count: int) -> list[T]:
    if len(found) != count:
        raise ValueError(f"{len(found)} of {count}")
    return found


def _reached(context: _Context, min_slot: int) -> int:
    if context.slot < min_slot:
        raise ChainUnreachable("the RPC node is behind")
    return context.slot
