"""Chains and programs: one protocol for the embedded chain and for RPC nodes, one codec for all IDLs.

The two kinds of chain are not here, but in :mod:`keeper.chain.embedded` and :mod:`keeper.chain.rpc`: rules
that read accounts do without the VM and without the RPC client.
"""

from keeper.chain.errors import ChainError, ChainUnreachable, TransactionExpired, TransactionFailed
from keeper.chain.program import Event, Program
from keeper.chain.protocol import Chain, ChainReader
from keeper.chain.records import (
    Account,
    Blockhash,
    Clock,
    Commitment,
    Head,
    InnerInstruction,
    Listed,
    Memcmp,
    Tip,
    TransactionRecord,
    TransactionStatus,
)
from keeper.chain.signer import Signer, SigningFailed

__all__ = [
    "Account",
    "Blockhash",
    "Chain",
    "ChainError",
    "ChainReader",
    "ChainUnreachable",
    "Clock",
    "Commitment",
    "Event",
    "Head",
    "InnerInstruction",
    "Listed",
    "Memcmp",
    "Program",
    "Signer",
    "SigningFailed",
    "Tip",
    "TransactionExpired",
    "TransactionFailed",
    "TransactionRecord",
    "TransactionStatus",
]
