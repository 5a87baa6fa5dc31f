"""The merkle tree that a reward block's root is the top of."""

from __future__ import annotations

from hashlib import sha256

from solders.pubkey import Pubkey

from keeper.clients import staking, tokenomics
from keeper.economy import merkle
from keeper.tables import Rows

_PREFIX = merkle.LEAF_TAG + bytes(staking.PROGRAM.address) + bytes(tokenomics.MINT)
_LEAF_BYTES = 40
"""A wallet and its amount."""
EMPTY_ROOT = bytes(32)
"""Of a block in which nobody has earned anything yet: no leaf hashes to it."""


def leaf(wallet: Pubkey, lifetime: int) -> bytes:
    """Hash a wallet's leaf: bound to program and mint, with all that it ever earned, base units."""
    return sha256(_PREFIX + bytes(wallet) + lifetime.to_bytes(8, "little")).digest()


def tree(wallets: Rows) -> merkle.Tree | None:
    """Build the tree over wallets (``WALLET`` rows, sorted), None when there are none."""
    if not len(wallets):
        return None
    raw = wallets[["wallet", "lifetime"]].astype([("wallet", "S32"), ("lifetime", "<u8")]).tobytes()
    return merkle.Tree(
        [sha256(_PREFIX + raw[at : at + _LEAF_BYTES]).digest() for at in range(0, len(raw), _LEAF_BYTES)]
    )


def root(wallets: Rows) -> bytes:
    """The root over wallets; zeros when there are none."""
    found = tree(wallets)
    return found.root if found else EMPTY_ROOT
