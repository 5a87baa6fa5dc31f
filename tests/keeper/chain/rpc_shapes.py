"""What is on an embedded chain in the JSON shapes of Solana's own node."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import base58
from solders.pubkey import Pubkey

from keeper.chain import Account, InnerInstruction, TransactionRecord

Json = Any


def account_json(account: Account | None) -> Json:
    if account is None:
        return None
    return {
        "lamports": account.lamports,
        "data": [base64.b64encode(account.data).decode(), "base64"],
        "owner": str(account.owner),
        "executable": account.executable,
        "rentEpoch": 2**64 - 1,
        "space": len(account.data),
    }


def inner_json(calls: Sequence[InnerInstruction], keys: Sequence[Pubkey]) -> Json:
    positions = {key: index for index, key in enumerate(keys)}
    groups: dict[int, list[Json]] = {}
    for call in calls:
        compiled = {
            "programIdIndex": positions[call.program],
            "accounts": [positions[key] for key in call.accounts],
            "data": base58.b58encode(call.data).decode(),
            "stackHeight": call.stack_height,
        }
        groups.setdefault(call.outer, []).append(compiled)
    return [{"index": outer, "instructions": compiled} for outer, compiled in groups.items()]


def error_json(record: TransactionRecord) -> Json:
    if record.error is None:
        return None
    if record.failed_instruction is None:
        name, _, index = record.error.partition(" { account_index: ")
        return {name: {"account_index": int(index.removesuffix(" }"))}} if index else name
    cause = record.error.partition(": ")[2] if record.code is None else {"Custom": record.code}
    return {"InstructionError": [record.failed_instruction, cause]}
