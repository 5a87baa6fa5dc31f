"""What is on an embedded chain in the JSON shapes of Solana's own node."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import base58
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

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


def transaction_json(transaction: VersionedTransaction, version: int | str) -> Json:
    """A transaction in the shape of a version: 0 has tables of addresses, 1 a config, which others lack."""
    message = transaction.message
    shape = {
        "header": {
            "numRequiredSignatures": message.header.num_required_signatures,
            "numReadonlySignedAccounts": message.header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": message.header.num_readonly_unsigned_accounts,
        },
        "accountKeys": [str(each) for each in message.account_keys],
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            {
                "programIdIndex": each.program_id_index,
                "accounts": list(each.accounts),
                "data": base58.b58encode(each.data).decode(),
                "stackHeight": 1,
            }
            for each in message.instructions
        ],
    }
    if version == 0:
        shape["addressTableLookups"] = []
    if version == 1:
        shape["transactionConfig"] = {"priorityFee": 1_000, "computeUnitLimit": 200_000}
    return {"signatures": [str(each) for each in transaction.signatures], "message": shape}


def inner_json(calls: Sequence[InnerInstruction], keys: Sequence[Pubkey], *, heights: bool = True) -> Json:
    positions = {key: index for index, key in enumerate(keys)}
    groups: dict[int, list[Json]] = {}
    for call in calls:
        compiled = {
            "programIdIndex": positions[call.program],
            "accounts": [positions[key] for key in call.accounts],
            "data": base58.b58encode(call.data).decode(),
            "stackHeight": call.stack_height if heights else None,
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
