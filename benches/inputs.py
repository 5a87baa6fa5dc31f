"""What both sides of idl_codec.py read, and how both sum up what they made of it.

Standard library alone: the two sides share no other package of the same version.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SEED = 1
PROOF_NODES = 20
"""Hashes in a proof: a season of a million leaves."""
LENGTH_BYTES = 4


def write_pieces(path: Path, found: Iterable[bytes]) -> None:
    """Write byte strings to a file, each behind its length."""
    path.write_bytes(b"".join(len(each).to_bytes(LENGTH_BYTES, "little") + each for each in found))


def pieces(path: Path) -> list[bytes]:
    """Read the byte strings of a file."""
    data, found, position = path.read_bytes(), [], 0
    while position < len(data):
        start = position + LENGTH_BYTES
        position = start + int.from_bytes(data[position:start], "little")
        found.append(data[start:position])
    return found


def random_pieces(discriminator: bytes, size: int, count: int) -> list[bytes]:
    """Byte strings of one kind, random but for the discriminator; the same in every run."""
    rng = random.Random(SEED)
    return [discriminator + rng.randbytes(size - len(discriminator)) for _ in range(count)]


def random_proofs(count: int) -> list[bytes]:
    """Merkle proofs to claim with."""
    return random_pieces(b"", 32 * PROOF_NODES, count)


def read_claims(path: Path) -> list[dict[str, Any]]:
    """The arguments of claim_season, a set for each proof in the file."""
    return [
        {"index": index, "amount": index * 1_000_003, "proof": proof}
        for index, proof in enumerate(pieces(path))
    ]


def digest(rows: Iterable[Iterable[Any]]) -> str:
    """One hash over all values of all rows, equal on both sides for equal values.

    An address, a byte string and anchorpy's list of small integers are the same bytes.
    """
    total = hashlib.sha256()
    for row in rows:
        for value in row:
            total.update(str(value).encode() if isinstance(value, int) else bytes(value))
            total.update(b";")
    return total.hexdigest()
