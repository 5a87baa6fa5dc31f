"""A JSON-RPC node over HTTP in front of an embedded chain: what RpcChain's tests talk to.

It answers in the shapes of Solana's own node, refuses what that refuses, and has faults to switch on.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import base58
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.sysvar import CLOCK
from solders.transaction import VersionedTransaction

from keeper.chain import Commitment, TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.heads import APART
from keeper.chain.rpc import RpcChain
from tests.keeper.chain.http_node import HttpNode
from tests.keeper.chain.mischief import Limit
from tests.keeper.chain.reply import Between, Reply
from tests.keeper.chain.rpc_shapes import Json, account_json, error_json, inner_json, transaction_json

HASH_LIFE = 150
"""Blocks for which a blockhash stays valid."""
MAX_ACCOUNTS = 100
MAX_SIGNATURES = 1_000
MAX_TRANSACTION = 1_232
INVALID_PARAMS = -32602
SIGNATURE_FAILURE = -32003
METHOD_NOT_FOUND = -32601
NOT_AVAILABLE = -32004
SKIPPED = -32007
UNSUPPORTED_VERSION = -32015
MIN_CONTEXT_SLOT = -32016
MAX_STATUSES = 256
HTTP_OK = 200


class RpcRefusal(Exception):
    """A JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Json = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


@dataclass
class Faults:
    """What goes wrong: each is off by default."""

    drop: bool = False
    """Transactions are accepted and never included."""
    late: bool = False
    """Transactions are included only when the block height is asked for."""
    blocks_per_question: int = 0
    """How far the block height runs each time it is asked for."""
    hidden_answers: int = 0
    """How many times a transaction that landed is not found yet."""
    forgetful: bool = False
    """Transactions are listed and not found."""
    timeless: bool = False
    """No transaction and no block has a time."""
    history_from: int = 0
    """The slot from which on the node has blocks."""
    unrecorded: bool = False
    """No transaction has its inner instructions."""
    heightless: bool = False
    """No call has its stack height."""
    logless: bool = False
    """No transaction has its logs."""
    version: int | str = 0
    """The version of every transaction."""
    calls: int | None = None
    """How many calls of a method are answered in ``window`` seconds; others have HTTP status 429."""
    window: float = 0.5
    status: int = 200
    """The HTTP status of every answer."""
    garbage: bool = False
    """Every answer is a web page."""
    finality_lag: int = 0
    """Slots that the finalized one is behind."""
    forked_out: set[Signature] = field(default_factory=set)
    """Transactions that the chain dropped again."""
    unlisted: Callable[[TransactionRecord], bool] | None = None
    """Says of each transaction, each time, whether a list leaves it out; otherwise the node has it."""
    knows_positions: bool = True
    """Lists have each transaction's index in its block, as nodes have done since version 3."""
    fees: list[int] = field(default_factory=list)
    """What getRecentPrioritizationFees tells."""


