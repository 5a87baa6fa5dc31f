"""Transactions in a node's JSON: as they were sent, and what came of them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import base58
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import Legacy

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.records import InnerInstruction, TransactionRecord
from keeper.chain.whole import AnyMessage, TokenBalance, Whole, is_writable
from keeper.localnet import instructions
from keeper.localnet.accounts import amount_json
from keeper.localnet.parameters import Config
from keeper.localnet.refusal import UNSUPPORTED_VERSION, Refusal

ENCODINGS = "json", "jsonParsed", "base58", "base64", "binary"
OUTERMOST = 1
"""Stack height of a transaction's own instruction."""
MEMOS = (
    Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"),
    Pubkey.from_string("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo"),
)


def error_json(record: TransactionRecord, whole: Whole | None) -> Any:
    """How a transaction failed, in the runtime's JSON; None if it didn't."""
    if record.error is None or whole is not None:
        return whole.error if whole else None
    if record.failed_instruction is None:
        return record.error
    cause = {"Custom": record.code} if record.code is not None else record.error.partition(": ")[2]
    return {"InstructionError": [record.failed_instruction, cause]}


def landed_json(record: TransactionRecord, whole: Whole, config: Config, encoding: str) -> dict[str, Any]:
    """A transaction as getTransaction has it; raises Refusal for a version that the client doesn't know."""
    found = transaction_json(record, whole, config, encoding)
    return {"slot": record.slot, "blockTime": record.time, **found}


def transaction_json(
    record: TransactionRecord, whole: Whole, config: Config, encoding: str
) -> dict[str, Any]:
    """A transaction as a block has it."""
    transaction = whole.transaction()
    number = transaction.version()
    version: Any = "legacy" if number == Legacy.Legacy else number
    known = "maxSupportedTransactionVersion" in config
    if version != "legacy" and not known:
        raise Refusal(
            UNSUPPORTED_VERSION,
            f"Transaction version ({version}) is not supported by the requesting client. Please try the "
            "request again with the following configuration parameter: "
            f'"maxSupportedTransactionVersion": {version}',
        )
    keys = [*transaction.message.account_keys, *whole.writable, *whole.readonly]
    parsed = encoding == "jsonParsed"
    answer: dict[str, Any] = {
        "transaction": _encoded(whole, keys, encoding),
        "meta": meta_json(record, whole, keys, parsed=parsed),
    }
    if known:
        answer["version"] = version
    return answer


def meta_json(
    record: TransactionRecord, whole: Whole, keys: Sequence[Pubkey], *, parsed: bool
) -> dict[str, Any]:
    """What came of a transaction."""
    error = whole.error
    meta: dict[str, Any] = {
        "err": error,
        "status": {"Ok": None} if error is None else {"Err": error},
        "fee": record.fee,
        "preBalances": list(whole.before),
        "postBalances": list(whole.after),
        "innerInstructions": inner_json(record.inner, whole.calls, keys, parsed=parsed),
        "logMessages": list(record.logs),
        "preTokenBalances": [
            _token_json(each, each.before) for each in whole.tokens if each.before is not None
        ],
        "postTokenBalances": [
            _token_json(each, each.after) for each in whole.tokens if each.after is not None
        ],
        "rewards": [],
        "computeUnitsConsumed": record.compute_units,
    }
    if not parsed:
        meta["loadedAddresses"] = {
            "writable": [str(each) for each in whole.writable],
            "readonly": [str(each) for each in whole.readonly],
        }
    if whole.returned:
        meta["returnData"] = returned_json(whole.returned)
    return meta


def returned_json(returned: tuple[Pubkey, bytes] | None) -> Any:
    """What a program returned."""
    if returned is None:
        return None
    program, data = returned
    return {"programId": str(program), "data": [b64encode(data).decode(), "base64"]}


