"""Airdrop seasons as published files, ``<rewards>/seasons/<number>/``: the points, and an index of proofs.

Whoever publishes a season writes both at once. The index follows from the points and isn't trusted: each look
into it compares it with the hash and the root that the chain has of the season.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from solders.pubkey import Pubkey

from keeper import disk
from keeper.economy.seasons import Claim, Distribution
from keeper.errors import why
from keeper.rewards import wallet_index
from keeper.rewards.publication import FolderUnusable
from keeper.rewards.wallet_index import NAME, NoIndex
from keeper.tables import keys

FOLDER = "seasons"
POINTS = "points.csv"


@dataclass(frozen=True, slots=True)
class Share:
    """What a wallet gets in a season, and the proof that the program needs with it."""

    claim: Claim
    proof: bytes


def points_path(number: int) -> str:
    """Where a season's file of points is, below the folder of published hours and below ``/rewards``."""
    return f"{FOLDER}/{number}/{POINTS}"


def publish(folder: Path, found: Distribution, points: bytes) -> None:
    """Write a season's points, from which ``found`` was computed, and its index; raises FolderUnusable."""
    wallets = keys([each.wallet for each in found.claims])
    amounts = np.array([each.amount for each in found.claims], "u8")
    try:
        with disk.whole(folder / FOLDER / str(found.season)) as part:
            disk.write(part / POINTS, [points])
            wallet_index.write_columns(part / NAME, found.data_hash.hex(), wallets, amounts, found.tree)
    except OSError as error:
        raise FolderUnusable(f"{folder} can't be written: {why(error)}") from error


def share_of(folder: Path, season: int, data_hash: bytes, root: bytes, wallet: Pubkey) -> Share | None:
    """Look a wallet up, None if it gets nothing; raises NoIndex, OSError.

    ``data_hash`` and ``root`` are the season's on chain.
    """
    found = wallet_index.find(_index(folder, season), data_hash.hex(), root.hex(), wallet)
    return None if found is None else Share(Claim(found.number, wallet, found.amount), found.proof)


def is_published(folder: Path, season: int, data_hash: bytes, root: bytes) -> bool:
    """Whether the season that the chain has is here."""
    try:
        wallet_index.check(_index(folder, season), data_hash.hex(), root.hex())
    except (NoIndex, OSError):
        return False
    return True


def _index(folder: Path, season: int) -> Path:
    return folder / FOLDER / str(season) / NAME
