"""Addresses of the same seeds at other bumps than the one that counts."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from solders.pubkey import Pubkey

from tests.security.subject import Seeds


def other_bumps(seeds: Seeds, program: Pubkey) -> Iterator[Pubkey]:
    """The next addresses of these seeds that are no points of the curve, below the one that counts."""
    _, bump = Pubkey.find_program_address(seeds, program)
    for lower in range(bump - 1, max(bump - 40, -1), -1):
        parts = [*seeds, bytes([lower]), bytes(program), b"ProgramDerivedAddress"]
        other = Pubkey.from_bytes(sha256(b"".join(parts)).digest())
        if not other.is_on_curve():
            yield other
