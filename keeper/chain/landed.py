"""A transaction that has landed, out of a node's JSON: legacy, version 0 and version 1 alike.

In JSON a message has the same fields in every version: the addresses that it names itself, to which version
0 adds those that were looked up, and version 1 (SIMD-0385) none. Bytes would have to be taken apart by
version.

Events are calls, so who called whom must be certain. Nodes say it by stack heights; where one leaves them
out, they follow from the logs, in which the runtime writes a line for each call, unless they were cut. A
version that came after this code is read if its calls are those in its logs, or its logs were cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import TypeAdapter
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.errors import ChainUnreachable, NodeRefused
from keeper.chain.failure import describe_json
from keeper.chain.records import InnerInstruction, TransactionRecord
from keeper.chain.refusals import UNSUPPORTED_VERSION
from keeper.chain.shapes import Address, CallData, Error, Height, Index, Name, Number, Shape, Slot, Time

HIGHEST_VERSION = 1
"""The newest version of transactions that is known here."""
ANY_VERSION = 127
"""The highest that there can be: a version is seven bits."""
KNOWN_VERSIONS = ("legacy", 0, HIGHEST_VERSION)
INVOKED = re.compile(r"Program ([1-9A-HJ-NP-Za-km-z]{32,44}) invoke \[(\d{1,3})\]")
"""The runtime's line for a call, with its stack height; what programs log begins with other words."""
CUT = "Log truncated"
SILENT = frozenset(
    Pubkey.from_string(each)
    for each in (
        "Ed25519SigVerify111111111111111111111111111",
        "KeccakSecp256k11111111111111111111111111111",
        "Secp256r1SigVerify1111111111111111111111111",
    )
)
"""Precompiled programs: the runtime has no line for their calls, and they call nobody."""


class _Outer(Shape):
    programIdIndex: Index


class _Inner(Shape):
    programIdIndex: Index
    accounts: list[Index]
    data: CallData
    stackHeight: Height | None = None


class _Group(Shape):
    index: Index
    instructions: list[_Inner]


class Loaded(Shape):
    """Addresses that a transaction took from tables."""

    writable: list[Address]
    readonly: list[Address]


class _Lookup(Shape):
    writableIndexes: list[Index]
    readonlyIndexes: list[Index]


class _Meta(Shape):
    err: Error
    fee: Number
    innerInstructions: list[_Group] | None = None
    logMessages: list[str] | None = None
    loadedAddresses: Loaded | None = None
    computeUnitsConsumed: Number | None = None


class _Header(Shape):
    numRequiredSignatures: Index


class _Message(Shape):
    header: _Header
    accountKeys: list[Address]
    instructions: list[_Outer]
    addressTableLookups: list[_Lookup] | None = None


class _Transaction(Shape):
    signatures: list[Name]
    message: _Message


class _Landed(Shape):
    slot: Slot
    blockTime: Time | None = None
    version: Literal["legacy"] | Index = 0
    transaction: _Transaction
    meta: _Meta


_LANDED = TypeAdapter(_Landed | None)


def landed(result: Any, signature: Signature) -> TransactionRecord | None:
    """Read getTransaction of ``signature`` in JSON; None where the node doesn't have it.

    Raises ValueError for another transaction or half of this one, ChainUnreachable for one whose time or
    calls the node doesn't know, NodeRefused for one of a version that can't be read.
    """
    try:
        found = _LANDED.validate_python(result)
        return _record(found, signature) if found else None
    except ValueError as error:
        version = result.get("version") if isinstance(result, dict) else None
        if type(version) is int and version > HIGHEST_VERSION:
            raise too_new(signature) from error
        raise


def too_new(signature: Signature) -> NodeRefused:
    """The error for a transaction that a newer version of this code may be able to read."""
    return NodeRefused(
        f"the transaction {signature} is of a newer version than this ionet, or its node, can read: upgrade",
        UNSUPPORTED_VERSION,
    )


