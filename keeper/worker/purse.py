"""The SOL of a worker's key: proof of work needs none, its own transactions pay their fees from it."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.chain.framework import LAMPORTS, sol
from keeper.chain.landing import LAMPORTS_PER_SIGNATURE

KEPT = 890_880
"""Lamports that an account must keep: the rent of one without data, which no fee may take."""
ENOUGH = LAMPORTS // 100
"""For the worker's own transactions, which accept and end leases and pause: 1,800 of them."""
LITTLE = KEPT + 100 * LAMPORTS_PER_SIGNATURE
"""Below this it is said: a hundred transactions are left at most."""
TOKEN_ACCOUNT = 2_039_280
"""Lamports of rent of a token account: an acceptance opens the payout's where that is missing."""


def needed(*, opens_account: bool) -> int:
    """Lamports that a key must have to accept a lease, without a priority fee."""
    return KEPT + LAMPORTS_PER_SIGNATURE + (TOKEN_ACCOUNT if opens_account else 0)


def advice(key: Pubkey, lamports: int, need: int = ENOUGH) -> str:
    """How much to send where, so that a key has enough for long, and what it ``need``s at once."""
    return f"send {sol(max(ENOUGH, need) - lamports)} SOL to {key}"
