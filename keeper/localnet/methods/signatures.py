"""What became of transactions."""

from __future__ import annotations

from typing import Any

from keeper.chain.records import TransactionRecord
from keeper.localnet.methods.registry import method
from keeper.localnet.node import Node
from keeper.localnet.parameters import Config, Parameters, signature
from keeper.localnet.refusal import invalid
from keeper.localnet.transactions import ENCODINGS, error_json, landed_json, memo_of

MAX_STATUSES, MAX_SIGNATURES = 256, 1_000


@method("getTransaction")
def get_transaction(node: Node, parameters: Parameters) -> Any:
    """A transaction with its balances, logs and calls, in json, jsonParsed, base64 or base58."""
    value = parameters.get(1)
    config = parameters.config(1) if not isinstance(value, str) else Config({"encoding": value}, node.slot)
    config.confirmed()
    encoding = config.text("encoding", "json", ENCODINGS)
    record = _known(node, node.chain.kept.find(parameters.signature(0)))
    whole = node.chain.whole(record.signature) if record else None
    # One that an earlier version saved has no bytes: null, as a node without so long a history has it.
    return landed_json(record, whole, config, encoding) if record and whole else None


@method("getSignatureStatuses")
def get_signature_statuses(node: Node, parameters: Parameters) -> Any:
    """Where transactions are, and how they ended; all that landed is final."""
    parameters.config(1)
    names = parameters.needed(0)
    if isinstance(names, list) and len(names) > MAX_STATUSES:
        raise invalid(f"Too many inputs provided; max {MAX_STATUSES}")
    found = [node.chain.kept.find(signature(each)) for each in parameters.texts(0, MAX_STATUSES)]
    return node.in_context([_status(node, _known(node, each)) for each in found])


@method("getSignaturesForAddress")
def get_signatures_for_address(node: Node, parameters: Parameters) -> Any:
    """The transactions that name an address, newest first."""
    config = parameters.config(1)
    config.confirmed()
    limit = config.number("limit", MAX_SIGNATURES)
    if not 0 < limit <= MAX_SIGNATURES:
        raise invalid(f"Invalid limit; max {MAX_SIGNATURES}")
    before, until = (
        signature(config.content[name]) if name in config else None for name in ("before", "until")
    )
    page = node.chain.kept.page(parameters.address(0), node.slot, before=before, until=until, limit=limit)
    return [_listed(node, each) for each in page]


def _listed(node: Node, record: TransactionRecord) -> dict[str, Any]:
    whole = node.chain.whole(record.signature) if record.error is not None else None
    return {
        "signature": str(record.signature),
        "slot": record.slot,
        "err": error_json(record, whole),
        "memo": memo_of(record, node.chain),
        "blockTime": record.time,
        "confirmationStatus": "finalized",
        "transactionIndex": 0,
    }


def _status(node: Node, record: TransactionRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    error = error_json(record, node.chain.whole(record.signature)) if record.error else None
    return {
        "slot": record.slot,
        "confirmations": None,
        "status": {"Ok": None} if error is None else {"Err": error},
        "err": error,
        "confirmationStatus": "finalized",
    }


def _known(node: Node, record: TransactionRecord | None) -> TransactionRecord | None:
    """None for one that a node which is behind doesn't have yet."""
    return record if record and record.slot <= node.slot else None
