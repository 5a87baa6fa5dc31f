"""What the node answers, a module for each subject; importing this one makes all of them known."""

from keeper.localnet.methods import accounts, blocks, ionet, network, signatures, tokens, transactions
from keeper.localnet.methods.registry import METHODS, Method

__all__ = [
    "METHODS",
    "Method",
    "accounts",
    "blocks",
    "ionet",
    "network",
    "signatures",
    "tokens",
    "transactions",
]
