"""Accounts made from events alone: for each program what each of its events does to its accounts.

A program whose accounts are to be compared with the chain has a module here and a row in ``FOLDS``.
"""

from __future__ import annotations

from collections.abc import Mapping

from keeper.indexer.book import Fold
from keeper.indexer.folds import buyback, orders, staking, tokenomics

FOLDS: Mapping[str, Mapping[str, Fold]] = {
    "tokenomics": tokenomics.FOLDS,
    "staking": staking.FOLDS,
    "orders": orders.FOLDS,
    "buyback": buyback.FOLDS,
}
"""By program, by event."""
