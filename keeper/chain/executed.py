"""What the VM says of a transaction that it executed or tried, as records of ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from keeper.chain.failure import describe
from keeper.chain.records import MAX_CALL_BYTES, Account, InnerInstruction, TransactionRecord

OUTERMOST_CALL = 2
"""Stack height of a call made by a transaction's own instruction."""


class Trial(NamedTuple):
    """What would come of a transaction: its record, and what only some ask for.

    ``fee`` is what it would pay, lamports; ``error``, ``calls`` and ``returned`` are as in
    :class:`keeper.chain.whole.Whole`; ``accounts`` are as they would be afterwards, None for one that would
    be closed, and empty when it would fail.
    """

    record: TransactionRecord
    fee: int
    error: Any
    calls: dict[int, bytes]
    returned: tuple[Pubkey, bytes] | None
    accounts: dict[Pubkey, Account | None]


Result = TransactionMetadata | FailedTransactionMetadata


def record_of(
    transaction: VersionedTransaction, keys: Sequence[Pubkey], result: Result, slot: int, time: int
) -> TransactionRecord:
    """The record of a transaction, whose addresses are ``keys``, with those that it looked up."""
    if isinstance(result, FailedTransactionMetadata):
        meta = result.meta()
        reason, index, code = describe(result.err())
    else:
        meta, reason, index, code = result, None, None, None
    message = transaction.message
    return TransactionRecord(
        signature=transaction.signatures[0],
        slot=slot,
        time=time,
        signers=tuple(keys[: message.header.num_required_signatures]),
        programs=tuple(keys[each.program_id_index] for each in message.instructions),
        inner=tuple(
            InnerInstruction(
                outer=outer,
                stack_height=call.stack_height() or OUTERMOST_CALL,
                program=keys[compiled.program_id_index],
                accounts=tuple(keys[i] for i in compiled.accounts),
                data=compiled.data if len(compiled.data) <= MAX_CALL_BYTES else b"",
            )
            for outer, calls in enumerate(meta.inner_instructions())
            for call in calls
            for compiled in (call.instruction(),)
        ),
        logs=tuple(meta.logs()),
        compute_units=meta.compute_units_consumed(),
        fee=meta.fee(),
        error=reason,
        failed_instruction=index,
        code=code,
    )


def long_calls(result: Result) -> dict[int, bytes]:
    """The data of calls that are too long for a record, by their place in ``inner``."""
    calls = (call for each in meta_of(result).inner_instructions() for call in each)
    data = (bytes(call.instruction().data) for call in calls)
    return {at: each for at, each in enumerate(data) if len(each) > MAX_CALL_BYTES}


def returned(result: Result) -> tuple[Pubkey, bytes] | None:
    """What a program returned last, and which."""
    found = meta_of(result).return_data()
    return (found.program_id, bytes(found.data)) if found.data else None


def error_of(result: Result) -> Any:
    """How it failed, in the runtime's JSON, such as ``{"InstructionError":[0,{"Custom":1}]}``, or None."""
    return json.loads(result.to_json())["err"] if isinstance(result, FailedTransactionMetadata) else None


def meta_of(result: Result) -> TransactionMetadata:
    """What was logged, called and used, whether it failed or not."""
    return result.meta() if isinstance(result, FailedTransactionMetadata) else result