class RpcNode(HttpNode):
    """Serves ``chain``, which must not verify signatures: the node does, but for simulations.

    A blockhash lives for HASH_LIFE blocks here, and what has landed doesn't land again: the node looks
    after both, and lets the chain execute everything under its own newest blockhash.
    """

    def __init__(self, chain: EmbeddedChain, mischief: Between | None = None) -> None:
        super().__init__(mischief)
        self.chain = chain
        self.faults = Faults()
        self.calls: list[tuple[str, list[Json]]] = []
        self._landed: dict[Signature, tuple[VersionedTransaction, TransactionRecord]] = {}
        self._waiting: list[VersionedTransaction] = []
        self._blocks_ahead = 0
        self._hashes: dict[Hash, int] = {}
        self._limit: Limit | None = None
        self.limited = 0
        """Calls that were more than may be."""
        self._execute = chain.submit
        chain.submit = self._keep  # type: ignore[method-assign]  # whoever acts on the chain, the node sees it

    def execute(self, instructions: Sequence[Instruction], signers: Sequence[Keypair]) -> TransactionRecord:
        """Execute a transaction of somebody who talks to another node."""
        blockhash = self.chain.latest_blockhash()
        message = MessageV0.try_compile(signers[0].pubkey(), list(instructions), [], blockhash)
        return self.chain.submit(VersionedTransaction(message, list(signers)))

    # -- HTTP --------------------------------------------------------------------------------

    async def _reply(self, body: bytes) -> Reply:
        if self.faults.garbage:
            return Reply(b"<html>down</html>", self.faults.status)
        if self._is_too_much(json.loads(body)["method"]):
            self.limited += 1
            return Reply(b"Too many requests for a specific RPC call", 429)
        reply = await super()._reply(body)
        return reply if self.faults.status == HTTP_OK else reply._replace(status=self.faults.status)

    def _is_too_much(self, method: str) -> bool:
        if self.faults.calls is None:
            return False
        if self._limit is None:
            self._limit = Limit(self.faults.calls, self.faults.window)
        return self._limit.is_too_much(method)

    async def _answer(self, body: bytes) -> bytes:
        question = json.loads(body)
        method, parameters = question["method"], question.get("params", [])
        self.calls.append((method, parameters))
        answer: Json = {"jsonrpc": "2.0", "id": question["id"]}
        try:
            handler = getattr(self, f"_rpc_{method}", None)
            if handler is None:
                raise RpcRefusal(METHOD_NOT_FOUND, "Method not found")
            answer["result"] = await handler(*parameters)
        except RpcRefusal as refusal:
            answer["error"] = {"code": refusal.code, "message": str(refusal), "data": refusal.data}
        return json.dumps(answer).encode()

    # -- accounts ----------------------------------------------------------------------------

    async def _rpc_getHealth(self) -> Json:
        return "ok"

    async def _rpc_getVersion(self) -> Json:
        return {"solana-core": "4.1.1", "feature-set": 1}

    async def _rpc_getGenesisHash(self) -> Json:
        return await self.chain.genesis_hash()

    async def _rpc_getAccountInfo(self, address: str, config: Json) -> Json:
        found = self.chain.get(Pubkey.from_string(address))
        if address == str(CLOCK) and config["commitment"] == "finalized" and found is not None:
            # That of the final bank, which has another than the newest.
            final = self._final_slot().to_bytes(8, "little")
            found = replace(found, data=final + found.data[8:])
        return await self._in_context(account_json(found))

    async def _rpc_getMultipleAccounts(self, addresses: list[str], config: Json) -> Json:
        if len(addresses) > MAX_ACCOUNTS:
            raise RpcRefusal(INVALID_PARAMS, f"Too many inputs provided; max {MAX_ACCOUNTS}")
        keys = [Pubkey.from_string(address) for address in addresses]
        return await self._in_context([account_json(self.chain.get(key)) for key in keys])

    async def _rpc_getProgramAccounts(self, program: str, config: Json) -> Json:
        assert config["encoding"] == "base64"
        found = await self.chain.program_accounts(Pubkey.from_string(program))
        filters = config.get("filters") or []
        self._require_slot(config, self._slot())
        accounts = [
            {"pubkey": str(address), "account": account_json(account)}
            for address, account in found.items()
            if all(_passes(account.data, each) for each in filters)
        ]
        return await self._in_context(accounts) if config.get("withContext") else accounts

    # -- transactions --------------------------------------------------------------------------

    async def _rpc_getLatestBlockhash(self, config: Json) -> Json:
        return await self._in_context(self._blockhash_json(await self._height()))

    async def _rpc_getSlot(self, config: Json) -> Json:
        return self._final_slot() if config["commitment"] == "finalized" else self._slot()

    async def _rpc_getEpochInfo(self, config: Json) -> Json:
        for transaction in self._waiting:
            self._include(transaction)
        self._waiting.clear()
        self._blocks_ahead += self.faults.blocks_per_question
        slot = self._final_slot() if config["commitment"] == "finalized" else self._slot()
        return {
            "absoluteSlot": slot,
            "blockHeight": await self._height(),
            "epoch": 0,
            "slotIndex": slot,
            "slotsInEpoch": 432_000,
            "transactionCount": len(self.chain.transactions()),
        }

    async def _rpc_sendTransaction(self, encoded: str, config: Json) -> Json:
        transaction = _transaction(encoded, config)
        if not all(transaction.verify_with_results()):
            raise RpcRefusal(SIGNATURE_FAILURE, "Transaction signature verification failure")
        if self.faults.late:
            self._waiting.append(transaction)
        elif not self.faults.drop:
            self._include(transaction)
        return str(transaction.signatures[0])

    async def _rpc_simulateTransaction(self, encoded: str, config: Json) -> Json:
        transaction = _transaction(encoded, config)
        assert config["replaceRecentBlockhash"]
        assert not config["sigVerify"]
        message = transaction.message
        assert isinstance(message, MessageV0)
        assert message.recent_blockhash == Hash.default()
        message = MessageV0(
            message.header, message.account_keys, self.chain.latest_blockhash(), message.instructions, []
        )
        record = self.chain.rehearse(VersionedTransaction.populate(message, transaction.signatures))
        value = {
            "err": error_json(record),
            "logs": list(record.logs),
            "accounts": None,
            "unitsConsumed": record.compute_units,
            "returnData": None,
            "innerInstructions": None,
            "replacementBlockhash": self._blockhash_json(await self._height()),
        }
        return await self._in_context(value)

    async def _rpc_getSignaturesForAddress(self, address: str, config: Json) -> Json:
        limit = config.get("limit") or MAX_SIGNATURES
        if limit > MAX_SIGNATURES:
            raise RpcRefusal(INVALID_PARAMS, f"Invalid limit; max {MAX_SIGNATURES}")
        final = self._final_slot()
        wanted = final if config["commitment"] == "finalized" else self._slot()
        self._require_slot(config, wanted)
        records = [
            record
            for record in (await self.chain.history(Pubkey.from_string(address)))[::-1]
            if record.slot <= wanted and record.signature not in self.faults.forked_out
        ]
        names = [str(record.signature) for record in records]
        start = names.index(config["before"]) + 1 if config.get("before") else 0
        end = names.index(config["until"]) if config.get("until") in names else len(names)
        unlisted = self.faults.unlisted
        found = [record for record in records[start:end] if not (unlisted and unlisted(record))]
        return [
            {
                "signature": str(record.signature),
                "slot": record.slot,
                "err": error_json(record),
                "memo": None,
                "blockTime": record.time,
                "confirmationStatus": "finalized" if record.slot <= final else "confirmed",
                **({"transactionIndex": 0} if self.faults.knows_positions else {}),
            }
            for record in found[:limit]
        ]

    async def _rpc_getTransaction(self, signature: str, config: Json) -> Json:
        assert config["encoding"] == "json"
        found = self._landed.get(Signature.from_string(signature))
        if found is None or self.faults.forgetful or found[1].signature in self.faults.forked_out:
            return None
        if self.faults.hidden_answers:
            self.faults.hidden_answers -= 1
            return None
        version = self.faults.version
        if isinstance(version, int) and version > config["maxSupportedTransactionVersion"]:
            raise RpcRefusal(
                UNSUPPORTED_VERSION,
                f"Transaction version ({version}) is not supported by the requesting client.",
            )
        transaction, record = found
        error = error_json(record)
        return {
            "slot": record.slot,
            "blockTime": None if self.faults.timeless else record.time,
            "version": version,
            "transaction": transaction_json(transaction, version),
            "meta": {
                "err": error,
                "status": {"Ok": None} if error is None else {"Err": error},
                "fee": record.fee,
                "preBalances": [],
                "postBalances": [],
                "innerInstructions": None
                if self.faults.unrecorded
                else inner_json(
                    record.inner, transaction.message.account_keys, heights=not self.faults.heightless
                ),
                "logMessages": None if self.faults.logless else list(record.logs),
                "preTokenBalances": [],
                "postTokenBalances": [],
                "rewards": [],
                "loadedAddresses": {"writable": [], "readonly": []},
                "computeUnitsConsumed": record.compute_units,
            },
        }

    async def _rpc_getBlock(self, slot: int, config: Json) -> Json:
        assert config["rewards"] is False
        block: Json = {"previousBlockhash": str(Hash.default()), "blockHeight": slot}
        if config["transactionDetails"] == "signatures":
            signatures = [each for each in await self.chain.block(slot) if each not in self.faults.forked_out]
            block |= {"blockhash": str(Hash.default()), "parentSlot": slot - 1, "blockTime": None}
            return block | {"signatures": [str(each) for each in signatures]}
        assert config["transactionDetails"] == "none"
        head = await self.chain.head(slot, Commitment.CONFIRMED)
        if head is None or head.slot > slot:
            raise RpcRefusal(SKIPPED, f"Slot {slot} was skipped, or missing in long-term storage")
        if head.slot > (self._final_slot() if config["commitment"] == "finalized" else self._slot()):
            raise RpcRefusal(NOT_AVAILABLE, f"Block not available for slot {slot}")
        return block | {
            "blockhash": str(Hash(head.blockhash)),
            "parentSlot": max(0, head.slot - APART),
            "blockTime": None if self.faults.timeless else head.time,
        }

    async def _rpc_getBlocksWithLimit(self, start: int, limit: int, config: Json) -> Json:
        """As Agave: where history begins later than ``start``, from there on, without saying so."""
        newest = self._final_slot() if config["commitment"] == "finalized" else self._slot()
        first = -(-max(start, self.faults.history_from) // APART) * APART
        return list(range(first, newest + 1, APART))[:limit]

    async def _rpc_getSignatureStatuses(self, signatures: list[str], config: Json) -> Json:
        assert config["searchTransactionHistory"]
        if len(signatures) > MAX_STATUSES:
            raise RpcRefusal(INVALID_PARAMS, f"Too many inputs provided; max {MAX_STATUSES}")
        return await self._in_context([self._status_json(Signature.from_string(each)) for each in signatures])

    async def _rpc_getRecentPrioritizationFees(self, addresses: list[str]) -> Json:
        slot = self._slot()
        return [{"slot": slot, "prioritizationFee": fee} for fee in self.faults.fees]

    # -- inside --------------------------------------------------------------------------------

    def _include(self, transaction: VersionedTransaction) -> None:
        """Execute what may land: signed for a living blockhash, and not landed before."""
        message = transaction.message
        assert isinstance(message, MessageV0)
        if transaction.signatures[0] in self._landed:
            return
        if self._slot() + self._blocks_ahead > self._hashes.get(message.recent_blockhash, 0):
            return
        current = MessageV0(
            message.header, message.account_keys, self.chain.latest_blockhash(), message.instructions, []
        )
        self.chain.submit(VersionedTransaction.populate(current, transaction.signatures))

    def _keep(self, transaction: VersionedTransaction) -> TransactionRecord:
        record = self._execute(transaction)
        if record.fee:
            self._landed[record.signature] = (transaction, record)
        return record

    def _slot(self) -> int:
        return self.chain.newest_slot()

    def _final_slot(self) -> int:
        return max(0, self._slot() - self.faults.finality_lag)

    def _require_slot(self, config: Json, slot: int) -> None:
        if (config.get("minContextSlot") or 0) > slot:
            raise RpcRefusal(
                MIN_CONTEXT_SLOT, "Minimum context slot has not been reached", {"contextSlot": slot}
            )

    def _status_json(self, signature: Signature) -> Json:
        if signature not in self._landed or signature in self.faults.forked_out:
            return None
        record = self._landed[signature][1]
        error = error_json(record)
        return {
            "slot": record.slot,
            "confirmations": None if record.slot <= self._final_slot() else 1,
            "status": {"Ok": None} if error is None else {"Err": error},
            "err": error,
            "confirmationStatus": "finalized" if record.slot <= self._final_slot() else "confirmed",
        }

    async def _height(self) -> int:
        return self._slot() + self._blocks_ahead

    def _blockhash_json(self, height: int) -> Json:
        blockhash = Hash.hash(height.to_bytes(8, "little"))
        self._hashes[blockhash] = height + HASH_LIFE
        return {"blockhash": str(blockhash), "lastValidBlockHeight": height + HASH_LIFE}

    async def _in_context(self, value: Json) -> Json:
        return {"context": {"apiVersion": "3.0.0", "slot": self._slot()}, "value": value}


def _transaction(encoded: str, config: Json) -> VersionedTransaction:
    assert config["encoding"] == "base64"
    raw = base64.b64decode(encoded, validate=True)
    if len(raw) > MAX_TRANSACTION:
        raise RpcRefusal(
            INVALID_PARAMS, f"base64 encoded transaction too large: {len(raw)} bytes (max: {MAX_TRANSACTION})"
        )
    return VersionedTransaction.from_bytes(raw)


def _passes(data: bytes, criterion: Json) -> bool:
    if "dataSize" in criterion:
        return len(data) == int(criterion["dataSize"])
    memcmp = criterion["memcmp"]
    return data[memcmp["offset"] :].startswith(base58.b58decode(memcmp["bytes"]))


@asynccontextmanager
async def through(node: RpcNode) -> AsyncIterator[RpcChain]:
    """The chain behind a node, which runs meanwhile."""
    await node.start()
    chain = RpcChain(node.url)
    try:
        yield chain
    finally:
        await chain.close()
        await node.stop()
