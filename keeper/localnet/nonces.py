"""Durable nonces: a transaction that names an account's value in place of a blockhash never expires."""

from __future__ import annotations

import struct
from collections.abc import Callable

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.chain.records import Account

ADVANCE = struct.pack("<I", 4)
"""The system program's instruction that uses a nonce up; it must be the first."""
_INITIALISED = struct.pack("<I", 1)
_STATE, _VALUE = slice(4, 8), slice(40, 72)
"""Where a nonce account has them: after its version, after its authority."""


def nonce_of(transaction: VersionedTransaction, read: Callable[[Pubkey], Account | None]) -> Hash | None:
    """The value of the nonce account that a transaction advances; None for an ordinary transaction."""
    message = transaction.message
    first = message.instructions[0] if message.instructions else None
    if first is None or bytes(first.data) != ADVANCE or not first.accounts:
        return None
    if message.account_keys[first.program_id_index] != SYSTEM_PROGRAM:
        return None
    place = first.accounts[0]
    account = read(message.account_keys[place]) if place < len(message.account_keys) else None
    if account is None or account.owner != SYSTEM_PROGRAM or account.data[_STATE] != _INITIALISED:
        return None
    return Hash(account.data[_VALUE])
