"""Blocks.

Each transaction has a slot and a block of its own, and every 32nd slot has a block without any, as
:mod:`keeper.chain.heads` says. Only those are what waves and pings are drawn from, and so
``getBlocksWithLimit``, by which :class:`keeper.chain.rpc.RpcChain` asks for them, lists them alone: the file
and this node must name the same ones.
"""

from __future__ import annotations

from typing import Any

from keeper.chain.heads import APART
from keeper.localnet.methods.registry import method
from keeper.localnet.node import Node
from keeper.localnet.parameters import Config, Parameters
from keeper.localnet.refusal import NO_BLOCK, SKIPPED, Refusal, invalid
from keeper.localnet.transactions import ENCODINGS, transaction_json

MAX_RANGE = 500_000
"""Slots that are listed at once."""
DETAILS = "full", "accounts", "signatures", "none"


@method("getBlock")
def get_block(node: Node, parameters: Parameters) -> Any:
    """A slot's block: its transactions whole, their signatures, or none of them."""
    slot = parameters.number(0)
    value = parameters.get(1)
    config = parameters.config(1) if not isinstance(value, str) else Config({"encoding": value}, node.slot)
    config.confirmed()
    details = config.text("transactionDetails", "full", DETAILS)
    encoding = config.text("encoding", "json", ENCODINGS)
    if slot > node.slot:
        raise Refusal(NO_BLOCK, f"Block not available for slot {slot}")
    records = node.chain.kept.block(slot)
    if not records and slot % APART:
        raise Refusal(SKIPPED, f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot")
    parent = _parent(node, slot)
    block: dict[str, Any] = {
        "blockhash": str(node.chain.hash_at(slot)),
        "previousBlockhash": str(node.chain.hash_at(parent)),
        "parentSlot": parent,
        "blockHeight": None,
        "blockTime": records[0].time if records else node.chain.time_at(slot),
    }
    if details == "signatures":
        block["signatures"] = [str(each.signature) for each in records]
    elif details != "none":
        wholes = [(each, node.chain.whole(each.signature)) for each in records]
        found = [(record, whole) for record, whole in wholes if whole is not None]
        block["transactions"] = [transaction_json(*each, config, encoding) for each in found]
        if details == "accounts":
            for each, (record, whole) in zip(block["transactions"], found, strict=True):
                parsed = transaction_json(record, whole, config, "jsonParsed")["transaction"]
                each["transaction"] = {
                    "signatures": parsed["signatures"],
                    "accountKeys": parsed["message"]["accountKeys"],
                }
    if config.content.get("rewards", True):
        block["rewards"] = []
    return block


@method("getBlocks")
def get_blocks(node: Node, parameters: Parameters) -> Any:
    """The slots that have a block, from one up to another."""
    first, second = parameters.number(0), parameters.get(1)
    config = parameters.config(2 if isinstance(second, int) or len(parameters.values) > 2 else 1)  # noqa: PLR2004
    config.confirmed()
    last = min(node.slot, node.slot if not isinstance(second, int) else parameters.number(1))
    if last - first > MAX_RANGE:
        raise invalid(f"Slot range too large; max {MAX_RANGE}")
    made = {record.slot for record in node.chain.kept.between(first, last)}
    return sorted(made.union(range(_next(first), last + 1, APART)))


@method("getBlocksWithLimit")
def get_blocks_with_limit(node: Node, parameters: Parameters) -> Any:
    """The slots of so many blocks that time alone made: every 32nd."""
    limit = parameters.number(1)
    parameters.config(2).confirmed()
    if limit > MAX_RANGE:
        raise invalid(f"Limit too large; max {MAX_RANGE}")
    first = _next(parameters.number(0))
    return list(range(first, min(node.slot, first + (limit - 1) * APART) + 1, APART)) if limit else []


@method("getBlockTime")
def get_block_time(node: Node, parameters: Parameters) -> Any:
    """When a slot was, unix seconds."""
    slot = parameters.number(0)
    if slot > node.slot:
        raise Refusal(NO_BLOCK, f"Block not available for slot {slot}")
    return node.chain.time_at(slot)


@method("getFirstAvailableBlock")
def get_first_available_block(node: Node, parameters: Parameters) -> Any:
    """0: all is kept."""
    return 0


def _next(slot: int) -> int:
    return -(-slot // APART) * APART


def _parent(node: Node, slot: int) -> int:
    """The slot of the block before: for every 32nd the one that was 32 before, see above."""
    before = max(0, (slot - 1) // APART * APART)
    if slot % APART == 0:
        return before
    made = node.chain.kept.between(before, slot - 1)
    return made[-1].slot if made else before
