"""Chains and programs: one protocol for the embedded chain and for RPC nodes, one codec for all IDLs."""

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.program import Event, Program
from keeper.chain.protocol import (
    Account,
    Chain,
    ChainError,
    ChainUnreachable,
    Clock,
    InnerInstruction,
    Memcmp,
    TransactionExpired,
    TransactionFailed,
    TransactionRecord,
)
from keeper.chain.rpc import RpcChain

__all__ = [
    "Account",
    "Chain",
    "ChainError",
    "ChainUnreachable",
    "Clock",
    "EmbeddedChain",
    "Event",
    "InnerInstruction",
    "Memcmp",
    "Program",
    "RpcChain",
    "TransactionExpired",
    "TransactionFailed",
    "TransactionRecord",
]