def _record(found: _Landed, signature: Signature) -> TransactionRecord:
    meta, message = found.meta, found.transaction.message
    signers = message.header.numRequiredSignatures
    names = found.transaction.signatures
    if names[:1] != [signature]:
        raise ValueError("it is another transaction")
    if len(names) != signers or signers > len(message.accountKeys):
        raise ValueError(f"{len(names)} signatures of {signers}")
    # Hours are told apart by times, and events are inner instructions: a guess would be another history.
    time, groups = found.blockTime, meta.innerInstructions
    if time is None or groups is None:
        raise ChainUnreachable(f"the RPC node doesn't know when {signature} was, or what it called")
    error, index, code = describe_json(meta.err) if meta.err is not None else (None, None, None)
    logs = meta.logMessages
    keys = [*message.accountKeys, *_looked_up(message, meta)]
    try:
        programs = tuple(keys[each.programIdIndex] for each in message.instructions)
        inner = [
            InnerInstruction(
                group.index,
                call.stackHeight or 0,
                keys[call.programIdIndex],
                tuple([keys[i] for i in call.accounts]),
                call.data,
            )
            for group in groups
            for call in group.instructions
        ]
    except IndexError:
        raise ValueError("an address that the transaction doesn't name") from None
    outers = [group.index for group in groups]
    if outers != sorted(set(outers)) or (outers and outers[-1] >= len(programs)):
        raise ValueError("calls under instructions that the transaction doesn't have")
    if found.version not in KNOWN_VERSIONS or not all(each.stack_height for each in inner):
        inner = _confirmed(inner, programs if index is None else programs[: index + 1], logs)
    _nested(inner)
    return TransactionRecord(
        signature=signature,
        slot=found.slot,
        time=time,
        signers=tuple(keys[:signers]),
        programs=programs,
        inner=tuple(inner),
        logs=tuple(logs or ()),
        compute_units=meta.computeUnitsConsumed or 0,
        fee=meta.fee,
        error=error,
        failed_instruction=index,
        code=code,
    )


def _looked_up(message: _Message, meta: _Meta) -> list[Pubkey]:
    """The addresses that a message of version 0 takes from tables: all writable ones, then the others."""
    lookups = message.addressTableLookups or []
    loaded = meta.loadedAddresses or Loaded(writable=[], readonly=[])
    writable = sum(len(each.writableIndexes) for each in lookups)
    readonly = sum(len(each.readonlyIndexes) for each in lookups)
    if (len(loaded.writable), len(loaded.readonly)) != (writable, readonly):
        raise ValueError("not the addresses that the transaction looked up")
    return [*loaded.writable, *loaded.readonly]


def _confirmed(
    inner: list[InnerInstruction], programs: Sequence[Pubkey], logs: list[str] | None
) -> list[InnerInstruction]:
    """Calls with the heights that the logs give, of ``programs``, which were run.

    Raises ValueError when the logs are of other calls; when they aren't whole, and a height is missing.
    """
    if logs is None or CUT in logs:
        if all(each.stack_height for each in inner):
            return inner
        raise ValueError("it isn't known who called whom")
    logged = [(line[1], int(line[2])) for line in map(INVOKED.fullmatch, logs) if line]
    confirmed, calls, lines = [], iter([*inner, None]), iter(logged)
    call = next(calls)
    for outer, program in enumerate(programs):
        if program not in SILENT and next(lines, None) != (str(program), 1):
            raise ValueError("its logs are of other instructions")
        while call is not None and call.outer == outer:
            name, height = next(lines, ("", 0))
            if name != str(call.program) or call.stack_height not in (0, height):
                raise ValueError("its logs are of other calls")
            confirmed.append(call._replace(stack_height=height))
            call = next(calls)
    if call is not None or next(lines, None) is not None:
        raise ValueError("its logs are of fewer or more calls")
    return confirmed


def _nested(inner: Sequence[InnerInstruction]) -> None:
    """Raise ValueError unless each call can have been made by the one before it, or by one that made it."""
    outer, height = -1, 1
    for call in inner:
        if call.outer != outer:
            outer, height = call.outer, 1
        if not 1 < call.stack_height <= height + 1:
            raise ValueError("a call that nobody made")
        height = call.stack_height
