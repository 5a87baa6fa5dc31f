"""What a node's refusals mean: by the codes of Agave (``custom_error.rs``) and of those who sell nodes."""

from __future__ import annotations

import re
from enum import Enum, auto


class Meaning(Enum):
    """What is to be done about an answer that is an error."""

    LIMITED = auto()
    """Too many calls of this method: all of them wait."""
    AGAIN = auto()
    """The node can't tell now; it, or the next one behind the same URL, soon can."""
    REFUSED = auto()
    """The node said no; another one may say yes."""


UNSUPPORTED_VERSION = -32015
"""A transaction is of a higher version than was asked for."""
BEHIND = -32016
"""The node hasn't come as far as the slot that was asked for."""

MEANINGS = {
    429: Meaning.LIMITED,  # the HTTP status again, as QuickNode and others write it into an answer
    -32429: Meaning.LIMITED,  # Helius
    -32000: Meaning.AGAIN,  # "server error", without saying which
    -32603: Meaning.AGAIN,  # internal error: the node's own fault
    -32004: Meaning.AGAIN,  # a block that isn't there yet
    -32005: Meaning.AGAIN,  # the node is behind the others, or doesn't know; elsewhere it means a limit
    -32012: Meaning.AGAIN,  # a scan of accounts was cut short
    -32014: Meaning.AGAIN,  # a block whose transactions are still being written
    BEHIND: Meaning.AGAIN,
    -32017: Meaning.AGAIN,  # while an epoch's rewards are paid
    -32019: Meaning.AGAIN,  # the store of old transactions didn't answer
    -32020: Meaning.AGAIN,  # the signature to start from isn't there: the node is behind, or forgot it
    -32001: Meaning.REFUSED,  # a block that was cleaned up: a node with a longer history has it
    -32002: Meaning.REFUSED,  # a transaction failed before it was sent
    -32003: Meaning.REFUSED,  # a wrong signature
    -32006: Meaning.REFUSED,  # a wrong signature in an instruction
    -32007: Meaning.REFUSED,  # no block was made in this slot, or it lies before the node's first one
    -32008: Meaning.REFUSED,  # no snapshot
    -32009: Meaning.REFUSED,  # no block in the store of old ones
    -32010: Meaning.REFUSED,  # accounts of this program aren't served
    -32011: Meaning.REFUSED,  # no history is served
    -32013: Meaning.REFUSED,  # another number of signatures than the message needs
    UNSUPPORTED_VERSION: Meaning.REFUSED,
    -32018: Meaning.REFUSED,  # rewards of a slot that ends no epoch
    -32021: Meaning.REFUSED,  # no history of slots
    -32052: Meaning.REFUSED,  # Ankr: the key isn't for this chain
    -32600: Meaning.REFUSED,  # no request
    -32601: Meaning.REFUSED,  # no such method
    -32602: Meaning.REFUSED,  # wrong parameters
    -32700: Meaning.REFUSED,  # no JSON
}
"""By code. A code that isn't here is a refusal, in whatever words the node has for it."""

IN_WORDS = re.compile(r"too many requests|rate.?limit|request limit", re.IGNORECASE)
"""Those who sell nodes agree on no code for a limit, but on the words; Agave has no error with them."""


def of_code(code: object, message: object) -> Meaning:
    """What the code and the words of a JSON-RPC error mean, of whatever types they are."""
    if isinstance(message, str) and IN_WORDS.search(message):
        return Meaning.LIMITED
    return MEANINGS.get(code, Meaning.REFUSED) if type(code) is int else Meaning.REFUSED
