"""Many instructions in few transactions."""

from __future__ import annotations

from collections.abc import Sequence

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey

from keeper.chain.framework import MAX_COMPUTE_UNITS

MAX_TRANSACTION_BYTES = 1_232
"""What fits into a network packet."""
_SIGNATURE = 64


def size(instructions: Sequence[Instruction], payer: Pubkey) -> int:
    """Bytes of a transaction of these instructions, with the compute limit and the price it lands with."""
    limited = [*instructions, set_compute_unit_limit(MAX_COMPUTE_UNITS), set_compute_unit_price(0)]
    message = MessageV0.try_compile(payer, limited, [], Hash.default())
    return 1 + _SIGNATURE * message.header.num_required_signatures + len(to_bytes_versioned(message))


def pack(groups: Sequence[Sequence[Instruction]], payer: Pubkey) -> list[range]:
    """Cut a sequence into runs that each fit into a transaction, in its order; returns their positions.

    A group's instructions stay together.
    """
    runs: list[range] = []
    start = 0
    for end in range(1, len(groups) + 1):
        if end - start > 1 and not _fit(groups[start:end], payer):
            runs.append(range(start, end - 1))
            start = end - 1
    if start < len(groups):
        runs.append(range(start, len(groups)))
    return runs


def _fit(groups: Sequence[Sequence[Instruction]], payer: Pubkey) -> bool:
    return size([each for group in groups for each in group], payer) <= MAX_TRANSACTION_BYTES
