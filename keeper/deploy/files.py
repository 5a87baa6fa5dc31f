"""What a founder brings in files: the programs' keys, and who owns the genesis supply."""

from __future__ import annotations

import json
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.errors import UserError, why
from keeper.resources import DEV_KEYS


class DeployRefused(UserError):
    """A file or a table that nothing can be deployed or launched with."""


def read_keypair(path: Path) -> Keypair:
    """Read a program's keypair file as Solana's tools write it; raises DeployRefused naming the file.

    It gives a new program its address and is no secret: an upgrade needs the authority's.
    """
    try:
        return Keypair.from_bytes(bytes(json.loads(path.read_text())))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise DeployRefused(f"{path}: no keypair, a JSON list of 64 numbers ({why(error)})") from error


def read_beneficiaries(path: Path) -> dict[str, Pubkey]:
    """Read who owns each allocation, a JSON object of labels and addresses; raises DeployRefused."""
    try:
        return {label: Pubkey.from_string(text) for label, text in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DeployRefused(f"{path}: no JSON object of labels and addresses ({why(error)})") from error


def staking_program(keys: Path = DEV_KEYS) -> Pubkey:
    """The address that the staking program has, or will have: emission goes to an address it derives."""
    return read_keypair(keys / "staking.json").pubkey()
