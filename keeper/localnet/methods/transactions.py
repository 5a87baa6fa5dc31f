"""Transactions: blockhashes to sign with, trying them, sending them, and SOL to pay for them."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import base58
from solders.hash import Hash
from solders.message import from_bytes_versioned
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from keeper.chain.executed import Trial
from keeper.chain.packing import MAX_TRANSACTION_BYTES
from keeper.localnet.accounts import account_json
from keeper.localnet.methods.accounts import MAX_ACCOUNTS, address
from keeper.localnet.methods.registry import method
from keeper.localnet.node import Node
from keeper.localnet.parameters import Config, Parameters
from keeper.localnet.refusal import BAD_SIGNATURE, PREFLIGHT, Refusal, invalid, words
from keeper.localnet.ring import HASH_LIFE
from keeper.localnet.transactions import inner_json, returned_json

KIND = "solana_transaction::versioned::VersionedTransaction"
"""What the node calls a transaction in its refusals."""
ENCODINGS = "base58", "base64"
LONGEST = {"base58": 1_683, "base64": 1_644}
"""Letters that a packet takes in each."""
MAX_AIRDROP = 10**18


@method("getLatestBlockhash")
def get_latest_blockhash(node: Node, parameters: Parameters) -> Any:
    """What the next transaction names, and up to which block height."""
    parameters.config(0)
    if node.faults.expires():
        stale = node.chain.hash_at(0)
        return node.in_context({"blockhash": str(stale), "lastValidBlockHeight": node.height})
    return node.in_context(_latest(node))


@method("isBlockhashValid")
def is_blockhash_valid(node: Node, parameters: Parameters) -> Any:
    """Whether a transaction may still name a blockhash."""
    parameters.config(1)
    try:
        blockhash = Hash.from_string(parameters.text(0))
    except Exception as error:  # solders' own error isn't a ValueError here
        raise invalid(f"Invalid param: {error}") from error
    return node.in_context(node.chain.last_height(blockhash) is not None)


@method("getFeeForMessage")
def get_fee_for_message(node: Node, parameters: Parameters) -> Any:
    """What a message would pay, lamports; null when its blockhash is too old."""
    parameters.config(1)
    data = _bytes(parameters.text(0), "base64")
    try:
        message = from_bytes_versioned(data)
    except ValueError as error:
        raise invalid(f"failed to deserialize solana_message::versions::VersionedMessage: {error}") from error
    if node.chain.last_height(message.recent_blockhash) is None:
        return node.in_context(None)
    blank = [Signature.default()] * message.header.num_required_signatures
    return node.in_context(node.chain.trial(VersionedTransaction.populate(message, blank)).fee)


@method("simulateTransaction")
def simulate_transaction(node: Node, parameters: Parameters) -> Any:
    """What would come of a transaction, signed or not."""
    config = parameters.config(1)
    transaction = _transaction(parameters.text(0), config)
    verifies, replaces = config.flag("sigVerify"), config.flag("replaceRecentBlockhash")
    if verifies and replaces:
        raise invalid("sigVerify may not be used with replaceRecentBlockhash")
    if verifies and not all(transaction.verify_with_results()):
        raise Refusal(BAD_SIGNATURE, "Transaction signature verification failure")
    trial = node.chain.trial(transaction, checked=not replaces)
    value = _trial_json(node, transaction, trial, inner=config.flag("innerInstructions"))
    value["accounts"] = _accounts(node, trial, config)
    if replaces:
        value["replacementBlockhash"] = _latest(node)
    return node.in_context(value)


@method("sendTransaction")
async def send_transaction(node: Node, parameters: Parameters) -> Any:
    """Execute a transaction, unless a trial of it fails; answers its signature."""
    config = parameters.config(1)
    transaction = _transaction(parameters.text(0), config)
    if not config.flag("skipPreflight"):
        if not all(transaction.verify_with_results()):
            raise Refusal(BAD_SIGNATURE, "Transaction signature verification failure")
        trial = node.chain.trial(transaction, checked=True)
        if trial.error is not None:
            raise Refusal(
                PREFLIGHT,
                f"Transaction simulation failed: {words(trial.error)}",
                _trial_json(node, transaction, trial, inner=False),
            )
    node.send(transaction)
    return str(transaction.signatures[0])


@method("requestAirdrop", on_public=False)
async def request_airdrop(node: Node, parameters: Parameters) -> Any:
    """SOL for nothing, from the faucet, by a transaction."""
    parameters.config(2)
    lamports = parameters.number(1, most=MAX_AIRDROP)
    give = TransferParams(
        from_pubkey=node.faucet.pubkey(), to_pubkey=parameters.address(0), lamports=lamports
    )
    record = node.chain.execute([transfer(give)], [node.faucet])
    if record.error is not None:
        raise Refusal(PREFLIGHT, f"the faucet can't give that: {record.error}")
    return str(record.signature)


def _latest(node: Node) -> dict[str, Any]:
    height = node.chain.last_height(node.chain.latest_blockhash()) or node.chain.height + HASH_LIFE
    return {"blockhash": str(node.chain.latest_blockhash()), "lastValidBlockHeight": height}


def _transaction(text: str, config: Config) -> VersionedTransaction:
    data = _bytes(text, config.text("encoding", "base58", ENCODINGS))
    try:
        transaction = VersionedTransaction.from_bytes(data)
    except ValueError as error:
        raise invalid(f"failed to deserialize {KIND}: {error}") from error
    try:
        transaction.sanitize()
    except Exception as error:  # solders' own error isn't a ValueError here
        raise invalid(
            "invalid transaction: Transaction failed to sanitize accounts offsets correctly"
        ) from error
    return transaction


def _bytes(text: str, encoding: str) -> bytes:
    if len(text) > LONGEST[encoding]:
        raise invalid(
            f"{encoding} encoded {KIND} too large: {len(text)} bytes (max: encoded/raw "
            f"{LONGEST[encoding]}/{MAX_TRANSACTION_BYTES})"
        )
    try:
        data = b64decode(text, validate=True) if encoding == "base64" else base58.b58decode(text)
    except ValueError as error:
        raise invalid(f"invalid {encoding} encoding: {error}") from error
    if len(data) > MAX_TRANSACTION_BYTES:
        raise invalid(f"decoded {KIND} too large: {len(data)} bytes (max: {MAX_TRANSACTION_BYTES} bytes)")
    return data


def _trial_json(
    node: Node, transaction: VersionedTransaction, trial: Trial, *, inner: bool
) -> dict[str, Any]:
    keys = node.chain.keys(transaction)
    return {
        "err": trial.error,
        "logs": list(trial.record.logs),
        "accounts": None,
        "unitsConsumed": trial.record.compute_units,
        "loadedAccountsDataSize": sum(
            len(account.data) for key in keys if (account := node.chain.get(key)) is not None
        ),
        "returnData": returned_json(trial.returned),
        "innerInstructions": inner_json(trial.record.inner, trial.calls, keys, parsed=False)
        if inner
        else None,
        "replacementBlockhash": None,
        "fee": trial.fee,
    }


def _accounts(node: Node, trial: Trial, config: Config) -> Any:
    """Accounts as they would be afterwards, where some are asked for."""
    wanted = config.content.get("accounts")
    if wanted is None:
        return None
    match wanted:
        case {"addresses": list(addresses), **rest} if len(addresses) <= MAX_ACCOUNTS:
            encoding = Config({"encoding": rest.get("encoding")}, node.slot).text(
                "encoding", "base64", ("base64", "base64+zstd", "jsonParsed")
            )
            keys = [address(each) for each in addresses]
        case _:
            raise invalid("Invalid params: `accounts` names `addresses`, and an `encoding`.")
    if trial.error is not None:
        return [None] * len(keys)
    found = [trial.accounts[key] if key in trial.accounts else node.chain.get(key) for key in keys]
    return [account_json(each, encoding, None, node.chain.get) for each in found]