def inner_json(
    inner: Sequence[InnerInstruction], calls: dict[int, bytes], keys: Sequence[Pubkey], *, parsed: bool
) -> list[Any]:
    """The calls that programs made, under the instructions that they happened under."""
    groups: dict[int, list[Any]] = {}
    places = {key: place for place, key in reversed(list(enumerate(keys)))}
    for at, call in enumerate(inner):
        data = calls.get(at, call.data)
        if parsed:
            shown = instructions.shown(call.program, call.accounts, data, call.stack_height)
        else:
            shown = {
                "programIdIndex": places[call.program],
                "accounts": [places[each] for each in call.accounts],
                "data": base58.b58encode(data).decode(),
                "stackHeight": call.stack_height,
            }
        groups.setdefault(call.outer, []).append(shown)
    return [{"index": outer, "instructions": found} for outer, found in groups.items()]


def memo_of(record: TransactionRecord, chain: EmbeddedChain) -> str | None:
    """What was written with the memo programs, as lists of transactions have it."""
    if not any(each in MEMOS for each in record.programs):
        return None
    whole = chain.whole(record.signature)
    if whole is None:
        return None
    calls = zip(whole.transaction().message.instructions, record.programs, strict=True)
    found = [bytes(each.data) for each, program in calls if program in MEMOS]
    return "; ".join(f"[{len(each)}] {each.decode(errors='replace')}" for each in found)


def _encoded(whole: Whole, keys: Sequence[Pubkey], encoding: str) -> Any:
    if encoding == "base64":
        return [b64encode(whole.wire).decode(), encoding]
    if encoding in ("base58", "binary"):
        text = base58.b58encode(whole.wire).decode()
        return text if encoding == "binary" else [text, encoding]
    transaction = whole.transaction()
    message = transaction.message
    shown = _parsed_message(message, keys) if encoding == "jsonParsed" else _message(message)
    return {"signatures": [str(each) for each in transaction.signatures], "message": shown}


def _message(message: AnyMessage) -> dict[str, Any]:
    header = message.header
    found: dict[str, Any] = {
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "accountKeys": [str(each) for each in message.account_keys],
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            {
                "programIdIndex": each.program_id_index,
                "accounts": list(each.accounts),
                "data": base58.b58encode(bytes(each.data)).decode(),
                "stackHeight": OUTERMOST,
            }
            for each in message.instructions
        ],
    }
    return found | _lookups(message)


def _parsed_message(message: AnyMessage, keys: Sequence[Pubkey]) -> dict[str, Any]:
    own = len(message.account_keys)
    looked_up = sum(len(each.writable_indexes) for each in _tables(message))
    found: dict[str, Any] = {
        "accountKeys": [
            {
                "pubkey": str(key),
                "writable": is_writable(message, at) if at < own else at < own + looked_up,
                "signer": at < message.header.num_required_signatures,
                "source": "transaction" if at < own else "lookupTable",
            }
            for at, key in enumerate(keys)
        ],
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            instructions.shown(
                keys[each.program_id_index], [keys[i] for i in each.accounts], bytes(each.data), OUTERMOST
            )
            for each in message.instructions
        ],
    }
    return found | _lookups(message)


def _tables(message: AnyMessage) -> list[Any]:
    return list(message.address_table_lookups) if isinstance(message, MessageV0) else []


def _lookups(message: AnyMessage) -> dict[str, Any]:
    if not isinstance(message, MessageV0):
        return {}
    lookups = [
        {
            "accountKey": str(each.account_key),
            "writableIndexes": list(each.writable_indexes),
            "readonlyIndexes": list(each.readonly_indexes),
        }
        for each in message.address_table_lookups
    ]
    return {"addressTableLookups": lookups}


def _token_json(balance: TokenBalance, amount: int) -> dict[str, Any]:
    return {
        "accountIndex": balance.place,
        "mint": str(balance.mint),
        "uiTokenAmount": amount_json(amount, balance.decimals),
        "owner": str(balance.owner),
        "programId": str(balance.program),
    }
