"""Chains and programs: one protocol for the embedded chain and for RPC nodes, one codec for all IDLs.

:class:`keeper.chain.rpc.RpcChain` is not here: what asks no node does without the RPC client.
"""

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.program import Event, Program
from keeper.chain.protocol import (
    Account,
    Blockhash,
    Chain,
    ChainError,
    ChainUnreachable,
    Clock,
    Commitment,
    InnerInstruction,
    Listed,
    Memcmp,
    Status,
    TransactionExpired,
    TransactionFailed,
    TransactionRecord,
)
from keeper.chain.signer import Signer, SigningFailed

__all__ = [
    "Account",
    "Blockhash",
    "Chain",
    "ChainError",
    "ChainUnreachable",
    "Clock",
    "Commitment",
    "EmbeddedChain",
    "Event",
    "InnerInstruction",
    "Listed",
    "Memcmp",
    "Program",
    "Signer",
    "SigningFailed",
    "Status",
    "TransactionExpired",
    "TransactionFailed",
    "TransactionRecord",
]
